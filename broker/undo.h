/* SPDX-License-Identifier: Apache-2.0 */
/* What was done and how it is undone, newest first. */
#ifndef CORDON_BROKER_UNDO_H
#define CORDON_BROKER_UNDO_H

#include <stddef.h>

#include "platform/base/err.h"

typedef void undo_fn(void *arg);

struct undo_entry {
    undo_fn *fn;
    void *arg;
    const char *label; /* static text, for logs */
};

#define UNDO_MAX 8U
struct undo {
    struct undo_entry entries[UNDO_MAX];
    size_t count;
};

/*
 * Records the reversal of what was just done. There is always room: a job has
 * fewer steps than UNDO_MAX, which is asserted.
 */
void undo_push(struct undo *undo, undo_fn *fn, void *arg, const char *label);
/* Runs every reversal, the latest first; the log is empty before the first one runs. */
void undo_run(struct undo *undo);
/* The latest entry's label; NULL when the log is empty. */
const char *undo_top(const struct undo *undo);

#endif
