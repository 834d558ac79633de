/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions by the kernel's program: what it must know of this job before its
 * command starts. The program goes by the names of directories up to the top of
 * their file system; from here it learns which names that top, and the root of
 * every bind mount, has on the host. From then on it follows by itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/bpf/call.h"
#include "platform/linux/bpf/place.h"
#include "platform/linux/bpf/shape.h"
#include "platform/linux/init/index_ask.h"
#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"
#include "policy/dfa_format.h"
#include "policy/types.h"

_Static_assert(SHAPE_ACCESS_DENY == ACCESS_DENY, "as the kernel's program has it");
_Static_assert(SHAPE_SETS == ORDER_SET_COUNT, "as the kernel's program has it");
_Static_assert(SHAPE_LANES == ORDER_SET_COUNT * DFA_PARTS, "as the kernel's program has it");
_Static_assert(sizeof(struct dfa_state) == 16 && sizeof(struct dfa_cell) == 8,
               "the kernel's program walks these");

struct program {
    bool used[ORDER_SET_COUNT]; /* the set denies something */
    const struct watch *watch;
    struct init *init;
    struct shape_job *jobs; /* all of them, mapped; ours is at the order's slot */
    struct shape_job *job;
};

/* ---- tables ---- */

static bool denies(const struct init *init, uint32_t set)
{
    const uint8_t *access = order_access(init->order, set);

    for (uint32_t i = 0; i < init->order->rule_count[set]; i++) {
        if (access[i] == ACCESS_DENY) {
            return true;
        }
    }
    return false;
}

/* Parts of @set that the program walks. */
static uint32_t parts_of(const struct program *program, uint32_t set)
{
    const struct dfa *table = program->init->table[set];
    uint32_t count = 0;

    while (program->used[set] && count < DFA_PARTS && table->part[count].states > 0) {
        count++;
    }
    return count;
}

/* Where the program finds the parts of both tables, as the supervisor laid them down. */
static void lanes_fill(struct program *program)
{
    const struct order_head *order = program->init->order;
    struct shape_job *job = program->job;

    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        const struct dfa *table = program->init->table[set];
        const uint32_t base = order->table[set];

        job->set[set].ranks = base + table->ranks_off / 8;
        job->set[set].access = base + (uint32_t)((table->size + 7) / 8);
        for (uint32_t i = 0; i < parts_of(program, set); i++) {
            const struct dfa_part *part = &table->part[i];
            const size_t classes = (size_t)((const char *)part->class_of - (const char *)table);

            job->lane[job->lane_count++] =
                (struct shape_lane){.states = base + part->states_off / 8,
                                    .cells = base + part->cells_off / 8,
                                    .classes = base + (uint32_t)classes / 8,
                                    .start = part->start,
                                    .set = set};
        }
    }
}

/* How far the tables of @sets have read @path. */
static struct shape_name name_of_path(const struct program *program, const char *path,
                                      uint32_t sets)
{
    const char *text = strcmp(path, "/") == 0 ? "" : path;
    struct shape_name name = {.sets = sets};
    uint32_t lane = 0;

    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        const struct dfa *table = program->init->table[set];
        struct dfa_pos pos;

        dfa_start(table, &pos);
        dfa_feed(table, &pos, text, strlen(text));
        name.covered[set] = pos.covered;
        for (uint32_t i = 0; i < parts_of(program, set); i++) {
            name.state[lane++] = pos.state[i];
        }
    }
    return name;
}

/* ---- places ---- */

static enum cordon_err place_tell(struct program *program, int fd, uint32_t flags,
                                  const struct shape_name *name)
{
    return place_register(program->job, fd, flags, name) == 0
               ? CORDON_OK
               : fault_os(&program->init->fault, errno, NULL,
                          "the kernel's program cannot be told of the job's files");
}

static int clone_open(const struct program *program, const char *path)
{
    return sys_openat2(program->watch->clone, path[1] == '\0' ? "." : path + 1, O_PATH | O_NOFOLLOW,
                       RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

/*
 * What the host has at @path; -1 with ENOENT: nothing, or nothing that can be reached. Some file
 * systems let root in less than their user.
 */
static int host_open(const struct program *program, const char *path)
{
    int fd = clone_open(program, path);

    if (fd < 0 && errno == EACCES) {
        int code;

        identity_as_caller(program->init);
        fd = clone_open(program, path);
        code = errno;
        identity_as_setup(program->init);
        errno = code;
    }
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP || errno == EACCES)) {
        errno = ENOENT;
    }
    return fd;
}

static enum cordon_err path_tell(struct program *program, const char *path, const char *spelled,
                                 uint32_t sets)
{
    const struct shape_name name = name_of_path(program, spelled, sets);
    int fd = host_open(program, path);
    enum cordon_err err;

    if (fd < 0) {
        return errno == ENOENT
                   ? CORDON_OK
                   : fault_os(&program->init->fault, errno, NULL, "cannot open %s", path);
    }
    err = place_tell(program, fd, 0, &name);
    (void)close(fd);
    return err;
}

static enum cordon_err host_tell(struct program *program)
{
    const struct mount_table *host = &program->init->host;
    const uint32_t both = 1U << ORDER_SET_OWN | 1U << ORDER_SET_MANAGED;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < host->count; i++) {
        err = path_tell(program, host->mounts[i].path, host->mounts[i].path, both);
    }
    return err;
}

/* Directories that a rule names by way of a symbolic link. */
static enum cordon_err links_tell(struct program *program)
{
    const struct watch *watch = program->watch;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < watch->prefix_count; i++) {
        const struct watch_prefix *prefix = &watch->prefixes[i];

        err = path_tell(program, prefix->real, prefix->spelled, 1U << prefix->set);
    }
    return err;
}

/* File systems of the job's own: no rule is about them, but for the masks, which are denied. */
static enum cordon_err private_tell(struct program *program)
{
    const struct mount_table *mounts = &program->watch->mounts;
    const int masks[] = {program->init->mask_dir, program->init->mask_file};
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < mounts->count; i++) {
        const struct mount_entry *mount = &mounts->mounts[i];
        int fd = view_is_private(program->init, mount->dev) ? mount_open(mount) : -1;

        if (fd >= 0) {
            err = place_tell(program, fd, SHAPE_PRIVATE, NULL);
            (void)close(fd);
        }
    }
    for (size_t i = 0; err == CORDON_OK && i < sizeof(masks) / sizeof(masks[0]); i++) {
        err = masks[i] < 0 ? CORDON_OK : place_tell(program, masks[i], SHAPE_DENIED, NULL);
    }
    return err;
}

/* Sockets of the host that the policy lists. */
static enum cordon_err sockets_tell(struct program *program)
{
    const struct order_head *order = program->init->order;
    const struct order_step *steps = order_steps(order);
    enum cordon_err err = CORDON_OK;

    for (uint32_t i = 0; err == CORDON_OK && i < order->step_count; i++) {
        int fd =
            steps[i].op != ORDER_SOCKET ? -1 : host_open(program, order_text(order, steps[i].text));
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == steps[i].ino &&
            st.st_dev == steps[i].dev) {
            err = place_tell(program, fd, SHAPE_SOCKET, NULL);
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return err;
}

/* ---- files that had several names before the job ---- */

/* One object of the index, and its names, each with its NUL. */
struct linked {
    struct program *program;
    struct object object;
    struct strbuf paths;
    bool denied, failed;
};

/* The first name that still leads to it will do; what none leads to, nobody in the job reaches. */
static void linked_end(struct linked *linked)
{
    const char *end = linked->paths.data + linked->paths.len;
    bool told = false;

    for (const char *path = linked->paths.data; linked->denied && !told && path < end;
         path += strlen(path) + 1) {
        struct object object;
        int fd = host_open(linked->program, path);

        if (fd >= 0 && object_of(fd, "", &object) && object_same(&object, &linked->object)) {
            told = place_tell(linked->program, fd, SHAPE_DENIED, NULL) == CORDON_OK;
            linked->failed = linked->failed || !told;
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    linked->paths.len = 0;
    linked->denied = false;
}

static bool linked_take(void *context, const struct object *object, const char *path)
{
    struct linked *linked = context;

    if (linked->paths.len > 0 && !object_same(object, &linked->object)) {
        linked_end(linked);
    }
    linked->object = *object;
    strbuf_add(&linked->paths, path, strlen(path) + 1);
    linked->denied =
        linked->denied || verdict_by_name(linked->program->watch, path, strlen(path)).denied;
    return !linked->paths.failed && !linked->failed;
}

/* A walk finds every denied file; those with one name are denied by that. */
static bool walked_take(void *context, int dir, const char *name)
{
    struct program *program = context;
    struct stat st;
    bool told = true;
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT || errno == ESTALE;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1) {
        told = place_tell(program, fd, SHAPE_DENIED, NULL) == CORDON_OK;
    }
    (void)close(fd);
    return told;
}

static enum cordon_err older_on(struct program *program, uint64_t dev)
{
    struct linked linked = {.program = program, .paths = STRBUF_INIT};
    const struct index_question question = {.socket = program->watch->index,
                                            .dev = dev,
                                            .host = &program->init->host,
                                            .take = linked_take,
                                            .context = &linked};
    struct names names = {.watch = program->watch, .found = walked_take, .context = program};
    uint64_t build_us;
    bool ok = index_ask(&question, &build_us) == CORDON_OK;

    if (ok) {
        linked_end(&linked);
        ok = !linked.failed;
    } else if (!linked.failed) {
        ok = walk_device(&names, dev);
    }
    strbuf_deinit(&linked.paths);
    return ok ? CORDON_OK
              : fault_set(&program->init->fault, CORDON_E_OS, NULL,
                          "cannot find out which files have several names");
}

/* On every file system that a rule may be about. */
static enum cordon_err older_tell(struct program *program)
{
    const struct mount_table *mounts = &program->watch->mounts;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < mounts->count; i++) {
        const struct mount_entry *mount = &mounts->mounts[i];
        bool asked = !mount->watched || mount->unwritten || mount->nameless;

        for (size_t k = 0; !asked && k < i; k++) {
            asked = mounts->mounts[k].watched && mounts->mounts[k].dev == mount->dev;
        }
        if (!asked) {
            err = older_on(program, mount->dev);
        }
    }
    return err;
}

/* ---- the job ---- */

static enum cordon_err program_join(struct program *program)
{
    const struct order_head *order = program->init->order;
    const size_t size = sizeof(struct shape_job) * SHAPE_JOBS;
    struct shape_job *jobs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, INIT_FD_JOBS, 0);
    struct stat st;
    uint32_t tag;

    if (jobs == MAP_FAILED || order->slot >= SHAPE_JOBS || stat("/proc/self/ns/pid", &st) != 0) {
        return fault_os(&program->init->fault, errno, NULL,
                        "the kernel's program cannot be reached");
    }
    tag = (uint32_t)st.st_ino;
    program->jobs = jobs;
    program->job = &jobs[order->slot];
    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        program->used[set] = denies(program->init, set);
    }
    lanes_fill(program);
    program->job->flags =
        ((order->flags & ORDER_NET_HOST) == 0 ? (uint32_t)SHAPE_NET_OWN : 0) |
        ((order->flags & ORDER_FULL_ACCESS) != 0 ? (uint32_t)SHAPE_USER_NAMESPACES : 0);
    __atomic_store_n(&program->job->state, (uint32_t)SHAPE_SETTING, __ATOMIC_RELEASE);
    return sys_bpf_update(INIT_FD_TAGS, &tag, &order->slot) == 0
               ? CORDON_OK
               : fault_os(&program->init->fault, errno, NULL,
                          "the kernel's program cannot be told of the job");
}

/* The number stays taken until all of them are closed. */
static void give_up(int fd)
{
    if (dup3(INIT_FD_VIOLATIONS, fd, O_CLOEXEC) < 0) {
        (void)close(fd);
    }
}

enum cordon_err program_start(const struct watch *watch)
{
    static enum cordon_err (*const parts[])(struct program *) = {
        program_join, host_tell, links_tell, private_tell, sockets_tell, older_tell};
    struct program program = {.watch = watch, .init = watch->init};
    uint32_t setting = SHAPE_SETTING;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        err = parts[i](&program);
    }
    /* Not if something could not be remembered meanwhile. */
    if (err == CORDON_OK &&
        !__atomic_compare_exchange_n(&program.job->state, &setting, (uint32_t)SHAPE_ACTIVE, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        err = fault_set(&program.init->fault, CORDON_E_STATE, "try again",
                        "the kernel's program could not follow what was renamed meanwhile");
    }
    if (program.jobs != NULL && program.init->ahead) {
        program.init->epoch = &program.job->epoch;
    } else if (program.jobs != NULL) {
        (void)munmap(program.jobs, sizeof(struct shape_job) * SHAPE_JOBS);
    }
    give_up(INIT_FD_TAGS);
    give_up(INIT_FD_JOBS);
    return err;
}
