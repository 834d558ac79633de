/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/upcase.h"

/* Every @step-th character of first..last, less @down. Sorted. */
struct row {
    uint16_t first, last;
    uint16_t step;
    int16_t down;
};

/* From the simple case mappings of the Unicode character database, both ways the same. */
static const struct row rows[] = {
    {0x0061, 0x007a, 1, 32},   {0x00e0, 0x00f6, 1, 32},   {0x00f8, 0x00fe, 1, 32},
    {0x00ff, 0x00ff, 1, -121}, {0x0101, 0x012f, 2, 1},    {0x0133, 0x0137, 2, 1},
    {0x013a, 0x0148, 2, 1},    {0x014b, 0x0177, 2, 1},    {0x017a, 0x017e, 2, 1},
    {0x0183, 0x0185, 2, 1},    {0x0188, 0x0188, 1, 1},    {0x018c, 0x018c, 1, 1},
    {0x0192, 0x0192, 1, 1},    {0x0199, 0x0199, 1, 1},    {0x01a1, 0x01a5, 2, 1},
    {0x01a8, 0x01a8, 1, 1},    {0x01ad, 0x01ad, 1, 1},    {0x01b0, 0x01b0, 1, 1},
    {0x01b4, 0x01b6, 2, 1},    {0x01b9, 0x01b9, 1, 1},    {0x01bd, 0x01bd, 1, 1},
    {0x01ce, 0x01dc, 2, 1},    {0x01df, 0x01ef, 2, 1},    {0x01f5, 0x01f5, 1, 1},
    {0x01fb, 0x0217, 2, 1},    {0x0253, 0x0253, 1, 210},  {0x0254, 0x0254, 1, 206},
    {0x0256, 0x0257, 1, 205},  {0x0259, 0x0259, 1, 202},  {0x025b, 0x025b, 1, 203},
    {0x0260, 0x0260, 1, 205},  {0x0263, 0x0263, 1, 207},  {0x0268, 0x0268, 1, 209},
    {0x0269, 0x0269, 1, 211},  {0x026f, 0x026f, 1, 211},  {0x0272, 0x0272, 1, 213},
    {0x0283, 0x0283, 1, 218},  {0x0288, 0x0288, 1, 218},  {0x028a, 0x028b, 1, 217},
    {0x0292, 0x0292, 1, 219},  {0x03ac, 0x03ac, 1, 38},   {0x03ad, 0x03af, 1, 37},
    {0x03b1, 0x03c1, 1, 32},   {0x03c3, 0x03cb, 1, 32},   {0x03cc, 0x03cc, 1, 64},
    {0x03cd, 0x03ce, 1, 63},   {0x03e3, 0x03ef, 2, 1},    {0x0430, 0x044f, 1, 32},
    {0x0451, 0x045c, 1, 80},   {0x045e, 0x045f, 1, 80},   {0x0461, 0x0481, 2, 1},
    {0x0491, 0x04bf, 2, 1},    {0x04c2, 0x04c4, 2, 1},    {0x04c8, 0x04c8, 1, 1},
    {0x04cc, 0x04cc, 1, 1},    {0x04d1, 0x04eb, 2, 1},    {0x04ef, 0x04f5, 2, 1},
    {0x04f9, 0x04f9, 1, 1},    {0x0561, 0x0586, 1, 48},   {0x1e01, 0x1e95, 2, 1},
    {0x1ea1, 0x1ef9, 2, 1},    {0x1f00, 0x1f07, 1, -8},   {0x1f10, 0x1f15, 1, -8},
    {0x1f20, 0x1f27, 1, -8},   {0x1f30, 0x1f37, 1, -8},   {0x1f40, 0x1f45, 1, -8},
    {0x1f51, 0x1f57, 2, -8},   {0x1f60, 0x1f67, 1, -8},   {0x1f70, 0x1f71, 1, -74},
    {0x1f72, 0x1f75, 1, -86},  {0x1f76, 0x1f77, 1, -100}, {0x1f78, 0x1f79, 1, -128},
    {0x1f7a, 0x1f7b, 1, -112}, {0x1f7c, 0x1f7d, 1, -126}, {0x1fb0, 0x1fb1, 1, -8},
    {0x1fd0, 0x1fd1, 1, -8},   {0x1fe0, 0x1fe1, 1, -8},   {0x1fe5, 0x1fe5, 1, -7},
    {0x2170, 0x217f, 1, 16},   {0x24d0, 0x24e9, 1, 26},   {0xff41, 0xff5a, 1, 32},
};

uint32_t win_upcase(uint32_t value)
{
    size_t low = 0;
    size_t high = sizeof(rows) / sizeof(rows[0]);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct row *row = &rows[middle];

        if (value < row->first) {
            high = middle;
        } else if (value > row->last) {
            low = middle + 1;
        } else {
            return (value - row->first) % row->step == 0 ? (uint32_t)((int32_t)value - row->down)
                                                         : value;
        }
    }
    return value;
}

/* Lead bytes of UTF-8: what the byte after them may be at least and at most. */
static const struct lead {
    unsigned char first, last;
    unsigned char length;
    unsigned char low, high; /* of the second byte */
} leads[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if (byte >= leads[i].first && byte <= leads[i].last) {
            return &leads[i];
        }
    }
    return NULL;
}

size_t win_utf8(const char *text, size_t len, uint32_t *ret_char)
{
    static const unsigned char bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *bytes = (const unsigned char *)text;
    const struct lead *lead = find_lead(bytes[0]);
    uint32_t value;

    if (lead == NULL || lead->length > len) {
        return 0;
    }
    value = bytes[0] & bits[lead->length];
    for (size_t i = 1; i < lead->length; i++) {
        unsigned char low = i == 1 ? lead->low : 0x80;
        unsigned char high = i == 1 ? lead->high : 0xbf;

        if (bytes[i] < low || bytes[i] > high) {
            return 0;
        }
        value = (value << 6) | (bytes[i] & 0x3fU);
    }
    *ret_char = value;
    return lead->length;
}

size_t win_utf8_put(uint32_t value, char *out)
{
    size_t length = value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80U | (value & 0x3fU));
        value >>= 6;
    }
    out[0] = (char)(marks[length] | value);
    return length;
}

size_t win_utf16_units(uint32_t value)
{
    return value < 0x10000 ? 1 : 2;
}
