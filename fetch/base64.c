/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const char *bytes, size_t len, struct strbuf *out)
{
    for (size_t i = 0; i < len; i += 3) {
        const size_t left = len - i < 3 ? len - i : 3;
        uint32_t group = 0;
        char four[4];

        for (size_t j = 0; j < 3; j++) {
            group = group << 8 | (j < left ? (unsigned char)bytes[i + j] : 0U);
        }
        for (size_t j = 0; j < 4; j++) {
            four[j] = j <= left ? digits[group >> (18 - 6 * j) & 63U] : '=';
        }
        strbuf_add(out, four, sizeof(four));
    }
}

/* Four characters to one to three bytes; false: not base 64. */
static bool take_four(const char *four, bool last, struct strbuf *out)
{
    const size_t padding = (size_t)(four[3] == '=') + (size_t)(four[3] == '=' && four[2] == '=');
    uint32_t group = 0;
    char bytes[3];

    for (size_t i = 0; i < 4; i++) {
        const char *digit = i < 4 - padding ? strchr(digits, four[i]) : digits;

        if (digit == NULL || *digit == '\0') {
            return false;
        }
        group = group << 6 | (uint32_t)(digit - digits);
    }
    /* Bits that no byte takes have to be 0. */
    if ((padding > 0 && !last) || (group & ((1U << 8 * padding) - 1)) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(group >> (16 - 8 * i) & 255U);
    }
    strbuf_add(out, bytes, sizeof(bytes) - padding);
    return true;
}

enum cordon_err base64_decode(const char *text, struct strbuf *out)
{
    const size_t len = strlen(text);

    if (len % 4 != 0) {
        return CORDON_E_SYNTAX;
    }
    for (size_t i = 0; i < len; i += 4) {
        if (!take_four(text + i, i + 4 == len, out)) {
            return CORDON_E_SYNTAX;
        }
    }
    return out->failed ? CORDON_E_NOMEM : CORDON_OK;
}
