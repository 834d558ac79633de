/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that group A does not ask about again: those that were allowed and that nobody but root can
 * write to, rename or move with a directory above. With the first change of its content the kernel
 * asks again about one; about all of them, once an event told that a name on the way to one
 * changed, or that one got a further name.
 *
 * The event is read after the change: EXEMPT_LULL_MS later if no other open is asked about. Until
 * then the job may open such a file again, and reads what a descriptor that it had kept would give
 * it as well: no rule takes an open descriptor away. For names that others than root change there
 * is no such time, so of their files none is exempt; nor is anything for root's own jobs.
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
    bool begun;                         /* else there are none, ever */
    unsigned count;                     /* 0: none now */
    uint64_t named[EXEMPT_BITS / 64];   /* by hash: names on the way to them */
    uint64_t objects[EXEMPT_BITS / 64]; /* ... and what they are */
    struct usual *usual;                /* NULL: nobody keeps it */
};

/* Of a guard, while it still has INIT_FD_USUAL. */
void exempt_begin(struct names *names);
/*
 * @fd, called @name, was allowed; @st is what it was when it got that name. It is exempt from here
 * on if it may be. @usual: a command opened it, so one of a later job may.
 */
void exempt_take(struct names *names, int fd, const struct strbuf *name, const struct stat *st,
                 bool usual);
/* What earlier jobs opened, from *at on, which begins as 0. False: no more. */
bool exempt_usual(const struct names *names, unsigned *at, char ret_path[USUAL_PATH_MAX + 1]);
/* None is exempt any more if @event may concern one. False: that could not be told the kernel. */
bool exempt_hear(struct names *names, const struct batch_event *event);
/* The same if @object, which is denied from here on, may be one. */
bool exempt_denied(struct names *names, const struct object *object);

#endif
