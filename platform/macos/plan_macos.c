/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/macos/plan_macos.h"

#include <stdlib.h>
#include <string.h>

#include "platform/plan_build.h"

const char *const plan_macos_op_names[PLAN_MACOS_OP_COUNT] = {
    [PLAN_MACOS_PARAM] = "param",
    [PLAN_MACOS_SBPL] = "sbpl",
    [PLAN_MACOS_EXEC] = "exec",
};

/*
 * What every confined process needs, whatever its rules: no path of a caller's
 * is in here but directory metadata (realpath must work through what is denied)
 * and the listing of "/", without which no program reaches main().
 * Left out on purpose: everything that starts a process elsewhere (launchd,
 * LaunchServices, Apple events) and the keychain daemons.
 */
static const char *const base_rules[] = {
    "(allow process-fork)",
    "(allow signal (target same-sandbox))",
    "(allow process-info* (target same-sandbox))",
    "(allow sysctl-read (sysctl-name-prefix \"hw.\") (sysctl-name-prefix \"kern.os\") "
    "(sysctl-name-prefix \"kern.proc.pgrp.\") (sysctl-name-prefix \"kern.proc.pid.\") "
    "(sysctl-name \"kern.argmax\") (sysctl-name \"kern.hostname\") (sysctl-name \"kern.maxproc\") "
    "(sysctl-name \"kern.usrstack64\") (sysctl-name \"kern.version\") "
    "(sysctl-name \"machdep.cpu.brand_string\") (sysctl-name \"vm.loadavg\"))",
    "(allow mach-lookup (global-name \"com.apple.system.opendirectoryd.libinfo\"))",
    "(allow ipc-posix-sem)",
    "(allow system-socket (socket-domain AF_UNIX))",
    "(allow pseudo-tty)",
    "(allow file-read* file-write* file-ioctl (literal \"/dev/ptmx\") (literal \"/dev/tty\"))",
    "(allow file-read* file-write* (require-all (regex #\"^/dev/ttys[0-9]+$\") "
    "(extension \"com.apple.sandbox.pty\")))",
    "(allow file-ioctl (regex #\"^/dev/ttys[0-9]+$\"))",
    "(allow file-read* file-write-data (require-all (vnode-type CHARACTER-DEVICE) "
    "(require-any (literal \"/dev/null\") (literal \"/dev/zero\") (literal \"/dev/random\") "
    "(literal \"/dev/urandom\"))))",
    "(allow file-read* (literal \"/\"))",
    "(allow file-read-metadata (vnode-type DIRECTORY))",
};

/* Links at the top of every macOS volume; rules match only what they lead to. */
static const char *const top_links[] = {"/tmp", "/var", "/etc"};

/* What a denied path must not be used for; network-outbound covers its sockets. */
#define DENIED_OPS                                                                                 \
    "file-read* file-write* file-read-metadata file-map-executable file-ioctl file-link "          \
    "file-clone process-exec network-outbound"

struct line {
    const char *text;
    uint8_t set;
    uint32_t rule;
};

/* A directory that may not be unlinked or renamed, and on whose behalf. */
struct pin {
    const char *path;
    const struct plan_node *node;
};

/* Rules are kept back until all parameters are known, which come first. */
struct profile {
    struct plan_builder build;
    struct line *lines;
    size_t line_count;
    size_t line_size;
    size_t param_count;
    const char **filters; /* per node; NULL: not made yet */
};

static void add_line(struct profile *p, struct strbuf *text, uint8_t set, uint32_t rule)
{
    struct line *line;
    struct line *wider =
        arena_widen(p->build.arena, p->lines, p->line_count, &p->line_size, sizeof(*wider));

    if (wider == NULL) {
        p->build.failed = true;
        strbuf_deinit(text);
        return;
    }
    p->lines = wider;
    line = &p->lines[p->line_count++];
    line->text = arena_strndup(p->build.arena, strbuf_text(text), text->len);
    line->set = set;
    line->rule = rule;
    p->build.failed = p->build.failed || text->failed || line->text == NULL;
    strbuf_deinit(text);
}

static void add_plain(struct profile *p, const char *text)
{
    struct strbuf line = STRBUF_INIT;

    strbuf_puts(&line, text);
    add_line(p, &line, PLAN_SET_NONE, PLAN_NO_RULE);
}

/* ---- filters ---- */

/* A parameter with @path as its value; "P" and its number name it. */
static size_t add_param(struct profile *p, const char *path)
{
    const char *key = arena_printf(p->build.arena, "P%zu", p->param_count);

    p->build.failed = p->build.failed || key == NULL;
    plan_add_plain(&p->build, PLAN_MACOS_PARAM, path, key);
    return p->param_count++;
}

/* The path itself and what lies below it; `subpath` alone may miss the former. */
static void add_spelling(struct profile *p, const char *path, struct strbuf *out)
{
    size_t param = add_param(p, path);

    strbuf_printf(out, "%s(literal (param \"P%zu\")) (subpath (param \"P%zu\"))",
                  out->len == 0 ? "" : " ", param, param);
}

/* The spelling below /private of a path that begins with a link of old; else NULL. */
static const char *real_spelling(struct profile *p, const char *path)
{
    for (size_t i = 0; i < sizeof(top_links) / sizeof(top_links[0]); i++) {
        size_t len = strlen(top_links[i]);

        if (strncmp(path, top_links[i], len) == 0 && (path[len] == '/' || path[len] == '\0')) {
            const char *real = arena_printf(p->build.arena, "/private%s", path);

            p->build.failed = p->build.failed || real == NULL;
            return real;
        }
    }
    return NULL;
}

static void add_spellings(struct profile *p, const char *path, struct strbuf *out)
{
    const char *real = real_spelling(p, path);

    add_spelling(p, path, out);
    if (real != NULL) {
        add_spelling(p, real, out);
    }
}

/* The place that a node stands for; made once, since several rules use it. */
static const char *filter(struct profile *p, const struct plan_node *node)
{
    size_t index = (size_t)(node - p->build.tree.nodes);
    struct strbuf text = STRBUF_INIT;

    if (p->filters[index] != NULL) {
        return p->filters[index];
    }
    add_spellings(p, node->path, &text);
    p->filters[index] = arena_strndup(p->build.arena, strbuf_text(&text), text.len);
    if (text.failed || p->filters[index] == NULL) {
        p->build.failed = true;
        p->filters[index] = "";
    }
    strbuf_deinit(&text);
    return p->filters[index];
}

/* ---- grants, with what is taken out of them ---- */

/* Whether @node ends at least @need that its surroundings have, or begins it. */
static bool ends(const struct plan_node *node, enum plan_view need)
{
    return node->before >= need && node->after < need;
}

static bool begins(const struct plan_node *node, enum plan_view need)
{
    return node->before < need && node->after >= need;
}

/* The grant of @need that the surroundings of @node belong to. */
static const struct plan_node *granted_by(const struct plan_node *node, enum plan_view need)
{
    const struct plan_node *above = node->parent;

    while (above != NULL && !begins(above, need)) {
        above = above->parent;
    }
    return above;
}

/*
 * One allow per place where @need begins. What ends it below is carved out of
 * the allow instead of being denied afterwards, since a later rule of the text
 * could take a deny back, and so that something below a denied directory can be
 * opened again by an allow of its own.
 */
static void add_grants(struct profile *p, enum plan_view need, const char *ops)
{
    struct plan_tree *tree = &p->build.tree;
    struct strbuf *texts = arena_array(p->build.arena, tree->node_count, sizeof(*texts));

    if (texts == NULL) {
        p->build.failed = true;
        return;
    }
    for (size_t i = 0; i < tree->node_count; i++) {
        const struct plan_node *node = &tree->nodes[i];

        if (begins(node, need)) {
            strbuf_printf(&texts[i], "(allow %s (require-all (require-any %s)", ops,
                          filter(p, node));
        } else if (ends(node, need)) {
            const struct plan_node *grant = granted_by(node, need);

            if (grant != NULL) {
                strbuf_printf(&texts[grant - tree->nodes], " (require-not (require-any %s))",
                              filter(p, node));
            }
        }
    }
    for (size_t i = 0; i < tree->node_count; i++) {
        if (texts[i].len > 0) {
            strbuf_puts(&texts[i], "))");
            add_line(p, &texts[i], tree->nodes[i].set, tree->nodes[i].rule);
        }
    }
}

/* ---- what must stay where it is ---- */

static int compare_pins(const void *left, const void *right)
{
    return strcmp(((const struct pin *)left)->path, ((const struct pin *)right)->path);
}

/* The directories between a rule and the writable place it is in. */
static void pin_ancestors(struct profile *p, const struct plan_node *node, struct pin *pins,
                          size_t *count)
{
    size_t len = strlen(node->path);

    while ((len = plan_parent_len(node->path, len)) > 1) {
        char *path = arena_strndup(p->build.arena, node->path, len);

        if (path == NULL) {
            p->build.failed = true;
            return;
        }
        if (plan_tree_view(&p->build.tree, plan_tree_find(&p->build.tree, path, len)) !=
            PLAN_WRITABLE) {
            return;
        }
        pins[*count].path = path;
        pins[*count].node = node;
        (*count)++;
    }
}

static size_t collect_pins(struct profile *p, struct pin *pins)
{
    const struct plan_tree *tree = &p->build.tree;
    size_t count = 0;

    for (size_t i = 0; i < tree->node_count; i++) {
        const struct plan_node *node = &tree->nodes[i];

        if (begins(node, PLAN_WRITABLE) && node->object != PLAN_FILE &&
            tree->entries[node->first].depth > 0) {
            pins[count].path = node->path;
            pins[count].node = node;
            count++;
        } else if (ends(node, PLAN_WRITABLE)) {
            pin_ancestors(p, node, pins, &count);
        }
    }
    qsort(pins, count, sizeof(*pins), compare_pins);
    return count;
}

static void add_pin(struct profile *p, const char *path, struct strbuf *out)
{
    const char *real = real_spelling(p, path);

    strbuf_printf(out,
                  "(deny file-write-unlink (require-all (vnode-type DIRECTORY) "
                  "(require-any (literal (param \"P%zu\"))",
                  add_param(p, path));
    if (real != NULL) {
        strbuf_printf(out, " (literal (param \"P%zu\"))", add_param(p, real));
    }
    strbuf_puts(out, ")))");
}

/*
 * Seatbelt decides by name, so a directory that a rule's path leads through must
 * not be moved away with what is in it; and a writable root must not be replaced
 * before the next job's profile is made.
 */
static void add_pins(struct profile *p)
{
    size_t most = p->build.tree.node_count;
    struct pin *pins;
    size_t count;

    for (size_t i = 0; i < p->build.tree.entry_count; i++) {
        most += p->build.tree.entries[i].depth;
    }
    pins = arena_array(p->build.arena, most, sizeof(*pins));
    if (pins == NULL) {
        p->build.failed = true;
        return;
    }
    count = collect_pins(p, pins);
    for (size_t i = 0; i < count; i++) {
        struct strbuf line = STRBUF_INIT;

        if (i > 0 && strcmp(pins[i - 1].path, pins[i].path) == 0) {
            continue;
        }
        add_pin(p, pins[i].path, &line);
        add_line(p, &line, pins[i].node->set, pins[i].node->rule);
    }
}

/* Managed denies are said once more, after every allow: nothing reopens them. */
static void add_managed(struct profile *p)
{
    struct plan_tree *tree = &p->build.tree;

    for (size_t i = 0; i < tree->node_count; i++) {
        const struct plan_node *node = &tree->nodes[i];
        bool first = node->parent == NULL || !node->parent->managed_hidden;
        bool locked = node->readonly && node->limit_set == PLAN_SET_MANAGED &&
                      (node->parent == NULL || !node->parent->readonly);
        struct strbuf line = STRBUF_INIT;

        if (node->managed_hidden && first) {
            strbuf_printf(&line, "(deny " DENIED_OPS " (require-any %s))", filter(p, node));
        } else if (!node->managed_hidden && locked) {
            strbuf_printf(&line, "(deny file-write* (require-any %s))", filter(p, node));
        } else {
            continue;
        }
        add_line(p, &line, node->limit_set, node->limit_rule);
    }
}

/*
 * Names that lead elsewhere by a link. The tree has what they lead to; the name
 * itself must not be read, replaced or come to life as something else where its
 * surroundings would allow that.
 */
static void add_names(struct profile *p)
{
    const struct plan_tree *tree = &p->build.tree;

    for (size_t i = 0; i < tree->entry_count; i++) {
        const struct plan_entry *entry = &tree->entries[i];
        const struct policy_rule *rule = plan_rule(p->build.policy, entry->set, entry->rule);
        struct strbuf filters = STRBUF_INIT;
        struct strbuf line = STRBUF_INIT;
        enum plan_view around =
            plan_tree_view(tree, plan_tree_above(tree, rule->pattern, rule->pattern_len));
        bool denies = rule->access == ACCESS_DENY && around != PLAN_HIDDEN;

        if (entry->gitdir || strcmp(rule->pattern, entry->path) == 0 ||
            (!denies && (around != PLAN_WRITABLE || !entry->fact->link))) {
            continue;
        }
        add_spellings(p, rule->pattern, &filters);
        strbuf_printf(&line, "(deny %s (require-any %s))", denies ? DENIED_OPS : "file-write*",
                      strbuf_text(&filters));
        p->build.failed = p->build.failed || filters.failed;
        strbuf_deinit(&filters);
        add_line(p, &line, entry->set, entry->rule);
    }
}

static void add_sockets(struct profile *p)
{
    const struct policy *policy = p->build.policy;

    for (size_t i = 0; i < policy->unix_socket_count; i++) {
        struct strbuf line = STRBUF_INIT;

        strbuf_printf(&line,
                      "(allow network-outbound (remote unix-socket (literal (param \"P%zu\"))))",
                      add_param(p, policy->unix_sockets[i]));
        add_line(p, &line, PLAN_SET_NONE, PLAN_NO_RULE);
    }
}

static void add_profile(struct profile *p)
{
    add_plain(p, "(version 1)");
    if (p->build.policy->full_access) {
        add_plain(p, "(allow default)");
    } else {
        add_plain(p, "(deny default)");
        for (size_t i = 0; i < sizeof(base_rules) / sizeof(base_rules[0]); i++) {
            add_plain(p, base_rules[i]);
        }
        add_grants(p, PLAN_READABLE, "file-read* file-map-executable process-exec");
        add_grants(p, PLAN_WRITABLE, "file-write*");
        add_sockets(p);
    }
    add_names(p);
    add_managed(p);
    add_pins(p);
}

static void add_lines(struct profile *p)
{
    for (size_t i = 0; i < p->line_count; i++) {
        const struct line *line = &p->lines[i];
        struct plan_step step = {
            .op = PLAN_MACOS_SBPL, .set = line->set, .rule = line->rule, .text = line->text};

        (void)plan_add(&p->build, &step);
    }
    plan_add_plain(&p->build, PLAN_MACOS_EXEC, p->build.facts->cwd, NULL);
}

/* Missing grants stay in the profile: it decides by name, whenever they appear. */
static void note_links(struct profile *p)
{
    struct plan_tree *tree = &p->build.tree;

    for (size_t i = 0; i < tree->entry_count; i++) {
        const struct plan_entry *entry = &tree->entries[i];

        if (entry->fact->link) {
            plan_note(&p->build, entry->set, entry->rule,
                      "holds for what the link leads to now, and for the link's own name");
        }
    }
}

enum cordon_err plan_macos(const struct policy *policy, const struct plan_facts *facts,
                           struct arena *arena, struct plan **ret_plan, struct cordon_fault *fault)
{
    struct profile p = {
        .build = {.policy = policy, .facts = facts, .arena = arena, .fault = fault}};
    enum cordon_err err = plan_begin(&p.build, PLAN_NAME_ONLY, NULL, 0);

    if (err == CORDON_OK) {
        err = plan_check_exact_only(&p.build);
    }
    if (err == CORDON_OK) {
        err = plan_limits_elsewhere(&p.build);
    }
    if (err == CORDON_OK) {
        err = plan_check_common(&p.build);
    }
    if (err != CORDON_OK) {
        return err;
    }
    p.filters = arena_array(arena, p.build.tree.node_count, sizeof(*p.filters));
    if (p.filters == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory for the plan");
    }
    add_profile(&p);
    add_lines(&p);
    note_links(&p);
    return plan_finish(&p.build, ret_plan);
}
