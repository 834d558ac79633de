/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an embedded job's walks need not read again is kept from one job to the next: by the broker,
 * in a file for each set of rules and places where walks begin, signed with the user's secret
 * (secret.h). So no job that the rules hold for can make one, wherever it may write; the worst that
 * it can do is to bring an older one back, and what that says of a directory of that date is as
 * true as it was.
 *
 * In /run/user/UID/cordon-walked; where there is none, nothing is kept.
 */
#ifndef CORDON_LINUX_BARREN_KEEP_H
#define CORDON_LINUX_BARREN_KEEP_H

#include <stddef.h>

#include "platform/linux/order.h"
#include "policy/digest.h"

#define BARREN_KEEP_SUFFIX ".walked"
#define BARREN_KEEP_NAME (2 * DIGEST_BYTES + sizeof(BARREN_KEEP_SUFFIX)) /* with its NUL */

/* For one job. */
struct barren_keep {
    int dir;   /* -1: nothing is kept */
    int found; /* memfd: what cordon-init says is to be kept, once it has; empty: nothing new */
    struct digest secret;
    struct digest subject; /* what the places are about */
};

/* @table: sealed memfd of the caller's own table. *ret_kept: sealed memfd of places in order; -1:
 * there are none. barren_keep_end() in any case. */
void barren_keep_begin(const struct order_head *order, int table, struct barren_keep *ret,
                       int *ret_kept);
/* Once cordon-init is done: writes what it found. */
void barren_keep_save(struct barren_keep *keep);
void barren_keep_end(struct barren_keep *keep);

#endif
