/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that a start-time walk need not read again: there was neither a match of the caller's
 * own rules in them nor a directory to go on to, and they are as they were. Whatever changes the
 * names in a directory gives it the time of that moment (its ctime), which nobody can set, or
 * another size; that is believed of file systems where it is known to hold (fstype.h). What changed
 * shortly before it was read is not kept, since the next change may come in the same tick of the
 * clock, or in the same second of an old ext4.
 *
 * Kept by the broker (barren_keep.h), which signs it. What a managed rule denies does not rest on
 * it: the caller could sign anything.
 */
#ifndef CORDON_LINUX_INIT_BARREN_H
#define CORDON_LINUX_INIT_BARREN_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/linux/barren_place.h"
#include "platform/linux/init/sys.h"

struct barren; /* what was kept, and what of it still holds */

/* One thread's; zero: empty. */
struct barren_list {
    struct barren_place *places;
    size_t count, room;
};

/* From INIT_FD_KEPT and for INIT_FD_FOUND, which numbers lead elsewhere then; NULL: nothing is
 * kept. */
struct barren *barren_begin(void);
/* Tells what is to be kept, if that is worth it and the walks are @done; lets it go. */
void barren_end(struct barren *barren, bool done);

/* The directory @fd lies where times can be believed. */
bool barren_tells(int fd);
/* There is something to be asked for. */
bool barren_any(const struct barren *barren);
/* What is at @place was looked at with the same result, and is as it was. @pos: of the caller's own
 * table, at the end of its name. */
bool barren_has(struct barren *barren, const struct dfa_pos *pos, const struct sys_place *place);
/* There is nothing in the directory that @place was of before it was read. */
void barren_found(const struct barren *barren, struct barren_list *list, const struct dfa_pos *pos,
                  const struct sys_place *place);
/* Takes what is in @list over. */
void barren_join(struct barren *barren, struct barren_list *list);

#endif
