/* SPDX-License-Identifier: Apache-2.0 */
/* Every name that something has in the view, or has had since the events before. */
#ifndef CORDON_LINUX_INIT_SPELLED_H
#define CORDON_LINUX_INIT_SPELLED_H

#include "platform/linux/init/names.h"

struct spelled_path {
    struct strbuf text;
    const struct names_mount *mount;
};

/* Below a former name of a directory above, from the file system's root; "": nobody can tell. */
struct spelled_former {
    struct strbuf text;
    bool is_earlier; /* an earlier job moved that directory */
};

/* A place that nobody can name any more counts as denied; one outside the view as none. */
struct spelled {
    const struct names *names;
    uint64_t fsid;
    const char *name;
    struct spelled_path *paths;
    size_t count, room;
    struct spelled_former *formers; /* not judged */
    size_t former_count, former_room;
    bool overflow;      /* of those there are too many */
    bool denied;        /* one of the paths is, or nobody can tell */
    bool lost, outside; /* one of the places */
    bool failed;        /* out of memory */
};

/* Of @name in a directory; "": of that itself. @spelled is used again. False: out of memory. */
bool spelled_find(struct names *names, uint64_t fsid, const struct object *directory,
                  const char *name, struct spelled *spelled);

#endif
