/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latest records of denials: a bounded ring for each user, and counts that
 * know of those that left it. Memory only; no I/O.
 */
#ifndef CORDON_BROKER_RING_H
#define CORDON_BROKER_RING_H

#include <stdbool.h>

#include "broker/rule_texts.h"
#include "platform/base/strbuf.h"
#include "platform/ipc.h"

#define RING_RECORDS_MAX 1024U                        /* of one user */
#define RING_BYTES_MAX ((size_t)512U * 1024U)         /* of one user */
#define RINGS_BYTES_MAX ((size_t)32U * 1024U * 1024U) /* of all */

struct ring;
struct ring_entry;

struct rings {
    struct ring *first;
    struct ring_entry *oldest, *newest; /* of all users */
    uint64_t last_number;
    uint64_t total; /* denials, with a record or without */
    size_t bytes;
};

struct ring_denial {
    uint32_t uid;
    uint64_t job;
    const struct ipc_violation *what; /* operation NONE: only its lost ones are counted */
    const struct rule_text *text;
};
/* What there is no memory for is counted all the same, unless it is the user's first. */
void rings_add(struct rings *rings, const struct ring_denial *denial);
void rings_deinit(struct rings *rings); /* zeroed is allowed */

struct ring_query {
    bool all; /* every user's */
    uint32_t uid;
    uint64_t job;   /* 0: any */
    uint64_t after; /* number */
};
/* There is a record to answer the query with. */
bool rings_has(const struct rings *rings, const struct ring_query *query);
/* The answer as IPC_RECORDS holds it, oldest first. */
void rings_read(const struct rings *rings, const struct ring_query *query, struct strbuf *out);

#endif
