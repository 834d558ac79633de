/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bind mounts of the host give directories further names. Rules are about
 * names, so each name of an object in the job's view is judged together with
 * those that the host has for it elsewhere, in the view or not.
 */
#ifndef CORDON_LINUX_INIT_ALIAS_H
#define CORDON_LINUX_INIT_ALIAS_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/err.h"
#include "platform/base/strbuf.h"
#include "platform/linux/init/mounts.h"

/* What is at and below @real is what the host has at and below @spelled. */
struct alias {
    char *real, *spelled;
};

struct alias_list {
    struct alias *items;
    size_t count;
};

/* Those of the mounts that nothing covers. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err alias_find(const struct mount_table *table,
                                           struct alias_list *ret_list, struct cordon_fault *fault);

/* Where @alias shows what the host has at @path, or a part of what it has below that. */
bool alias_move(const struct alias *alias, const char *path, struct strbuf *ret_path);

/* By components; a path is below itself, and everything is below "/". */
bool path_is_below(const char *path, const char *above);
/* @path, which is below @from, below @to instead. */
void path_move(const char *path, const char *from, const char *to, struct strbuf *ret_path);

#endif
