/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file a rename replaced is told by no event that has its name. When it has
 * further names, it lives on, and what it was called until then must not be
 * forgotten. Of it comes an event of its link count, from the same thread: the
 * kernel sends "renamed", then that, then "moved itself".
 *
 * An event that equals one still queued, of the same thread, is merged into that
 * one, and so may seem to have come before: see batch_search().
 */
#ifndef CORDON_LINUX_INIT_REPLACED_H
#define CORDON_LINUX_INIT_REPLACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Threads of which the next event tells what their last rename replaced, if anything. */
struct replaced {
    int32_t *threads;
    size_t count, room;
};

/* False: out of memory. */
bool replaced_expect(struct replaced *replaced, int32_t thread);
/* Was it expected of @thread? Its next one is not. */
bool replaced_take(struct replaced *replaced, int32_t thread);

#endif
