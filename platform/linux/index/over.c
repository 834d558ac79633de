/* SPDX-License-Identifier: Apache-2.0 */
/* Which former names need not be kept any more, asked of the file systems. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/index/former.h"
#include "platform/linux/index/kept.h"
#include "platform/linux/init/alias.h"
#include "platform/linux/init/sys.h"

/* The one that was asked about last. */
static struct kept *system_open(uint64_t dev)
{
    static struct kept system;

    if (system.root_count == 0 || system.dev != dev) {
        roots_close(&system);
        system.dev = dev;
        if (dev == 0 || !roots_open(&system)) {
            return NULL;
        }
    }
    return &system;
}

void former_systems_close(void)
{
    (void)system_open(0);
}

/* It has a name, or could get one again. */
static bool is_alive(const struct kept *system, const struct object *object)
{
    int fd = object_open(system->roots[0].fd, object, O_PATH);
    struct stat st;
    bool alive = fd >= 0 ? fstat(fd, &st) != 0 || st.st_nlink > 0 : errno != ESTALE;

    if (fd >= 0) {
        (void)close(fd);
    }
    return alive;
}

static bool has_name(const struct kept *system, const struct former *former)
{
    static struct strbuf below = STRBUF_INIT;
    struct object object;
    bool has = false;

    for (size_t i = 0; !has && i < system->root_count; i++) {
        const struct root *root = &system->roots[i];
        int fd = -1;

        if (path_is_below(former->path, root->path)) {
            path_move(former->path, root->path, ".", &below);
            fd = sys_openat2(root->fd, strbuf_text(&below), O_PATH | O_NOFOLLOW,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        }
        if (fd >= 0) {
            has = object_of(fd, "", &object) && object_same(&object, &former->object);
            (void)close(fd);
        }
    }
    return has;
}

bool former_is_over(const struct former *former)
{
    const struct kept *system = system_open(former->dev);

    return system != NULL && (!is_alive(system, &former->object) ||
                              (former->path[0] != '\0' && has_name(system, former)));
}
