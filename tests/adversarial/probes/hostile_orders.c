/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile_worker.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/linux/order.h"
#include "policy/dfa.h"

/* What a row may bend. */
struct making {
    struct order_builder builder;
    struct hostile *out;
    const char *home;
    bool unsealed, unsealed_table;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "hostile worker: %s\n", what);
    exit(70);
}

/* Opens HOME/@name (or @name, when absolute) and makes it a grant; its index. */
static uint32_t grant(struct making *making, const char *name, int flags)
{
    char path[PATH_MAX];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", name[0] == '/' ? "" : making->home, name);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        die(path);
    }
    making->out->fds[making->out->fd_count++] = fd;
    return (uint32_t)(making->out->fd_count - 1 - IPC_SPAWN_GRANTS);
}

static struct order_step step_of(uint16_t op)
{
    return (struct order_step){
        .op = op, .set = ORDER_SET_OWN, .rule = ORDER_NO_RULE, .fd = ORDER_NO_FD};
}

static void grant_step(struct making *making, uint16_t op, uint32_t fd)
{
    struct order_step step = step_of(op);

    step.fd = fd;
    order_add_step(&making->builder, &step);
}

static void text_step(struct making *making, uint16_t op, const char *text, const char *aux)
{
    struct order_step step = step_of(op);

    step.text = order_add_text(&making->builder, text, strlen(text));
    if (aux != NULL) {
        step.aux = order_add_text(&making->builder, aux, strlen(aux));
    }
    order_add_step(&making->builder, &step);
}

/* ---- rows that bend the builder ---- */

static void plain(struct making *making)
{
    (void)making;
}

static void source_at_another_target(struct making *making)
{
    struct order_step step = step_of(ORDER_GRANT_READ);

    step.fd = grant(making, "hostile/evil", O_PATH);
    step.text = order_add_text(&making->builder, "/etc/passwd", 11);
    order_add_step(&making->builder, &step);
}

static void write_to_the_root(struct making *making)
{
    grant_step(making, ORDER_GRANT_WRITE, grant(making, "/", O_PATH));
}

static void write_to_what_is_roots(struct making *making)
{
    grant_step(making, ORDER_GRANT_WRITE, grant(making, "/etc", O_PATH));
}

static void write_to_the_denied_file(struct making *making)
{
    grant_step(making, ORDER_GRANT_WRITE, grant(making, "secret.txt", O_PATH));
    grant_step(making, ORDER_GRANT_READ, grant(making, "secret.txt", O_PATH));
}

static void reopen_below_the_denied_directory(struct making *making)
{
    grant_step(making, ORDER_GRANT_WRITE, grant(making, "vault/inner.txt", O_PATH));
    text_step(making, ORDER_MASK, "/", NULL);
}

/* A link in the view that leads a later managed mask astray. */
static void link_in_the_way(struct making *making)
{
    char vault[PATH_MAX];

    (void)snprintf(vault, sizeof(vault), "%s/vault", making->home);
    text_step(making, ORDER_LINK, vault, "/tmp");
    text_step(making, ORDER_LINK, "/etc/passwd", "/tmp/x");
}

static void link_by_dots(struct making *making)
{
    text_step(making, ORDER_LINK, "/dev/../etc/cordon-evil", "/tmp/x");
}

/* Made as root, on the host, if the link were not refused there. */
static void link_on_a_writable_root(struct making *making)
{
    making->builder.head.flags |= ORDER_ROOT_WRITABLE | ORDER_FULL_ACCESS;
    text_step(making, ORDER_LINK, "/etc/cordon-evil", "/tmp/x");
}

static void link_below_a_write_grant(struct making *making)
{
    grant_step(making, ORDER_GRANT_WRITE, grant(making, "/etc", O_PATH));
    text_step(making, ORDER_LINK, "/etc/cordon-evil", "/tmp/x");
}

/* Below an opened mask mount points are made; the managed mask must still come on top. */
static void regrant_in_an_opened_mask(struct making *making)
{
    text_step(making, ORDER_MASK, making->home, NULL);
    making->builder.steps[making->builder.step_count - 1].flags = ORDER_STEP_OPEN;
    grant_step(making, ORDER_GRANT_READ, grant(making, "vault/inner.txt", O_PATH));
    grant_step(making, ORDER_GRANT_WRITE, grant(making, "secret.txt", O_PATH));
}

static void index_out_of_range(struct making *making)
{
    grant_step(making, ORDER_GRANT_WRITE, 7);
}

static void index_at_the_edge(struct making *making)
{
    (void)grant(making, "hostile", O_PATH);
    grant_step(making, ORDER_GRANT_READ, 1);
}

/* What cordon-init's order has instead of an object is not for a worker's. */
static void index_and_text(struct making *making)
{
    struct order_builder *builder = &making->builder;

    grant_step(making, ORDER_GRANT_READ, 0x30000000U);
    builder->steps[builder->step_count - 1].text = order_add_text(builder, "/etc", 4);
}

static void next_index_and_text(struct making *making)
{
    struct order_builder *builder = &making->builder;

    grant_step(making, ORDER_GRANT_WRITE, grant(making, "hostile", O_PATH) + 1);
    builder->steps[builder->step_count - 1].text = order_add_text(builder, "/etc", 4);
}

static void index_none(struct making *making)
{
    grant_step(making, ORDER_GRANT_WRITE, ORDER_NO_FD);
}

static void managed_set(struct making *making)
{
    text_step(making, ORDER_MASK, "/tmp", NULL);
    making->builder.steps[making->builder.step_count - 1].set = ORDER_SET_MANAGED;
}

static void unknown_set(struct making *making)
{
    text_step(making, ORDER_MASK, "/tmp", NULL);
    making->builder.steps[making->builder.step_count - 1].set = 9;
}

static void unknown_op(struct making *making)
{
    text_step(making, 77, "/tmp", NULL);
}

static void op_zero(struct making *making)
{
    text_step(making, 0, "/tmp", NULL);
}

static void rule_out_of_range(struct making *making)
{
    text_step(making, ORDER_MASK, "/tmp", NULL);
    making->builder.steps[making->builder.step_count - 1].rule = 12345;
}

static void relative_text(struct making *making)
{
    text_step(making, ORDER_MASK, "etc", NULL);
}

static void mask_without_text(struct making *making)
{
    struct order_step step = step_of(ORDER_MASK);

    order_add_step(&making->builder, &step);
}

static void mask_with_dots(struct making *making)
{
    text_step(making, ORDER_MASK, "/tmp/../../..", NULL);
}

static void readable_descriptor(struct making *making)
{
    grant_step(making, ORDER_GRANT_READ, grant(making, "hostile", O_RDONLY));
}

static void removed_object(struct making *making)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/hostile/gone", making->home);
    (void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    grant_step(making, ORDER_GRANT_WRITE, grant(making, "hostile/gone", O_PATH));
    (void)unlink(path);
}

static void nameless_object(struct making *making)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        die("pipe");
    }
    making->out->fds[making->out->fd_count++] = ends[0];
    grant_step(making, ORDER_GRANT_WRITE, 0);
    (void)close(ends[1]);
}

static void user_namespace_flag(struct making *making)
{
    making->builder.head.flags |= ORDER_USER_NS;
}

static void unknown_flags(struct making *making)
{
    making->builder.head.flags |= 0x80000000U;
}

static void root_writable(struct making *making)
{
    making->builder.head.flags |= ORDER_ROOT_WRITABLE;
}

static void full_access(struct making *making)
{
    making->builder.head.flags |= ORDER_ROOT_WRITABLE | ORDER_FULL_ACCESS | ORDER_NET_HOST;
}

static void root_identity(struct making *making)
{
    making->builder.head.identity.uid = 0;
    making->builder.head.identity.gid = 0;
    making->builder.head.identity.rlimit_mask = 0xffffffffU;
}

static void not_sealed(struct making *making)
{
    making->unsealed = true;
}

static void table_not_sealed(struct making *making)
{
    making->unsealed_table = true;
}

static const struct {
    const char *name;
    bool harmless;
    void (*bend)(struct making *making);
} rows[] = {
    {"plain", true, plain},
    {"source at another target", true, source_at_another_target},
    {"write to the root", true, write_to_the_root},
    {"write to what is root's", true, write_to_what_is_roots},
    {"write to the denied file", true, write_to_the_denied_file},
    {"reopen below the denied directory", true, reopen_below_the_denied_directory},
    {"link in the way", true, link_in_the_way},
    {"link by dots", true, link_by_dots},
    {"link on a writable root", true, link_on_a_writable_root},
    {"link below a write grant", true, link_below_a_write_grant},
    {"regrant in an opened mask", true, regrant_in_an_opened_mask},
    {"mask with dots", true, mask_with_dots},
    {"root's identity", true, root_identity},
    {"root writable", true, root_writable},
    {"full access", true, full_access},
    {"index out of range", false, index_out_of_range},
    {"index at the edge", false, index_at_the_edge},
    {"index far out of range, and a text", false, index_and_text},
    {"index at the edge, and a text", false, next_index_and_text},
    {"no index", false, index_none},
    {"managed set", false, managed_set},
    {"unknown set", false, unknown_set},
    {"unknown op", false, unknown_op},
    {"op zero", false, op_zero},
    {"rule out of range", false, rule_out_of_range},
    {"relative text", false, relative_text},
    {"mask without text", false, mask_without_text},
    {"readable descriptor", false, readable_descriptor},
    {"removed object", false, removed_object},
    {"nameless object", false, nameless_object},
    {"user namespace flag", false, user_namespace_flag},
    {"unknown flags", false, unknown_flags},
    {"not sealed", false, not_sealed},
    {"table not sealed", false, table_not_sealed},
};

/* ---- rows that bend the finished block: one 32-bit word of the head ---- */

static const struct {
    const char *name;
    size_t offset;
    uint32_t value;
} words[] = {
    {"wrong magic", offsetof(struct order_head, magic), 1},
    {"size too large", offsetof(struct order_head, size), 1U << 20},
    {"size zero", offsetof(struct order_head, size), 0},
    {"a billion steps", offsetof(struct order_head, step_count), 1000000000U},
    {"steps beyond the end", offsetof(struct order_head, steps), 1U << 20},
    {"steps unaligned", offsetof(struct order_head, steps), 3},
    {"steps wrap around", offsetof(struct order_head, steps), 0xfffffff8U},
    {"rule count beyond", offsetof(struct order_head, rule_count), 0xffffffffU},
    {"access beyond", offsetof(struct order_head, access), 0xfffffff0U},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define WORDS (sizeof(words) / sizeof(words[0]))

static int unsealed_memfd(const void *data, size_t len)
{
    int fd = memfd_create("order", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
        die("memfd");
    }
    return fd;
}

static int order_memfd(struct making *making, size_t index)
{
    struct cordon_fault fault;
    void *block = NULL;
    size_t len = 0;
    int fd = -1;

    if (order_finish(&making->builder, &block, &len, &fault) != CORDON_OK) {
        die(fault.text);
    }
    if (index >= ROWS) {
        memcpy((char *)block + words[index - ROWS].offset, &words[index - ROWS].value,
               sizeof(uint32_t));
    }
    if (making->unsealed) {
        fd = unsealed_memfd(block, len);
    } else if (ipc_memfd("order", block, len, &fd, &fault) != CORDON_OK) {
        die(fault.text);
    }
    free(block);
    return fd;
}

static int empty_table(const struct making *making)
{
    struct cordon_fault fault;
    struct dfa *table = NULL;
    uint32_t rule = 0;
    int fd = -1;

    if (dfa_compile(NULL, 0, DFA_OPTIONS(false, 1U << 20), &table, &rule, &fault) != CORDON_OK) {
        die(fault.text);
    }
    if (making->unsealed_table) {
        fd = unsealed_memfd(table, dfa_size(table));
    } else if (ipc_memfd("table", table, dfa_size(table), &fd, &fault) != CORDON_OK) {
        die(fault.text);
    }
    dfa_free(table);
    return fd;
}

bool hostile_order(size_t index, const char *home, struct hostile *ret)
{
    struct making making = {.out = ret, .home = home};

    if (index >= ROWS + WORDS) {
        return false;
    }
    ret->name = index < ROWS ? rows[index].name : words[index - ROWS].name;
    ret->harmless = index < ROWS && rows[index].harmless;
    ret->fd_count = IPC_SPAWN_GRANTS;
    order_begin(&making.builder);
    making.builder.head.flags = ORDER_ROOT_READABLE;
    making.builder.head.access[ORDER_SET_OWN] = order_add_text(&making.builder, "", 0);
    making.builder.head.access[ORDER_SET_MANAGED] = order_add_text(&making.builder, "", 0);
    if (index < ROWS) {
        rows[index].bend(&making);
    }
    ret->fds[IPC_SPAWN_ORDER] = order_memfd(&making, index);
    ret->fds[IPC_SPAWN_TABLE] = empty_table(&making);
    ret->fds[IPC_SPAWN_CWD] = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    order_builder_deinit(&making.builder);
    return true;
}
