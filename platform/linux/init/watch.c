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

#define DECIDE_MASK (FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM | FAN_ONDIR)
#define GROUP_WAIT_MS 10
#define GROUP_TRIES 1000
/* The last two: see replaced.h. */
#define EVENTS_MASK (FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR | FAN_ATTRIB | FAN_MOVE_SELF)

static bool is_wanted(const struct init *init)
{
    const struct order_step *steps = order_steps(init->order);

    for (uint32_t i = 0; i < init->order->step_count; i++) {
        if (steps[i].op == ORDER_WATCH) {
            return true;
        }
    }
    return false;
}

int watch_raise_fd(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, WATCH_FD_BASE);

    if (fd >= 0) {
        (void)close(fd);
    }
    return high;
}

enum cordon_err watch_prepare(struct init *init)
{
    init->clone = -1;
    init->guard_ready = -1;
    if (!is_wanted(init)) {
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

/* ---- prefixes ---- */

/*
 * A rule may name what is not there, or where the caller reaches nothing: then
 * what counts is the last directory above that is. Rules come in order, so most
 * of the way is that of the rule before.
 */
struct reached {
    uint32_t set;
    char there[PATH_MAX];   /* as spelled: it exists */
    char missing[PATH_MAX]; /* one component more: it does not; "": no such */
};

/* Bytes of @text that lead to the same as those of @there, which exists. */
static size_t common_len(const char *text, const char *there)
{
    size_t len = 0;

    for (size_t i = 0;; i++) {
        if ((text[i] == '/' || text[i] == '\0') && (there[i] == '/' || there[i] == '\0')) {
            len = i;
        }
        if (text[i] != there[i] || text[i] == '\0') {
            return len;
        }
    }
}

/* Goes as far along @text as there is something. False: not even the root can be opened. */
static bool reach(struct reached *at, const char *text, uint32_t set)
{
    size_t len = common_len(text, at->there);
    bool found = len > 0;

    at->set = set;
    at->missing[0] = '\0';
    while (text[len] != '\0' && at->missing[0] == '\0') {
        size_t next = len + 1 + strcspn(text + len + 1, "/");
        int fd;

        if (next >= PATH_MAX) {
            break;
        }
        (void)snprintf(at->missing, PATH_MAX, "%.*s", (int)next, text);
        fd = sys_openat2(AT_FDCWD, at->missing, O_PATH, RESOLVE_NO_MAGICLINKS);
        if (fd >= 0) {
            (void)close(fd);
            at->missing[0] = '\0';
            len = next;
            found = true;
        }
    }
    (void)snprintf(at->there, PATH_MAX, "%.*s", (int)(len < 2 ? 1 : len), text);
    return found || at->missing[0] != '\0';
}

static bool prefix_is_there(const struct watch *watch, const struct reached *at)
{
    for (size_t i = watch->prefix_count; i-- > 0;) {
        if (watch->prefixes[i].set == at->set &&
            strcmp(watch->prefixes[i].spelled, at->there) == 0) {
            return true;
        }
    }
    return false;
}

static enum cordon_err prefix_add(struct watch *watch, const struct order_step *step,
                                  struct reached *at)
{
    struct watch_prefix *prefix = &watch->prefixes[watch->prefix_count];
    struct init *init = watch->init;
    const char *text = order_text(init->order, step->text);
    char real[PATH_MAX];
    bool named = false;
    int fd;

    if (at->missing[0] != '\0' && at->set == step->set && path_is_below(text, at->missing)) {
        return CORDON_OK;
    }
    named = reach(at, text, step->set) && prefix_is_there(watch, at);
    if (at->missing[0] != '\0' && park_note(init, step->set, at->missing, true) != CORDON_OK) {
        return init->fault.err;
    }
    if (named) {
        return CORDON_OK;
    }
    if (park_note(init, step->set, at->there, true) != CORDON_OK) {
        return init->fault.err;
    }
    fd = sys_openat2(AT_FDCWD, at->there, O_PATH, RESOLVE_NO_MAGICLINKS);
    if (fd >= 0) {
        named = view_name(init, fd, real, sizeof(real)) == CORDON_OK;
        (void)close(fd);
    }
    if (!named) {
        return fault_set(&init->fault, CORDON_E_OS, NULL, "cannot name the directory of a rule");
    }
    *prefix = (struct watch_prefix){strdup(real), strdup(at->there), step->set};
    if (prefix->real == NULL || prefix->spelled == NULL) {
        return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "rules: out of memory");
    }
    watch->prefix_count++;
    return CORDON_OK;
}

static enum cordon_err prefixes_find(struct watch *watch)
{
    const struct order_step *steps = order_steps(watch->init->order);
    static struct reached at;
    enum cordon_err err = CORDON_OK;

    watch->prefixes = calloc(watch->init->order->step_count, sizeof(*watch->prefixes));
    if (watch->prefixes == NULL) {
        return fault_set(&watch->init->fault, CORDON_E_NOMEM, NULL, "rules: out of memory");
    }
    identity_as_caller(watch->init);
    for (uint32_t i = 0; err == CORDON_OK && i < watch->init->order->step_count; i++) {
        if (steps[i].op == ORDER_WATCH) {
            err = prefix_add(watch, &steps[i], &at);
        }
    }
    identity_as_setup(watch->init);
    return err;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "/a" sorts before "/a-b" and "/a/b": the last one kept is not always the one above. */
static bool is_covered(const struct watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->root_count; i++) {
        if (path_is_below(path, watch->roots[i])) {
            return true;
        }
    }
    return false;
}

static enum cordon_err roots_find(struct watch *watch)
{
    const char **all = calloc(watch->prefix_count + 1, sizeof(*all));

    if (all == NULL) {
        return fault_set(&watch->init->fault, CORDON_E_NOMEM, NULL, "rules: out of memory");
    }
    for (size_t i = 0; i < watch->prefix_count; i++) {
        all[i] = watch->prefixes[i].real;
    }
    qsort(all, watch->prefix_count, sizeof(*all), compare_text);
    watch->roots = all;
    for (size_t i = 0; i < watch->prefix_count; i++) {
        if (!is_covered(watch, all[i])) {
            all[watch->root_count++] = all[i];
        }
    }
    return CORDON_OK;
}

/* From here on only the spellings that differ matter. */
static void prefixes_reduce(struct watch *watch)
{
    size_t kept = 0;

    for (size_t i = 0; i < watch->prefix_count; i++) {
        if (strcmp(watch->prefixes[i].real, watch->prefixes[i].spelled) != 0) {
            watch->prefixes[kept++] = watch->prefixes[i];
        }
    }
    watch->prefix_count = kept;
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

/* Chosen by the host's table: a rule may name a directory that the view shows elsewhere only. */
static void choose(struct watch *watch)
{
    struct mount_table *mounts = &watch->mounts;

    for (size_t i = 0; i < watch->prefix_count; i++) {
        mounts_choose(&watch->init->host, watch->prefixes[i].real);
    }
    mounts_choose_same(mounts, &watch->init->host);
    for (size_t i = 0; i < mounts->count; i++) {
        struct mount_entry *mount = &mounts->mounts[i];

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
                          .index = fcntl(INIT_FD_INDEX, F_DUPFD_CLOEXEC, WATCH_FD_BASE)};
    const bool program = init->order->slot != ORDER_NO_SLOT;
    enum cordon_err err;

    /* For the guard alone; the number stays taken until all of them are closed. */
    if (dup2(INIT_FD_TALLY, INIT_FD_INDEX) < 0 || watch.index < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot prepare the guard");
    }
    if (init->clone < 0 || without(program ? LAYER_BPF : LAYER_FANOTIFY)) {
        (void)close(watch.index);
        return CORDON_OK;
    }
    err = prefixes_find(&watch);
    if (err == CORDON_OK) {
        err = mounts_read(&watch.mounts, &init->fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    choose(&watch);
    err = roots_find(&watch);
    prefixes_reduce(&watch);
    if (err == CORDON_OK) {
        err = program ? program_start(&watch) : guard_prepare(&watch);
    }
    (void)close(watch.index);
    (void)close(init->clone);
    return err;
}
