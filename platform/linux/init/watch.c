/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/names.h"

#include <errno.h>
#include <linux/fanotify.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"
#include "platform/linux/without.h"

/* An execution is asked about as the open that it is; FAN_OPEN_EXEC_PERM would ask twice. */
#define DECIDE_MASK (FAN_OPEN_PERM | FAN_ONDIR)
#define GROUP_WAIT_MS 10
#define GROUP_TRIES 1000
/* The last two: see replaced.h. */
#define EVENTS_MASK (FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR | FAN_ATTRIB | FAN_MOVE_SELF)

enum cordon_err watch_prepare(struct init *init)
{
    init->clone = -1;
    init->guard_ready = -1;
    if (!order_watches(init->order)) {
        return CORDON_OK;
    }
    init->clone = watch_raise_fd(
        sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (init->clone < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot copy the host's tree");
    }
    return CORDON_OK;
}

static bool groups_try(struct watch *watch)
{
    watch->decide = watch_raise_fd(sys_fanotify_init(
        FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
        O_RDONLY | O_CLOEXEC | O_LARGEFILE | O_NONBLOCK | O_NOATIME));
    if (watch->decide < 0) {
        return false;
    }
    watch->events = watch_raise_fd(
        sys_fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE |
                              FAN_UNLIMITED_MARKS | FAN_REPORT_DFID_NAME_TARGET | FAN_REPORT_TID,
                          O_RDONLY | O_CLOEXEC));
    return watch->events >= 0;
}

/* Where root may have no more groups, those of other jobs are soon free: wait, and hold none. */
static enum cordon_err groups_open(struct watch *watch)
{
    struct timespec wait = {.tv_nsec = GROUP_WAIT_MS * 1000000L};
    bool room = groups_try(watch);

    for (int tries = 0; !room && errno == EMFILE && tries < GROUP_TRIES; tries++) {
        if (watch->decide >= 0) {
            (void)close(watch->decide);
        }
        (void)nanosleep(&wait, NULL);
        room = groups_try(watch);
    }
    if (!room) {
        return fault_os(&watch->init->fault, errno,
                        errno == EMFILE ? "end some jobs, or raise user.max_fanotify_groups" : NULL,
                        "cannot watch accesses");
    }
    return CORDON_OK;
}

/* What the guard names files by. */
static enum cordon_err names_open(struct watch *watch)
{
    int context = sys_fsopen("proc");

    if (context >= 0 && sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) == 0) {
        watch->proc = watch_raise_fd(sys_fsmount(context, 0));
    }
    if (context >= 0) {
        (void)close(context);
    }
    watch->root = watch_raise_fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (watch->proc < 0 || watch->root < 0) {
        return fault_os(&watch->init->fault, errno, NULL, "cannot mount a /proc for the guard");
    }
    return CORDON_OK;
}

/* ---- marks ---- */

static enum cordon_err mark_failed(struct watch *watch, const struct mount_entry *mount)
{
    return fault_os(&watch->init->fault, errno,
                    "unmount it, or keep the policy's patterns away from that file system",
                    "denials cannot be decided at access time on %s", mount->path);
}

static int mark(int group, unsigned kind, uint64_t mask, int fd)
{
    char link[64];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return sys_fanotify_mark_at(group, FAN_MARK_ADD | kind, mask, link);
}

/* No handles; no number of its own; a sub-volume, before Linux 6.8. See fanotify_mark(2). */
static bool is_nameless(int code)
{
    return code == EOPNOTSUPP || code == ENODEV || code == EXDEV;
}

/* Every name of what is at and below @mount. */
static enum cordon_err mount_scan(struct watch *watch, const struct mount_entry *mount)
{
    const struct alias_list *aliases = &watch->init->aliases;
    static struct strbuf spelled = STRBUF_INIT;
    enum cordon_err err = scan_place(watch->init, mount->path, mount->path);

    watch->init->scanned = true;
    for (size_t i = 0; err == CORDON_OK && i < aliases->count + watch->prefix_count; i++) {
        bool link = i >= aliases->count;
        const struct watch_prefix *prefix = link ? &watch->prefixes[i - aliases->count] : NULL;
        const char *real = link ? prefix->real : aliases->items[i].real;
        const char *other = link ? prefix->spelled : aliases->items[i].spelled;

        if (path_is_below(mount->path, real)) {
            path_move(mount->path, real, other, &spelled);
            err = spelled.failed ? fault_set(&watch->init->fault, CORDON_E_NOMEM, NULL, "no memory")
                                 : scan_place(watch->init, mount->path, spelled.data);
        } else if (path_is_below(real, mount->path)) {
            err = scan_place(watch->init, real, other);
        }
    }
    return err;
}

/*
 * Names on @mount are told of, if its file system can. Where it cannot and the job may
 * rename, what matches at the start is masked as well.
 */
static enum cordon_err mount_names(struct watch *watch, struct mount_entry *mount)
{
    int fd = mount_open(mount);
    int code;

    if (fd < 0 && errno != ENOENT) {
        return mark_failed(watch, mount);
    }
    mount->watched = fd >= 0;
    if (fd < 0 || mount->unwritten) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return CORDON_OK;
    }
    if (!mount->nameless) {
        code = mark(watch->events, FAN_MARK_FILESYSTEM, EVENTS_MASK, fd) == 0 ? 0 : errno;
        mount->nameless = is_nameless(code);
        if (code != 0 && !mount->nameless) {
            errno = code;
            return mark_failed(watch, mount);
        }
    }
    (void)close(fd);
    if (!mount->nameless || mount->read_only) {
        return CORDON_OK;
    }
    if ((watch->init->order->flags & ORDER_MINIMUM_KERNEL) != 0) {
        return fault_set(&watch->init->fault, CORDON_E_UNSUPPORTED,
                         "set minimum_enforcement = \"snapshot\" to accept that",
                         "the file system of %s does not tell of renames: rules hold at level "
                         "snapshot there, and level kernel is required",
                         mount->path);
    }
    return mount_scan(watch, mount);
}

/* The last of all opens on it that nobody answers. */
static enum cordon_err mount_mark(struct watch *watch, struct mount_entry *mount)
{
    int fd = mount_open(mount);
    enum cordon_err err = CORDON_OK;

    if (fd < 0) {
        return errno == ENOENT ? CORDON_OK : mark_failed(watch, mount);
    }
    if (mark(watch->decide, FAN_MARK_MOUNT, DECIDE_MASK, fd) != 0) {
        /* A user's own server that refuses root: nobody could decide there. */
        err = errno == EACCES && mount->nameless ? mask_mount(watch->init, fd)
                                                 : mark_failed(watch, mount);
        mount->watched = false;
    }
    (void)close(fd);
    return err;
}

static enum cordon_err mounts_each(struct watch *watch,
                                   enum cordon_err (*act)(struct watch *, struct mount_entry *))
{
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < watch->mounts.count; i++) {
        if (watch->mounts.mounts[i].watched) {
            err = act(watch, &watch->mounts.mounts[i]);
        }
    }
    return err;
}

/* What only the view has is nothing of a rule's. */
static void leave_private(struct watch *watch)
{
    for (size_t i = 0; i < watch->mounts.count; i++) {
        struct mount_entry *mount = &watch->mounts.mounts[i];

        mount->watched = mount->watched && !view_is_private(watch->init, mount->dev);
    }
}

/* Groups, marks and a guard who answers. */
static enum cordon_err guard_prepare(struct watch *watch)
{
    struct init *init = watch->init;
    struct names names = {.mount_count = 0};
    enum cordon_err err = groups_open(watch);

    if (err == CORDON_OK) {
        err = names_open(watch);
    }
    if (err == CORDON_OK) {
        err = mounts_each(watch, mount_names);
    }
    if (err == CORDON_OK) {
        err = mounts_each(watch, mount_mark);
    }
    if (err == CORDON_OK &&
        mark(watch->decide, FAN_MARK_FILESYSTEM, DECIDE_MASK, init->mask_dir) != 0) {
        err = fault_os(&init->fault, errno, NULL, "cannot watch the masks");
    }
    if (err == CORDON_OK) {
        err = names_init(&names, watch, &init->fault);
    }
    if (err == CORDON_OK) {
        err = guard_start(&names, watch);
    }
    names_close(&names);
    (void)close(watch->proc);
    (void)close(watch->root);
    /* The groups stay open: as long as pid 1 lives, so do they. */
    return err;
}

enum cordon_err watch_start(struct init *init)
{
    struct watch watch = {.init = init,
                          .decide = -1,
                          .events = -1,
                          .clone = init->clone,
                          .proc = -1,
                          .root = -1,
                          .life = -1,
                          .batch = -1,
                          .finish = -1,
                          .index = fcntl(INIT_FD_INDEX, F_DUPFD_CLOEXEC, WATCH_FD_BASE)};
    const bool program = init->order->slot != ORDER_NO_SLOT;
    enum cordon_err err;

    /* For the guard alone; the number stays taken until all of them are closed. */
    if (dup3(INIT_FD_TALLY, INIT_FD_INDEX, O_CLOEXEC) < 0 || watch.index < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot prepare the guard");
    }
    if (init->clone < 0 || without(program ? LAYER_BPF : LAYER_FANOTIFY)) {
        (void)close(watch.index);
        return CORDON_OK;
    }
    err = rules_find(&watch);
    leave_private(&watch);
    if (err == CORDON_OK) {
        err = program ? program_start(&watch) : guard_prepare(&watch);
    }
    (void)close(watch.index);
    (void)close(init->clone);
    return err;
}
