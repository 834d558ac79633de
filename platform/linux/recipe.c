/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/blank.h"
#include "platform/linux/index_start.h"
#include "platform/linux/usual.h"

#define TABLE_COMPARED_MAX (1024U * 1024U) /* bytes; larger ones count as different */

/* ---- what is asked for ---- */

static enum cordon_err file_of(int fd, uint64_t *ret_dev, uint64_t *ret_ino,
                               struct cordon_fault *fault)
{
    struct stat st;

    /* Nothing but memory is asked: a file's server need not answer. */
    if (fcntl(fd, F_GET_SEALS) < 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: not a sealed memfd");
    }
    if (fstat(fd, &st) != 0) {
        return fault_os(fault, errno, NULL, "spawn order: a file cannot be examined");
    }
    *ret_dev = st.st_dev;
    *ret_ino = st.st_ino;
    return CORDON_OK;
}

enum cordon_err asked_make(const struct platform_spawn *spawn, struct asked *ret_asked,
                           struct cordon_fault *fault)
{
    struct asked asked;
    enum cordon_err err;

    memset(&asked, 0, sizeof(asked));
    asked.able = linux_able(spawn->embedded);
    err = linux_init_asked(spawn, &asked.able, &asked.block, &asked.len, fault);
    if (err == CORDON_OK) {
        err = linux_limit_group(spawn, &asked.able, &asked.limits, fault);
    }
    if (err == CORDON_OK) {
        err = file_of(spawn->fds[IPC_SPAWN_ORDER], &asked.order.dev, &asked.order.ino, fault);
    }
    for (int set = 0; err == CORDON_OK && set < ORDER_SET_COUNT; set++) {
        const int fd = set == ORDER_SET_OWN ? spawn->fds[IPC_SPAWN_TABLE] : spawn->managed_table;

        err = file_of(fd, &asked.tables[set].dev, &asked.tables[set].ino, fault);
    }
    if (err != CORDON_OK) {
        asked_deinit(&asked);
        return err;
    }
    *ret_asked = asked;
    return CORDON_OK;
}

void asked_deinit(struct asked *asked)
{
    free(asked->block);
    asked->block = NULL;
}

/* ---- the recipe ---- */

static const struct order_head *order_of(const struct recipe *recipe)
{
    return recipe->block;
}

uint32_t recipe_uid(const struct recipe *recipe)
{
    return order_of(recipe)->identity.uid;
}

/* The worker could change what is not sealed after it was checked. */
static enum cordon_err sealed_take(int from, size_t max, int *ret_fd, struct cordon_fault *fault)
{
    const void *data;
    size_t len;
    enum cordon_err err = ipc_map(from, max, &data, &len, fault);

    if (err != CORDON_OK) {
        return err;
    }
    ipc_unmap(data, len);
    *ret_fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
    return *ret_fd < 0 ? fault_os(fault, errno, NULL, "cannot prepare the job") : CORDON_OK;
}

static bool has_guard(const struct recipe *recipe)
{
    return !recipe->embedded && !recipe->program && order_watches(order_of(recipe));
}

/* -1: then each guard is asked about what it is asked about. */
static int usual_make(void)
{
    const int fd = memfd_create("cordon-usual", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && (ftruncate(fd, (off_t)sizeof(struct usual)) != 0 ||
                    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void recipe_close(struct recipe *recipe)
{
    const int fds[] = {recipe->order, recipe->tables[ORDER_SET_OWN],
                       recipe->tables[ORDER_SET_MANAGED], recipe->usual};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    free(recipe->block);
}

void recipe_deinit(struct recipe *recipe)
{
    recipe_close(recipe);
    asked_deinit(&recipe->asked);
}

enum cordon_err recipe_make(const struct platform_spawn *spawn, const struct asked *asked,
                            struct recipe *ret_recipe, struct cordon_fault *fault)
{
    struct recipe recipe = {
        .asked = *asked, .order = -1, .embedded = spawn->embedded, .tables = {-1, -1}, .usual = -1};
    enum cordon_err err =
        linux_init_order(spawn, &asked->able, &recipe.block, &recipe.len, &recipe.program, fault);

    if (err == CORDON_OK) {
        err = sealed_take(spawn->fds[IPC_SPAWN_ORDER], ORDER_BYTES_MAX, &recipe.order, fault);
    }
    if (err == CORDON_OK) {
        err = sealed_take(spawn->fds[IPC_SPAWN_TABLE], DFA_BYTES_MAX + 4096,
                          &recipe.tables[ORDER_SET_OWN], fault);
    }
    if (err == CORDON_OK) {
        err = sealed_take(spawn->managed_table, DFA_BYTES_MAX + 4096,
                          &recipe.tables[ORDER_SET_MANAGED], fault);
    }
    if (err != CORDON_OK) {
        recipe_close(&recipe);
        return err;
    }
    recipe.usual = has_guard(&recipe) ? usual_make() : -1;
    *ret_recipe = recipe;
    return CORDON_OK;
}

static bool able_same(const struct linux_able *a, const struct linux_able *b)
{
    return a->privileged == b->privileged && a->program == b->program &&
           a->at_access == b->at_access && a->controllers == b->controllers &&
           a->landlock_abi == b->landlock_abi;
}

bool recipe_answers(const struct recipe *recipe, const struct asked *asked)
{
    const struct asked *before = &recipe->asked;

    return able_same(&before->able, &asked->able) && before->len == asked->len &&
           memcmp(&before->order, &asked->order, sizeof(asked->order)) == 0 &&
           memcmp(before->tables, asked->tables, sizeof(asked->tables)) == 0 &&
           memcmp(&before->limits, &asked->limits, sizeof(asked->limits)) == 0 &&
           memcmp(before->block, asked->block, asked->len) == 0;
}

static bool content_same(int a, int b)
{
    struct cordon_fault ignored;
    const void *data[2];
    struct stat st[2];
    size_t len[2];
    bool same;

    if (fstat(a, &st[0]) != 0 || fstat(b, &st[1]) != 0 || st[0].st_size != st[1].st_size) {
        return false;
    }
    if (ipc_map(a, TABLE_COMPARED_MAX, &data[0], &len[0], &ignored) != CORDON_OK) {
        return false;
    }
    if (ipc_map(b, TABLE_COMPARED_MAX, &data[1], &len[1], &ignored) != CORDON_OK) {
        ipc_unmap(data[0], len[0]);
        return false;
    }
    same = len[0] == len[1] && memcmp(data[0], data[1], len[0]) == 0;
    ipc_unmap(data[0], len[0]);
    ipc_unmap(data[1], len[1]);
    return same;
}

/* Sealed, so the same file has the same bytes for ever; another worker has other files. */
static bool tables_same(const struct recipe *a, const struct recipe *b)
{
    for (int set = 0; set < ORDER_SET_COUNT; set++) {
        const struct asked *asked[] = {&a->asked, &b->asked};

        if (memcmp(&asked[0]->tables[set], &asked[1]->tables[set], sizeof(asked[0]->tables[set])) !=
                0 &&
            !content_same(a->tables[set], b->tables[set])) {
            return false;
        }
    }
    return true;
}

bool recipe_same(const struct recipe *a, const struct recipe *b)
{
    return a->embedded == b->embedded && a->program == b->program && a->len == b->len &&
           memcmp(a->block, b->block, a->len) == 0 &&
           memcmp(&a->asked.limits, &b->asked.limits, sizeof(a->asked.limits)) == 0 &&
           tables_same(a, b);
}

/* ---- what is made from it ---- */

static enum cordon_err group_open(const struct recipe *recipe, struct job_parts *parts,
                                  struct cordon_fault *fault)
{
    static uint64_t last;
    enum cordon_err err = CORDON_OK;

    if (recipe->embedded) {
        return CORDON_OK;
    }
    err = cgroup_make(++last, &parts->cgroup, fault);
    for (int i = 0; err == CORDON_OK && i < POLICY_LIMIT_COUNT; i++) {
        if (recipe->asked.limits.value[i] != 0) {
            err = cgroup_limit(&parts->cgroup, (enum policy_limit)i, recipe->asked.limits.value[i],
                               fault);
        }
    }
    return err;
}

/* Both tables into the kernel's program. The own one is the caller's, and only copied. */
static enum cordon_err program_open(const struct recipe *recipe, struct bpf_job *ret_job,
                                    struct cordon_fault *fault)
{
    const struct order_head *order = order_of(recipe);
    struct bpf_table tables[ORDER_SET_COUNT];
    enum cordon_err err = CORDON_OK;
    uint32_t count = 0;

    for (; err == CORDON_OK && count < ORDER_SET_COUNT; count++) {
        struct bpf_table *table = &tables[count];

        table->access = order_access(order, count);
        table->rules = order->rule_count[count];
        err =
            ipc_map(recipe->tables[count], DFA_BYTES_MAX + 4096, &table->block, &table->len, fault);
    }
    if (err == CORDON_OK) {
        err = bpf_job_open(tables, ret_job, fault);
    } else {
        count--;
    }
    while (count > 0) {
        count--;
        ipc_unmap(tables[count].block, tables[count].len);
    }
    return err;
}

/* The order as it is for this one job. */
static enum cordon_err order_open(const struct recipe *recipe, struct job_parts *parts,
                                  struct cordon_fault *fault)
{
    struct order_head *order;
    enum cordon_err err = CORDON_OK;

    if (recipe->program) {
        err = program_open(recipe, &parts->bpf, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    order = malloc(recipe->len);
    if (order == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "job: out of memory");
    }
    memcpy(order, recipe->block, recipe->len);
    if (recipe->program) {
        order->slot = parts->bpf.slot;
        for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
            order->table[set] = bpf_job_base(&parts->bpf, set);
        }
    }
    parts->launch.flags = order->flags;
    err = ipc_memfd("cordon-order", order, recipe->len, &parts->launch.fds[INIT_FD_ORDER], fault);
    free(order);
    return err;
}

static int null_open(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* A guard reports by a socket, the kernel's program by its maps; embedded, nobody does. */
static enum cordon_err reports_open(const struct recipe *recipe, struct job_parts *parts,
                                    struct cordon_fault *fault)
{
    int *fds = parts->launch.fds;
    bool program = recipe->program;

    fds[INIT_FD_TAGS] = program ? fcntl(bpf_tags_fd(), F_DUPFD_CLOEXEC, 3) : null_open();
    fds[INIT_FD_JOBS] = program ? fcntl(bpf_jobs_fd(), F_DUPFD_CLOEXEC, 3) : null_open();
    if (!recipe->embedded && !program) {
        return denials_open(&parts->denials, &fds[INIT_FD_VIOLATIONS], &fds[INIT_FD_TALLY], fault);
    }
    fds[INIT_FD_VIOLATIONS] = null_open();
    fds[INIT_FD_TALLY] = null_open();
    return CORDON_OK;
}

/* A job without an index looks for older links itself. */
static int index_open_for(const struct recipe *recipe, bool *ret_asks)
{
    int asks = recipe->embedded || !order_watches(order_of(recipe)) ? -1 : index_started();

    *ret_asks = asks >= 0;
    return asks < 0 ? null_open() : fcntl(asks, F_DUPFD_CLOEXEC, 3);
}

enum cordon_err recipe_renew(struct launch *launch, struct cordon_fault *fault)
{
    int asks = launch->asks ? index_started() : -1;

    if (asks >= 0 && dup3(asks, launch->fds[INIT_FD_INDEX], O_CLOEXEC) < 0) {
        return fault_os(fault, errno, NULL, "cannot prepare the job");
    }
    return CORDON_OK;
}

/* The service decides at each access, and has few walks. */
static void walks_open(const struct recipe *recipe, struct job_parts *parts)
{
    int *fds = parts->launch.fds;
    int kept = -1;

    if (recipe->embedded && order_has(order_of(recipe), ORDER_SCAN)) {
        barren_keep_begin(order_of(recipe), recipe->tables[ORDER_SET_OWN], &parts->barren, &kept);
    }
    fds[INIT_FD_KEPT] = kept < 0 ? null_open() : kept;
    fds[INIT_FD_FOUND] =
        parts->barren.found < 0 ? null_open() : fcntl(parts->barren.found, F_DUPFD_CLOEXEC, 3);
}

static enum cordon_err files_open(const struct recipe *recipe, struct job_parts *parts,
                                  struct cordon_fault *fault)
{
    int *fds = parts->launch.fds;

    fds[INIT_FD_OWN] = fcntl(recipe->tables[ORDER_SET_OWN], F_DUPFD_CLOEXEC, 3);
    fds[INIT_FD_MANAGED] = fcntl(recipe->tables[ORDER_SET_MANAGED], F_DUPFD_CLOEXEC, 3);
    fds[INIT_FD_SOCKETS] = open("/proc/self/net/unix", O_RDONLY | O_CLOEXEC);
    fds[INIT_FD_CGROUP] = cgroup_procs_fd(&parts->cgroup);
    fds[INIT_FD_INDEX] = index_open_for(recipe, &parts->launch.asks);
    fds[INIT_FD_USUAL] = recipe->usual < 0 ? null_open() : fcntl(recipe->usual, F_DUPFD_CLOEXEC, 3);
    walks_open(recipe, parts);
    for (int i = INIT_FD_ORDER; i < INIT_FD_COUNT; i++) {
        if (fds[i] < 0) {
            return fault_os(fault, errno, NULL, "cannot prepare the job");
        }
    }
    return CORDON_OK;
}

enum cordon_err recipe_start(const struct recipe *recipe, int *channel,
                             struct platform_job **ret_job, struct cordon_fault *fault)
{
    struct job_parts parts;
    enum cordon_err err;

    job_parts_init(&parts);
    parts.uid = recipe_uid(recipe);
    err = group_open(recipe, &parts, fault);
    if (err == CORDON_OK) {
        err = order_open(recipe, &parts, fault);
    }
    if (err == CORDON_OK) {
        err = reports_open(recipe, &parts, fault);
    }
    if (err == CORDON_OK) {
        err = files_open(recipe, &parts, fault);
    }
    if (err == CORDON_OK) {
        err = blank_take(&parts, channel != NULL, fault);
    }
    if (err != CORDON_OK) {
        job_parts_close(&parts);
        return err;
    }
    return job_new(&parts, channel, ret_job, fault);
}
