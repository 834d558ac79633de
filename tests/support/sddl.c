/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sddl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name {
    const char *name;
    uint32_t value;
};

static const struct name masks[] = {{"FA", 0x1f01ff},
                                    {"FR", 0x120089},
                                    {"FW", 0x120116},
                                    {"FX", 0x1200a0},
                                    {"KA", 0xf003f},
                                    {"KR", 0x20019},
                                    {"KW", 0x20006},
                                    {"GA", SD_GENERIC_ALL},
                                    {"GR", SD_GENERIC_READ},
                                    {"GW", SD_GENERIC_WRITE},
                                    {"GX", SD_GENERIC_EXECUTE},
                                    {"RC", SD_READ_CONTROL},
                                    {"WD", SD_WRITE_DAC},
                                    {"WO", SD_WRITE_OWNER},
                                    {"SD", SD_DELETE}};

static const struct name flags[] = {{"OI", SD_OBJECT_INHERIT},
                                    {"CI", SD_CONTAINER_INHERIT},
                                    {"NP", SD_NO_PROPAGATE},
                                    {"IO", SD_INHERIT_ONLY},
                                    {"ID", SD_INHERITED}};

static const struct name types[] = {
    {"A", SD_ALLOWED}, {"D", SD_DENIED}, {"XA", SD_ALLOWED_CALLBACK}, {"XD", SD_DENIED_CALLBACK}};

static const char *const sids[][2] = {
    {"SY", "S-1-5-18"}, {"BA", "S-1-5-32-544"}, {"BU", "S-1-5-32-545"}, {"WD", "S-1-1-0"},
    {"CO", "S-1-3-0"},  {"CG", "S-1-3-1"},      {"OW", "S-1-3-4"},      {"AU", "S-1-5-11"}};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A run of two-letter names, or a number; "" is 0. */
static bool read_names(const struct name *table, size_t count, const char *text, size_t len,
                       uint32_t *ret_value)
{
    *ret_value = 0;
    if (len > 0 && text[0] == '0') {
        *ret_value = (uint32_t)strtoul(text, NULL, 0);
        return true;
    }
    for (size_t at = 0; at < len; at += 2) {
        size_t i = 0;

        while (i < count && strncmp(table[i].name, text + at, 2) != 0) {
            i++;
        }
        if (i == count) {
            return false;
        }
        *ret_value |= table[i].value;
    }
    return true;
}

bool sddl_sid(const char *text, size_t len, struct sid *ret_sid)
{
    char whole[SID_TEXT_MAX];

    for (size_t i = 0; i < COUNT(sids); i++) {
        if (len == 2 && strncmp(sids[i][0], text, 2) == 0) {
            return sid_from_text(sids[i][1], ret_sid) == CORDON_OK;
        }
    }
    if (len >= sizeof(whole)) {
        return false;
    }
    memcpy(whole, text, len);
    whole[len] = '\0';
    return sid_from_text(whole, ret_sid) == CORDON_OK;
}

/* "(TYPE;FLAGS;MASK;;;SID)"; *@at is moved behind it. */
static bool read_entry(const char **at, struct sd *sd)
{
    struct sd_ace ace = {.type = 0xff};
    const char *field[6];
    size_t len[6];
    const char *from = *at + 1;
    uint32_t value;

    for (unsigned i = 0; i < 6; i++) {
        field[i] = from;
        len[i] = strcspn(from, i == 5 ? ")" : ";");
        from += len[i];
        if (*from++ == '\0') {
            return false;
        }
    }
    *at = from;
    for (size_t i = 0; i < COUNT(types); i++) {
        if (strlen(types[i].name) == len[0] && strncmp(types[i].name, field[0], len[0]) == 0) {
            ace.type = (uint8_t)types[i].value;
        }
    }
    if (ace.type == 0xff || !read_names(flags, COUNT(flags), field[1], len[1], &value) ||
        !read_names(masks, COUNT(masks), field[2], len[2], &ace.mask) ||
        !sddl_sid(field[5], len[5], &ace.sid)) {
        return false;
    }
    ace.flags = (uint8_t)value;
    return sd_append(sd, &ace) == CORDON_OK;
}

static bool read_list(const char **at, struct sd *sd)
{
    sd->dacl = SD_DACL_LIST;
    if (**at == 'P') {
        sd->control |= SD_DACL_PROTECTED;
        (*at)++;
    }
    if (strncmp(*at, "AI", 2) == 0) {
        sd->control |= SD_DACL_AUTO_INHERITED;
        *at += 2;
    }
    if (strncmp(*at, "NO_ACCESS_CONTROL", 17) == 0) {
        sd->dacl = SD_DACL_NULL;
        *at += 17;
    }
    while (**at == '(') {
        if (!read_entry(at, sd)) {
            return false;
        }
    }
    return true;
}

static bool read_part(const char **at, struct sd *sd)
{
    const char which = (*at)[0];
    const char *from = *at + 2;
    size_t len = strcspn(from, ":");

    if ((*at)[1] != ':') {
        return false;
    }
    if (which == 'D') {
        *at = from;
        return read_list(at, sd);
    }
    /* The next part's letter is before its colon. */
    len -= from[len] == ':' ? 1U : 0U;
    *at = from + len;
    return (which == 'O' || which == 'G') &&
           sddl_sid(from, len, which == 'O' ? &sd->owner : &sd->group);
}

bool sddl_read(const char *text, struct sd *ret_sd)
{
    const char *at = text;

    sd_init(ret_sd, SD_DACL_NONE);
    while (*at != '\0') {
        if (!read_part(&at, ret_sd)) {
            (void)fprintf(stderr, "not read: \"%s\" at \"%s\"\n", text, at);
            return false;
        }
    }
    return true;
}
