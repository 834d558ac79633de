/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/undo.h"

#include <assert.h>

void undo_push(struct undo *undo, undo_fn *fn, void *arg, const char *label)
{
    assert(undo->count < UNDO_MAX);
    undo->entries[undo->count++] = (struct undo_entry){fn, arg, label};
}

void undo_run(struct undo *undo)
{
    struct undo taken = *undo;

    /* A reversal may end up here again; it must not run anything twice. */
    undo->count = 0;
    while (taken.count > 0) {
        const struct undo_entry *entry = &taken.entries[--taken.count];

        entry->fn(entry->arg);
    }
}

const char *undo_top(const struct undo *undo)
{
    return undo->count == 0 ? NULL : undo->entries[undo->count - 1].label;
}
