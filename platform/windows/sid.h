/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security identifiers in their binary form ([MS-DTYP] 2.4.2.2). Pure; every
 * function is compiled and tested on every host.
 */
#ifndef CORDON_PLATFORM_WINDOWS_SID_H
#define CORDON_PLATFORM_WINDOWS_SID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

#define SID_SUBS_MAX 15U
#define SID_BYTES_MAX (8U + 4U * SID_SUBS_MAX)
#define SID_TEXT_MAX 192U /* "S-1-", 15 digits, 15 times "-4294967295", NUL */

/* A value; copied freely. @len 0: none. Bytes beyond @len have no meaning. */
struct sid {
    uint8_t len;
    uint8_t bytes[SID_BYTES_MAX];
};

/*
 * The SID at the start of @len hostile bytes; what follows it is not looked at.
 * CORDON_E_SYNTAX: another revision, too many sub-authorities, or cut short.
 */
CORDON_MUST_USE enum cordon_err sid_parse(const uint8_t *bytes, size_t len, struct sid *ret_sid);

/*
 * From "S-1-5-21-1-2-3-1001"; authorities of 2^32 and more also as "0x…".
 * CORDON_E_SYNTAX: anything else, leading zeros and trailing text included.
 */
CORDON_MUST_USE enum cordon_err sid_from_text(const char *text, struct sid *ret_sid);

/* The canonical text, at most SID_TEXT_MAX bytes with the NUL; "" for none. */
void sid_text(const struct sid *sid, char text[SID_TEXT_MAX]);

/* No SID equals nothing, itself included: a descriptor without an owner has no owner. */
bool sid_equal(const struct sid *a, const struct sid *b);

/* Whether @sid is @domain and one number more. */
bool sid_is_of(const struct sid *sid, const struct sid *domain);

/* S-1-5-@first-@second, S-1-5-@first with @second SID_NO_SUB. */
#define SID_NO_SUB UINT32_MAX
struct sid sid_nt(uint32_t first, uint32_t second);

/* Those that an access check or a rule of ownership has to know by name. */
struct sid sid_everyone(void);       /* S-1-1-0 */
struct sid sid_creator_owner(void);  /* S-1-3-0 */
struct sid sid_creator_group(void);  /* S-1-3-1 */
struct sid sid_owner_rights(void);   /* S-1-3-4 */
struct sid sid_system(void);         /* S-1-5-18 */
struct sid sid_administrators(void); /* S-1-5-32-544 */

#endif
