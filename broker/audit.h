/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker tells the administrator: one line per failure, and one JSON
 * record per verdict about a job. Everything from outside is escaped.
 */
#ifndef CORDON_BROKER_AUDIT_H
#define CORDON_BROKER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/ipc.h"

struct audit {
    bool journal;  /* lines and records go to the service manager's journal */
    int line_fd;   /* else lines go here; -1: nowhere */
    int sink_fd;   /* not ours; records go here instead of to the journal; -1: they do not */
    int record_fd; /* records go here as well; -1: only with the lines */
    bool owned;    /* record_fd is closed by audit_deinit() */
};

enum audit_event_kind { AUDIT_START, AUDIT_END, AUDIT_REFUSED, AUDIT_ALARM, AUDIT_VIOLATION };

/* An access that was denied. */
struct audit_denial {
    const struct ipc_violation *what;
    const char *rule, *origin; /* "" where unknown; may be the caller's own words */
    uint64_t unrecorded;       /* denials of that caller since the last one that has a record */
};

/* Texts may be NULL, then the field is left out. */
struct audit_event {
    enum audit_event_kind kind;
    uint64_t job;
    uint32_t uid;
    int32_t pid; /* of the caller when it connected; for display */
    const char *command;
    const char *policy_hash;
    uint64_t generation;
    const char *outcome; /* AUDIT_END: "exited", "signalled", ... */
    uint32_t code;
    uint32_t masked;
    uint64_t denied; /* accesses */
    uint64_t duration_ms;
    const struct ipc_usage *usage;
    const char *limit; /* AUDIT_END: key of the one that ended it */
    bool limit_managed;
    const struct cordon_fault *fault;  /* AUDIT_REFUSED, AUDIT_ALARM, a failed end */
    const struct audit_denial *denial; /* AUDIT_VIOLATION */
};

struct audit_options {
    bool embedded;    /* the client says what is wrong: no lines, no records */
    const char *file; /* records go here, and to the journal; NULL: with the lines */
};
CORDON_MUST_USE enum cordon_err audit_init(struct audit *audit, const struct audit_options *options,
                                           struct cordon_fault *fault);
void audit_deinit(struct audit *audit);

void audit_record(const struct audit *audit, const struct audit_event *event);

/* A failure in one line; the text is escaped. */
void audit_failure(const struct audit *audit, const char *what, const struct cordon_fault *fault);
void audit_info(const struct audit *audit, const char *fmt, ...) CORDON_PRINTF(2, 3);

#endif
