/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that group A does not ask about again: those that were allowed and that nobody but root can
 * write to, rename or move with a directory above, as they were then. With the first write(2) to
 * one the kernel asks again about that; about all of them, once an event told that one, or a
 * directory called like one on the way to one, was renamed, or that one got a further name or is
 * denied.
 *
 * The event is read after the change: EXEMPT_LULL_MS later if no open is asked about, sooner or
 * later if some are. Until then the job may open such a file again, and reads what a descriptor
 * that it had kept would give it as well: no rule takes an open descriptor away. So would one that
 * it got the moment it began, which is after all that was queued by then was read. What others than
 * root can rename is always asked about, so that for their names there is no such time, and for
 * root's own jobs nothing is exempt.
 */
#ifndef CORDON_LINUX_INIT_EXEMPT_H
#define CORDON_LINUX_INIT_EXEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "platform/base/strbuf.h"
#include "platform/linux/init/batch.h"
#include "platform/linux/usual.h"

#define EXEMPT_LULL_MS 20
#define EXEMPT_BITS 16384U

struct names;

struct exempt {
    bool may;                           /* else there will be no more */
    unsigned count;                     /* marked since the last time that none was; 0: none is */
    uint64_t named[EXEMPT_BITS / 64];   /* by hash: names on the way to them */
    uint64_t objects[EXEMPT_BITS / 64]; /* ... and what they are */
    struct usual *usual;                /* NULL: nobody keeps it */
};

/* Of a guard, while it still has INIT_FD_USUAL. */
void exempt_begin(struct names *names);
/*
 * @fd, called @name, was allowed; @st is what it was when it got that name. It is exempt from here
 * on if it may be. @is_asked: a command opened it, so one of a later job may.
 */
void exempt_take(struct names *names, int fd, const struct strbuf *name, const struct stat *st,
                 bool is_asked);
/* What earlier jobs opened, from *at on, which begins as 0. False: no more. */
bool exempt_usual(const struct names *names, unsigned *at, char ret_path[USUAL_PATH_MAX + 1]);
/* None is exempt any more if @event may concern one. False: that could not be told the kernel. */
bool exempt_hear(struct names *names, const struct batch_event *event);
/* The same if @object, which is denied from here on, may be one. */
bool exempt_denied(struct names *names, const struct object *object);

#endif
