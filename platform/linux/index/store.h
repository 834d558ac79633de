/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of one file system's files with several of them, in memory: a name
 * is a directory's handle and a component, so that it holds however the
 * directories above are renamed; where those are is kept beside it. Pure.
 */
#ifndef CORDON_LINUX_INDEX_STORE_H
#define CORDON_LINUX_INDEX_STORE_H

#include "platform/base/strbuf.h"
#include "platform/linux/index/table.h"
#include "platform/linux/init/objects.h"

/* Lives as long as a name or another directory is in it, or until store_clear(). */
struct directory {
    struct node node;
    struct object key;
    struct directory *parent; /* NULL: `name` is its path from the file system's root */
    char *name;
    size_t refs;
    uint64_t waited; /* settle.c */
    bool moved;      /* an event says so, and nobody has looked yet where to */
};

struct file;
struct name {
    struct node node;
    struct directory *directory;
    struct file *file;
    struct name *other; /* the next of the same file */
    char text[];
};

struct file {
    struct node node;
    struct object key;
    struct name *names;
    size_t count;
    uint64_t links; /* as the file system counts them; settle.c */
    bool sure;      /* `names` is all of them */
    bool touched;   /* a name came, went or was looked at again */
};

struct store {
    struct table directories, names, files;
    uint64_t changes; /* grows with each */
    size_t unsure;    /* files that may be */
};

struct directory *store_directory(const struct store *store, const struct object *key);
/* Added, or moved if it is there. NULL: out of memory. */
struct directory *store_directory_put(struct store *store, const struct object *key,
                                      struct directory *parent, const char *name);
struct name *store_name(const struct store *store, const struct directory *directory,
                        const char *text);
struct file *store_file(const struct store *store, const struct object *key);
/* That name is @key's and nobody else's. A file that is new is not `sure`. NULL: out of memory. */
struct file *store_name_put(struct store *store, struct directory *directory, const char *text,
                            const struct object *key);
void store_name_drop(struct store *store, struct name *name);
/* From the file system's root. False: out of memory, or directories lie in each other. */
bool store_path(const struct name *name, struct strbuf *ret_path);
/* Every file with more than one name, as wire.h has it. False: as above. */
bool store_write(const struct store *store, struct strbuf *out);
void store_clear(struct store *store);

#endif
