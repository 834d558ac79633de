/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what: written cases of AccessCheck. Our evaluator answers them on every host, the
 * system's own in tests/wine.
 */
#ifndef CORDON_TESTS_ACCESS_ROWS_H
#define CORDON_TESTS_ACCESS_ROWS_H

#include "platform/windows/sd.h"

/* The members of a token: the user, a group, Everyone; "-" before one: for denials alone. */
#define ACCESS_USER "S-1-5-21-7-7-7-1001"
#define ACCESS_GROUP "S-1-5-21-7-7-7-2001"

struct access_row {
    const char *what, *sd, *members, *restricting; /* NULL: not restricted */
    bool write_restricted;
    uint32_t desired;
    bool granted;
};

extern const struct access_row access_rows[];
extern const size_t access_row_count;

/* What a row's texts say: at most ACCESS_SIDS members and restricting SIDs. */
#define ACCESS_SIDS 8U
struct access_token {
    struct sd_token token; /* points into this */
    struct sd_member members[ACCESS_SIDS];
    struct sid restricting[ACCESS_SIDS];
};
bool access_token_read(const struct access_row *row, struct access_token *ret_token);

#endif
