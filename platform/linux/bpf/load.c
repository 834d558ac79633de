/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordon-bpf [DIR]: loads the kernel's program, attaches it, proves that it is
 * asked and pins all of it in DIR, a folder on a bpf file system; without DIR
 * that was a trial. What DIR holds already is used if it is of this build, and
 * removed if not. One line on standard output says how it is attached, or why
 * not; exit status 0 or 1. A program of its own, so that libbpf and what it
 * reads (a few megabytes of type information) never stay with the broker.
 *
 * cordon-bpf --unload DIR: takes it out of the kernel. No job may run.
 *
 * First as programs of the BPF security module; if those are not called (its
 * name is missing in the kernel's list: they load, attach and are never asked),
 * as programs in front of the security_* functions. These the kernel skips
 * where one was interrupted on the same processor, so they are taken only where
 * no task is interrupted in the kernel.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "platform/linux/bpf/canary.h"
#include "platform/linux/bpf/deny_fmod.skel.h"
#include "platform/linux/bpf/deny_lsm.skel.h"
#include "platform/linux/bpf/shape.h"

#define LINKS_MAX 64U
#define CELLS_MAX (4U * 1024U * 1024U) /* 32 MiB of tables */
#define CELLS_MIN (512U * 1024U)
#define PREEMPT_VOLUNTARY 1U /* kernel/sched/core.c: none, voluntary, full, lazy */

enum way { WAY_LSM, WAY_FMOD_RET, WAY_COUNT };

static const char *const way_names[] = {[WAY_LSM] = "lsm", [WAY_FMOD_RET] = "fmod_ret"};

struct loaded {
    struct bpf_object *object;
    struct bpf_link *link[LINKS_MAX];
    size_t link_count;
};

static char reason[512];

static bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool fail(const char *format, ...)
{
    size_t len = strlen(reason);
    va_list arguments;

    /* The reasons of both ways, in turn. */
    if (len > 0 && len < sizeof(reason) - 3) {
        len += (size_t)snprintf(reason + len, sizeof(reason) - len, "; ");
    }
    va_start(arguments, format);
    (void)vsnprintf(reason + len, sizeof(reason) - len, format, arguments);
    va_end(arguments);
    return false;
}

static int map_of(const struct loaded *loaded, const char *name)
{
    return bpf_object__find_map_fd_by_name(loaded->object, name);
}

static int log_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
    if (getenv("CORDON_BPF_LOG") != NULL) {
        return vfprintf(stderr, format, arguments);
    }
    (void)level;
    return 0;
}

/* Does @function take a dentry first? */
static bool takes_dentry_first(const struct btf *btf, const char *function)
{
    int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
    const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

    type = type == NULL ? NULL : btf__type_by_id(btf, type->type);
    if (type == NULL || btf_vlen(type) == 0) {
        return false;
    }
    type = btf__type_by_id(btf, btf_params(type)[0].type);
    if (type == NULL || !btf_is_ptr(type)) {
        return false;
    }
    type = btf__type_by_id(btf, type->type);
    return type != NULL && strcmp(btf__name_by_offset(btf, type->name_off), "dentry") == 0;
}

static void leave_out(struct bpf_object *object, const char *program)
{
    (void)bpf_program__set_autoload(bpf_object__find_program_by_name(object, program), false);
}

/* Programs for what another kernel has. */
static bool choose(struct bpf_object *object, enum way way)
{
    static const char *const acls[] = {"on_inode_set_acl", "on_inode_get_acl",
                                       "on_inode_remove_acl"};
    struct btf *btf = btf__load_vmlinux_btf();
    const char *prefix = way == WAY_LSM ? "bpf_lsm_" : "security_";
    char name[64];

    if (btf == NULL) {
        return fail("the kernel tells no types (CONFIG_DEBUG_INFO_BTF)");
    }
    (void)snprintf(name, sizeof(name), "%sinode_setattr", prefix);
    leave_out(object, takes_dentry_first(btf, name) ? "on_inode_setattr_1" : "on_inode_setattr_0");
    /* Before Linux 6.2 access lists were extended attributes. */
    for (size_t i = 0; i < sizeof(acls) / sizeof(acls[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", prefix, acls[i] + sizeof("on_") - 1);
        if (btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) < 0) {
            leave_out(object, acls[i]);
        }
    }
    btf__free(btf);
    return true;
}

static uint32_t cells_wanted(void)
{
    struct sysinfo info;
    uint64_t cells = CELLS_MAX;

    if (sysinfo(&info) == 0) {
        cells = (uint64_t)info.totalram * info.mem_unit / 64 / sizeof(uint64_t);
    }
    if (cells > CELLS_MAX) {
        return CELLS_MAX;
    }
    return cells < CELLS_MIN ? CELLS_MIN : (uint32_t)cells;
}

static const void *elf_of(enum way way, size_t *ret_size)
{
    return way == WAY_LSM ? deny_lsm__elf_bytes(ret_size) : deny_fmod__elf_bytes(ret_size);
}

static bool load(struct loaded *loaded, enum way way)
{
    size_t size = 0;
    const void *bytes = elf_of(way, &size);
    struct bpf_map *cells;

    loaded->object = bpf_object__open_mem(bytes, size, NULL);
    if (loaded->object == NULL) {
        return fail("the program cannot be opened: %s", strerror(errno));
    }
    cells = bpf_object__find_map_by_name(loaded->object, "cells");
    if (cells == NULL || bpf_map__set_max_entries(cells, cells_wanted()) != 0) {
        return fail("the program is damaged");
    }
    if (!choose(loaded->object, way)) {
        return false;
    }
    if (bpf_object__load(loaded->object) != 0) {
        return fail("%s programs are refused: %s", way_names[way],
                    errno == ESRCH ? "the kernel has nothing to attach them to" : strerror(errno));
    }
    return true;
}

static void unload(struct loaded *loaded)
{
    for (size_t i = 0; i < loaded->link_count; i++) {
        (void)bpf_link__destroy(loaded->link[i]);
    }
    bpf_object__close(loaded->object);
    memset(loaded, 0, sizeof(*loaded));
}

/* What the kernel tells the program of itself. */
static bool ask(const struct loaded *loaded, struct shape_summary *ret_now)
{
    const struct bpf_program *program =
        bpf_object__find_program_by_name(loaded->object, "ask_kernel");
    const uint32_t zero = 0;
    LIBBPF_OPTS(bpf_test_run_opts, options);

    return program != NULL && bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0 &&
           bpf_map_lookup_elem(map_of(loaded, "summary"), &zero, ret_now) == 0;
}

/* True: a task may be interrupted in the kernel. */
static bool is_preemptible(const struct shape_summary *now)
{
    struct utsname name;

    if (now->preempt != SHAPE_NONE) {
        return now->preempt > PREEMPT_VOLUNTARY;
    }
    return uname(&name) != 0 || strstr(name.version, "PREEMPT") != NULL;
}

static bool attach(struct loaded *loaded)
{
    struct bpf_program *program;

    bpf_object__for_each_program(program, loaded->object)
    {
        if (!bpf_program__autoload(program) ||
            strcmp(bpf_program__name(program), "ask_kernel") == 0) {
            continue;
        }
        if (loaded->link_count == LINKS_MAX) {
            return fail("the program has too many parts");
        }
        loaded->link[loaded->link_count] = bpf_program__attach(program);
        if (loaded->link[loaded->link_count] == NULL) {
            return fail("%s cannot be attached: %s", bpf_program__name(program), strerror(errno));
        }
        loaded->link_count++;
    }
    return true;
}

/* Everything under its name in @folder. What is pinned works on when we end. */
static bool pin(struct loaded *loaded, const char *folder)
{
    struct bpf_map *map;
    char path[512];

    bpf_object__for_each_map(map, loaded->object)
    {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, bpf_map__name(map));
        if (strchr(bpf_map__name(map), '.') == NULL && bpf_map__pin(map, path) != 0) {
            return fail("%s: %s", path, strerror(errno));
        }
    }
    for (size_t i = 0; i < loaded->link_count; i++) {
        (void)snprintf(path, sizeof(path), "%s/link-%zu", folder, i);
        if (bpf_link__pin(loaded->link[i], path) != 0) {
            return fail("%s: %s", path, strerror(errno));
        }
    }
    return true;
}

/* ---- what is pinned ---- */

static bool folder_clear(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[512];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && unlink(path) != 0) {
            (void)closedir(dir);
            return fail("%s: %s", path, strerror(errno));
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return true;
}

static int pinned(const char *folder, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return bpf_obj_get(path);
}

/* Of the program and of this loader's way with it: FNV-1a. */
static uint64_t build_of(enum way way)
{
    uint64_t hash = 14695981039346656037ULL ^ SHAPE_VERSION ^ (uint64_t)way;
    size_t size = 0;
    const unsigned char *bytes = elf_of(way, &size);

    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211ULL;
    }
    return hash;
}

/* What a broker before us left in force goes on, if it still refuses. */
static bool reuse(const char *folder, enum way *ret_way)
{
    const uint32_t zero = 0;
    struct shape_summary now = {.way = 0};
    int summary = pinned(folder, "summary");
    bool same = summary >= 0 && bpf_map_lookup_elem(summary, &zero, &now) == 0 &&
                now.way < WAY_COUNT && now.complete && now.build == build_of((enum way)now.way);

    if (same) {
        const struct canary_maps maps = {pinned(folder, "tags"), pinned(folder, "jobs"),
                                         pinned(folder, "places"), summary};

        same = canary_fly(&maps) == NULL;
    }
    *ret_way = (enum way)now.way;
    return same;
}

/* This kernel has refused this build before: asking again would take the same seconds. */
static bool was_refused(const char *folder)
{
    const uint32_t zero = 0;
    struct shape_refusal refusal;
    int map = pinned(folder, SHAPE_REFUSED);
    bool same = map >= 0 && bpf_map_lookup_elem(map, &zero, &refusal) == 0 &&
                refusal.build == build_of(WAY_LSM);

    if (same) {
        refusal.reason[sizeof(refusal.reason) - 1] = '\0';
        (void)fail("%s", refusal.reason);
    }
    return same;
}

/* Kept until the next boot; without it, it is asked again. */
static void refusal_keep(const char *folder)
{
    struct shape_refusal refusal = {.build = build_of(WAY_LSM)};
    const uint32_t zero = 0;
    char path[512];
    int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "refused", sizeof(zero), sizeof(refusal), 1, NULL);

    (void)snprintf(refusal.reason, sizeof(refusal.reason), "%.240s", reason);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, SHAPE_REFUSED);
    if (map >= 0 && folder_clear(folder) && bpf_map_update_elem(map, &zero, &refusal, 0) == 0) {
        (void)bpf_obj_pin(map, path);
    }
}

/* The last of all: from here on it is whole. */
static bool seal(const struct loaded *loaded, enum way way)
{
    const int summary = map_of(loaded, "summary");
    const uint32_t zero = 0;
    struct shape_summary now;

    if (bpf_map_lookup_elem(summary, &zero, &now) != 0) {
        return fail("its state is lost");
    }
    now.way = way;
    now.build = build_of(way);
    now.complete = 1;
    return bpf_map_update_elem(summary, &zero, &now, BPF_ANY) == 0 || fail("its state is lost");
}

static bool try(struct loaded *loaded, enum way way)
{
    struct shape_summary now = {.preempt = 0};
    struct canary_maps maps;
    const char *why;

    if (!load(loaded, way)) {
        return false;
    }
    if (!ask(loaded, &now)) {
        return fail("%s: the kernel cannot be asked about itself", way_names[way]);
    }
    if (!now.renames_seen) {
        return fail("%s: the kernel's count of renames cannot be read (kernel.kptr_restrict=2?)",
                    way_names[way]);
    }
    if (way == WAY_FMOD_RET && is_preemptible(&now)) {
        return fail("the BPF security module is not in force (kernel parameter lsm=), and this "
                    "kernel interrupts itself (preempt=)");
    }
    if (!attach(loaded)) {
        return false;
    }
    maps = (struct canary_maps){map_of(loaded, "tags"), map_of(loaded, "jobs"),
                                map_of(loaded, "places"), map_of(loaded, "summary")};
    why = canary_fly(&maps);
    return why == NULL || fail("%s: %s", way_names[way], why);
}

static int report(bool good, enum way way)
{
    if (good) {
        (void)printf("%s, a canary was denied\n", way_names[way]);
    } else {
        (void)printf("%s\n", reason);
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *folder = argc == 2 ? argv[1] : NULL;
    struct loaded loaded = {.object = NULL};
    enum way way = WAY_LSM;

    (void)libbpf_set_print(log_nothing);
    if (argc == 3 && strcmp(argv[1], "--unload") == 0) {
        bool gone = folder_clear(argv[2]) && (rmdir(argv[2]) == 0 || errno == ENOENT ||
                                              fail("%s: %s", argv[2], strerror(errno)));

        (void)printf("%s\n", gone ? "unloaded" : reason);
        return gone ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (argc > 2) {
        (void)fprintf(stderr, "usage: cordon-bpf [DIR] | --unload DIR\n");
        return 2;
    }
    if (folder != NULL && reuse(folder, &way)) {
        return report(true, way);
    }
    if (folder != NULL && (was_refused(folder) || !folder_clear(folder))) {
        return report(false, way);
    }
    for (way = WAY_LSM; way < WAY_COUNT; way++) {
        if (try(&loaded, way) && (folder == NULL || (pin(&loaded, folder) && seal(&loaded, way)))) {
            return report(true, way);
        }
        unload(&loaded);
    }
    if (folder != NULL) {
        refusal_keep(folder);
    }
    return report(false, WAY_LSM);
}
