/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/sid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "platform/windows/le.h"

#define SID_REVISION 1U
#define SID_HEAD 8U
#define SID_AUTHORITY_MAX 0xffffffffffffULL

enum cordon_err sid_parse(const uint8_t *bytes, size_t len, struct sid *ret_sid)
{
    size_t whole;

    if (len < SID_HEAD || bytes[0] != SID_REVISION || bytes[1] > SID_SUBS_MAX) {
        return CORDON_E_SYNTAX;
    }
    whole = SID_HEAD + 4U * (size_t)bytes[1];
    if (whole > len) {
        return CORDON_E_SYNTAX;
    }
    ret_sid->len = (uint8_t)whole;
    memcpy(ret_sid->bytes, bytes, whole);
    return CORDON_OK;
}

/* ---- text ---- */

static bool hex_number(const char **at, uint64_t max, uint64_t *ret_value)
{
    static const char digits[] = "0123456789abcdef";
    const char *from = *at;
    uint64_t value = 0;

    for (; **at != '\0'; (*at)++) {
        const char *digit = strchr(digits, ascii_lower(**at));

        if (digit == NULL) {
            break;
        }
        if (value > (max - (uint64_t)(digit - digits)) / 16U) {
            return false;
        }
        value = value * 16U + (uint64_t)(digit - digits);
    }
    *ret_value = value;
    return *at != from;
}

static bool number(const char **at, uint64_t max, uint64_t *ret_value)
{
    const char *from = *at;
    uint64_t value = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        const uint64_t digit = (uint64_t)(**at - '0');

        if ((value == 0 && *at != from) || value > (max - digit) / 10U) {
            return false;
        }
        value = value * 10U + digit;
    }
    *ret_value = value;
    return *at != from;
}

static void put_sub(struct sid *sid, uint32_t value)
{
    le_put32(sid->bytes + sid->len, value);
    sid->len = (uint8_t)(sid->len + 4U);
    sid->bytes[1]++;
}

static struct sid of_authority(uint64_t authority)
{
    struct sid sid = {.len = SID_HEAD, .bytes = {SID_REVISION}};

    for (unsigned i = 0; i < 6U; i++) {
        sid.bytes[7U - i] = (uint8_t)(authority >> (8U * i));
    }
    return sid;
}

enum cordon_err sid_from_text(const char *text, struct sid *ret_sid)
{
    struct sid sid;
    const char *at = text;
    uint64_t value;
    bool hex;

    if ((at[0] != 'S' && at[0] != 's') || strncmp(at + 1, "-1-", 3) != 0) {
        return CORDON_E_SYNTAX;
    }
    at += 4;
    hex = strncmp(at, "0x", 2) == 0 || strncmp(at, "0X", 2) == 0;
    at += hex ? 2 : 0;
    if (!(hex ? hex_number(&at, SID_AUTHORITY_MAX, &value)
              : number(&at, SID_AUTHORITY_MAX, &value))) {
        return CORDON_E_SYNTAX;
    }
    sid = of_authority(value);
    while (*at == '-') {
        at++;
        if (sid.bytes[1] == SID_SUBS_MAX || !number(&at, UINT32_MAX, &value)) {
            return CORDON_E_SYNTAX;
        }
        put_sub(&sid, (uint32_t)value);
    }
    if (*at != '\0') {
        return CORDON_E_SYNTAX;
    }
    *ret_sid = sid;
    return CORDON_OK;
}

void sid_text(const struct sid *sid, char text[SID_TEXT_MAX])
{
    uint64_t authority = 0;
    size_t len = 0;

    text[0] = '\0';
    if (sid->len < SID_HEAD) {
        return;
    }
    for (unsigned i = 2; i < SID_HEAD; i++) {
        authority = authority << 8U | sid->bytes[i];
    }
    len =
        (size_t)snprintf(text, SID_TEXT_MAX,
                         authority > UINT32_MAX ? "S-1-0x%012" PRIx64 : "S-1-%" PRIu64, authority);
    for (size_t at = SID_HEAD; at + 4U <= sid->len; at += 4U) {
        len += (size_t)snprintf(text + len, SID_TEXT_MAX - len, "-%" PRIu32,
                                le_get32(sid->bytes + at));
    }
}

bool sid_equal(const struct sid *a, const struct sid *b)
{
    return a->len != 0 && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool sid_is_of(const struct sid *sid, const struct sid *domain)
{
    return domain->len >= SID_HEAD && sid->len == domain->len + 4U &&
           memcmp(sid->bytes + 2, domain->bytes + 2, domain->len - 2U) == 0;
}

/* ---- well-known ones ---- */

static struct sid made(uint64_t authority, uint32_t first, uint32_t second)
{
    struct sid sid = of_authority(authority);

    put_sub(&sid, first);
    if (second != SID_NO_SUB) {
        put_sub(&sid, second);
    }
    return sid;
}

struct sid sid_nt(uint32_t first, uint32_t second)
{
    return made(5, first, second);
}

struct sid sid_everyone(void)
{
    return made(1, 0, SID_NO_SUB);
}

struct sid sid_creator_owner(void)
{
    return made(3, 0, SID_NO_SUB);
}

struct sid sid_creator_group(void)
{
    return made(3, 1, SID_NO_SUB);
}

struct sid sid_owner_rights(void)
{
    return made(3, 4, SID_NO_SUB);
}

struct sid sid_system(void)
{
    return made(5, 18, SID_NO_SUB);
}

struct sid sid_administrators(void)
{
    return made(5, 32, 544);
}
