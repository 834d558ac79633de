/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/sd.h"

#include <string.h>

#include "platform/windows/le.h"

#define HEAD 20U     /* of a descriptor */
#define ACE_HEAD 4U  /* type, flags, size */
#define ACE_PLAIN 8U /* and the mask */
#define GUID_BYTES 16U

const struct sd_mapping sd_mapping_file = {0x00120089, 0x00120116, 0x001200a0, 0x001f01ff};
const struct sd_mapping sd_mapping_key = {0x00020019, 0x00020006, 0x00020019, 0x000f003f};

void sd_init(struct sd *sd, enum sd_dacl dacl)
{
    sd->control = 0;
    sd->owner.len = 0;
    sd->group.len = 0;
    sd->dacl = dacl;
    sd->revision = 2;
    sd->ace_count = 0;
    sd->ace_len = 0;
}

void sd_copy(struct sd *to, const struct sd *from)
{
    memcpy(to, from, offsetof(struct sd, aces) + from->ace_len);
}

/* ---- entries ---- */

/* Where the SID of an entry of this type starts; 0: the type is not known, or it is cut short. */
static size_t sid_offset(const uint8_t *ace, size_t size)
{
    size_t at = ACE_PLAIN;

    switch (ace[0]) {
    case SD_ALLOWED:
    case SD_DENIED:
    case SD_ALLOWED_CALLBACK:
    case SD_DENIED_CALLBACK:
        return at;
    case SD_ALLOWED_OBJECT:
    case SD_DENIED_OBJECT:
    case SD_ALLOWED_CALLBACK_OBJECT:
    case SD_DENIED_CALLBACK_OBJECT:
        break;
    default:
        return 0;
    }
    if (size < at + 4U) {
        return at;
    }
    /* Flags say which of two GUIDs are there. */
    at += 4U + (ace[ACE_PLAIN] & 1U ? GUID_BYTES : 0U) + (ace[ACE_PLAIN] & 2U ? GUID_BYTES : 0U);
    return at;
}

/* False: of a known type, and not whole. */
static bool read_ace(const uint8_t *bytes, size_t size, struct sd_ace *ret_ace)
{
    const size_t at = sid_offset(bytes, size);

    *ret_ace = (struct sd_ace){.type = bytes[0], .flags = bytes[1]};
    if (at == 0) {
        return true;
    }
    if (at >= size || sid_parse(bytes + at, size - at, &ret_ace->sid) != CORDON_OK) {
        return false;
    }
    ret_ace->mask = le_get32(bytes + ACE_HEAD);
    return true;
}

bool sd_next(const struct sd *sd, uint32_t *at, struct sd_ace *ret_ace)
{
    const uint8_t *bytes = sd->aces + *at;

    if (*at >= sd->ace_len) {
        return false;
    }
    (void)read_ace(bytes, le_get16(bytes + 2), ret_ace);
    *at += le_get16(bytes + 2);
    return true;
}

/* ---- reading ---- */

static enum cordon_err parse_list(const uint8_t *bytes, size_t len, struct sd *sd)
{
    size_t size, at = SD_LIST_HEAD;
    struct sd_ace ace;

    if (len < SD_LIST_HEAD || bytes[0] < 2U || bytes[0] > 4U) {
        return CORDON_E_SYNTAX;
    }
    size = le_get16(bytes + 2);
    if (size > len) {
        return CORDON_E_SYNTAX;
    }
    sd->revision = bytes[0];
    sd->ace_count = le_get16(bytes + 4);
    for (uint16_t i = 0; i < sd->ace_count; i++) {
        const size_t left = at < size ? size - at : 0;
        const size_t one = left < ACE_HEAD ? 0 : le_get16(bytes + at + 2);

        if (one < ACE_HEAD || one % 4U != 0 || one > left || !read_ace(bytes + at, one, &ace)) {
            return CORDON_E_SYNTAX;
        }
        at += one;
    }
    /* What the list has to spare behind its entries means nothing. */
    sd->ace_len = (uint32_t)(at - SD_LIST_HEAD);
    memcpy(sd->aces, bytes + SD_LIST_HEAD, sd->ace_len);
    sd->dacl = SD_DACL_LIST;
    return CORDON_OK;
}

static enum cordon_err parse_sid(const uint8_t *bytes, size_t len, uint32_t offset, struct sid *sid)
{
    if (offset == 0) {
        return CORDON_OK;
    }
    return offset < HEAD || offset > len ? CORDON_E_SYNTAX
                                         : sid_parse(bytes + offset, len - offset, sid);
}

enum cordon_err sd_parse(const uint8_t *bytes, size_t len, struct sd *ret_sd)
{
    uint32_t list;

    sd_init(ret_sd, SD_DACL_NONE);
    if (len < HEAD || bytes[0] != 1 || (le_get16(bytes + 2) & SD_SELF_RELATIVE) == 0) {
        return CORDON_E_SYNTAX;
    }
    ret_sd->control = le_get16(bytes + 2);
    if (parse_sid(bytes, len, le_get32(bytes + 4), &ret_sd->owner) != CORDON_OK ||
        parse_sid(bytes, len, le_get32(bytes + 8), &ret_sd->group) != CORDON_OK) {
        return CORDON_E_SYNTAX;
    }
    list = le_get32(bytes + 16);
    if ((ret_sd->control & SD_DACL_PRESENT) == 0) {
        return CORDON_OK;
    }
    if (list == 0) {
        ret_sd->dacl = SD_DACL_NULL;
        return CORDON_OK;
    }
    return list < HEAD || list > len ? CORDON_E_SYNTAX
                                     : parse_list(bytes + list, len - list, ret_sd);
}

/* ---- writing ---- */

static size_t put_sid(uint8_t *bytes, size_t at, size_t field, const struct sid *sid)
{
    le_put32(bytes + field, sid->len == 0 ? 0 : at);
    memcpy(bytes + at, sid->bytes, sid->len);
    return at + sid->len;
}

enum cordon_err sd_write(const struct sd *sd, uint8_t *bytes, size_t size, size_t *ret_len)
{
    const bool list = sd->dacl == SD_DACL_LIST;
    const size_t whole =
        HEAD + sd->owner.len + sd->group.len + (list ? SD_LIST_HEAD + sd->ace_len : 0);
    uint16_t control = (uint16_t)(sd->control | SD_SELF_RELATIVE | SD_DACL_PRESENT);
    size_t at = HEAD;

    if (whole > size) {
        return CORDON_E_LIMIT;
    }
    /* The audit list is not written: its bits would lie. */
    control &= (uint16_t)~0x2a30U;
    if (sd->dacl == SD_DACL_NONE) {
        control &= (uint16_t)~SD_DACL_PRESENT;
    }
    memset(bytes, 0, HEAD);
    bytes[0] = 1;
    le_put16(bytes + 2, control);
    at = put_sid(bytes, at, 4, &sd->owner);
    at = put_sid(bytes, at, 8, &sd->group);
    if (list) {
        le_put32(bytes + 16, at);
        bytes[at] = sd->revision;
        bytes[at + 1] = 0;
        le_put16(bytes + at + 2, SD_LIST_HEAD + sd->ace_len);
        le_put16(bytes + at + 4, sd->ace_count);
        le_put16(bytes + at + 6, 0);
        memcpy(bytes + at + SD_LIST_HEAD, sd->aces, sd->ace_len);
    }
    *ret_len = whole;
    return CORDON_OK;
}

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {
        [SD_ALLOWED] = "A",
        [SD_DENIED] = "D",
        [SD_ALLOWED_OBJECT] = "OA",
        [SD_DENIED_OBJECT] = "OD",
        [SD_ALLOWED_CALLBACK] = "XA",
        [SD_DENIED_CALLBACK] = "XD",
        [SD_ALLOWED_CALLBACK_OBJECT] = "ZA",
    };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

static void print_ace(const struct sd_ace *ace, struct strbuf *out)
{
    static const char flags[5][3] = {"OI", "CI", "NP", "IO", "ID"};
    const char *name = type_name(ace->type);
    char text[SID_TEXT_MAX];

    strbuf_puts(out, "(");
    if (name != NULL) {
        strbuf_puts(out, name);
    } else {
        strbuf_printf(out, "0x%x", ace->type);
    }
    strbuf_puts(out, ";");
    for (unsigned i = 0; i < 5U; i++) {
        if ((ace->flags & 1U << i) != 0) {
            strbuf_puts(out, flags[i]);
        }
    }
    sid_text(&ace->sid, text);
    if (ace->sid.len == 0) {
        strbuf_puts(out, ";;;;)");
    } else {
        strbuf_printf(out, ";0x%x;;;%s)", (unsigned)ace->mask, text);
    }
}

void sd_print(const struct sd *sd, struct strbuf *out)
{
    char text[SID_TEXT_MAX];
    struct sd_ace ace;

    sid_text(&sd->owner, text);
    strbuf_printf(out, "%s%s", sd->owner.len == 0 ? "" : "O:", text);
    sid_text(&sd->group, text);
    strbuf_printf(out, "%s%s", sd->group.len == 0 ? "" : "G:", text);
    if (sd->dacl == SD_DACL_NONE) {
        return;
    }
    strbuf_printf(out, "D:%s%s%s", (sd->control & SD_DACL_PROTECTED) != 0 ? "P" : "",
                  (sd->control & SD_DACL_AUTO_INHERITED) != 0 ? "AI" : "",
                  sd->dacl == SD_DACL_NULL ? "NO_ACCESS_CONTROL" : "");
    for (uint32_t at = 0; sd_next(sd, &at, &ace);) {
        print_ace(&ace, out);
    }
}

/* ---- editing ---- */

static bool same(const struct sd_ace *a, const struct sd_ace *b)
{
    return a->type == b->type && a->flags == b->flags && a->mask == b->mask &&
           sid_equal(&a->sid, &b->sid);
}

bool sd_grants(uint8_t type)
{
    return type == SD_ALLOWED || type == SD_ALLOWED_OBJECT || type == SD_ALLOWED_CALLBACK ||
           type == SD_ALLOWED_CALLBACK_OBJECT;
}

static enum cordon_err insert(struct sd *sd, uint32_t at, const struct sd_ace *ace)
{
    const uint32_t size = ACE_PLAIN + ace->sid.len;
    uint8_t *bytes = sd->aces + at;

    if (sd->ace_len + size > SD_ACES_MAX) {
        return CORDON_E_LIMIT;
    }
    memmove(bytes + size, bytes, sd->ace_len - at);
    bytes[0] = ace->type;
    bytes[1] = ace->flags;
    le_put16(bytes + 2, size);
    le_put32(bytes + ACE_HEAD, ace->mask);
    memcpy(bytes + ACE_PLAIN, ace->sid.bytes, ace->sid.len);
    sd->ace_len += size;
    sd->ace_count++;
    return CORDON_OK;
}

enum cordon_err sd_append(struct sd *sd, const struct sd_ace *ace)
{
    if (sd->dacl != SD_DACL_LIST) {
        return CORDON_E_UNSUPPORTED;
    }
    return insert(sd, sd->ace_len, ace);
}

/* Where @ace belongs; true if the very same one stands in force already. */
static bool place(const struct sd *sd, const struct sd_ace *ace, uint32_t *ret_at)
{
    bool granted = false, inherited = false;
    struct sd_ace one;

    *ret_at = 0;
    for (uint32_t at = 0; sd_next(sd, &at, &one);) {
        granted = granted || sd_grants(one.type);
        inherited = inherited || (one.flags & SD_INHERITED) != 0;
        if (same(&one, ace) && (ace->type == SD_ALLOWED || !granted)) {
            return true;
        }
        if (ace->type == SD_ALLOWED && !inherited) {
            *ret_at = at;
        }
    }
    return false;
}

enum cordon_err sd_add(struct sd *sd, const struct sd_ace *ace, bool *ret_added)
{
    enum cordon_err err;
    uint32_t at;

    if (sd->dacl != SD_DACL_LIST) {
        return CORDON_E_UNSUPPORTED;
    }
    if (place(sd, ace, &at)) {
        *ret_added = false;
        return CORDON_OK;
    }
    err = insert(sd, at, ace);
    if (err == CORDON_OK) {
        *ret_added = true;
    }
    return err;
}

bool sd_remove(struct sd *sd, const struct sd_ace *ace)
{
    struct sd_ace one;
    uint32_t from = 0;

    for (uint32_t at = 0; sd_next(sd, &at, &one); from = at) {
        if (same(&one, ace)) {
            memmove(sd->aces + from, sd->aces + at, sd->ace_len - at);
            sd->ace_len -= at - from;
            sd->ace_count--;
            return true;
        }
    }
    return false;
}

size_t sd_count(const struct sd *sd, const struct sd_ace *ace)
{
    struct sd_ace one;
    size_t count = 0;

    for (uint32_t at = 0; sd_next(sd, &at, &one);) {
        count += same(&one, ace) ? 1U : 0U;
    }
    return count;
}

bool sd_denies(const struct sd *sd, const struct sid *sid, uint32_t mask,
               const struct sd_mapping *mapping)
{
    uint32_t left = sd_map(mapping, mask);
    struct sd_ace one;

    for (uint32_t at = 0; sd_next(sd, &at, &one) && !sd_grants(one.type);) {
        if (one.type == SD_DENIED && (one.flags & SD_INHERIT_ONLY) == 0 &&
            sid_equal(&one.sid, sid)) {
            left &= ~sd_map(mapping, one.mask);
        }
    }
    return sd->dacl == SD_DACL_LIST && left == 0;
}

bool sd_canonical(const struct sd *sd)
{
    unsigned reached = 0;
    struct sd_ace one;

    for (uint32_t at = 0; sd_next(sd, &at, &one);) {
        const unsigned rank = (one.flags & SD_INHERITED) != 0 ? 2U : sd_grants(one.type) ? 1U : 0U;

        if (rank < reached) {
            return false;
        }
        reached = rank;
    }
    return true;
}
