/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/plan_windows.h"

#include <string.h>

#include "platform/plan_build.h"

const char *const plan_windows_op_names[PLAN_WINDOWS_OP_COUNT] = {
    [PLAN_WINDOWS_PRINCIPAL] = "principal",
    [PLAN_WINDOWS_TOKEN] = "token",
    [PLAN_WINDOWS_JOB] = "job",
    [PLAN_WINDOWS_MATERIALISE] = "materialise",
    [PLAN_WINDOWS_GRANT_READ] = "grant-read",
    [PLAN_WINDOWS_GRANT_WRITE] = "grant-write",
    [PLAN_WINDOWS_DENY] = "deny",
    [PLAN_WINDOWS_DENY_WRITE] = "deny-write",
    [PLAN_WINDOWS_DESKTOP] = "desktop",
    [PLAN_WINDOWS_NET_OFF] = "net-off",
    [PLAN_WINDOWS_NET_HOST] = "net-host",
    [PLAN_WINDOWS_EXEC] = "exec",
};

static const uint32_t masks[PLAN_WINDOWS_OP_COUNT] = {
    [PLAN_WINDOWS_GRANT_READ] = PLAN_WINDOWS_MASK_READ,
    [PLAN_WINDOWS_GRANT_WRITE] = PLAN_WINDOWS_MASK_WRITE,
    [PLAN_WINDOWS_DENY] = PLAN_WINDOWS_MASK_DENY,
    [PLAN_WINDOWS_DENY_WRITE] = PLAN_WINDOWS_MASK_DENY_WRITE,
};

/* Names without an extension that are files all the same. */
static const char *const known_files[] = {".env",       ".netrc",          ".npmrc", ".pypirc",
                                          ".pgpass",    ".bashrc",         ".zshrc", ".profile",
                                          ".gitconfig", ".git-credentials"};

/* "/", "c:" or "//server/share": an entry there reaches every file of the volume. */
static bool is_volume_root(const struct plan_entry *entry)
{
    const char *key = entry->key;

    if (key[0] == '/' && key[1] == '/') {
        return entry->depth <= 2;
    }
    return entry->depth == 0 || (entry->depth == 1 && entry->key_len == 2 && key[1] == ':');
}

static enum cordon_err check_volumes(const struct plan_builder *b)
{
    for (size_t i = 0; i < b->tree.entry_count; i++) {
        const struct plan_entry *entry = &b->tree.entries[i];
        const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);
        bool takes_back = rule->access == ACCESS_DENY && entry->set == PLAN_SET_OWN &&
                          strcmp(rule->spelled, ":root") == 0;

        if (is_volume_root(entry) && rule->access != ACCESS_READ && !takes_back) {
            return plan_refuse(b, CORDON_E_UNSUPPORTED, rule, "name directories below it",
                               "would rewrite the access list of a whole volume");
        }
    }
    return CORDON_OK;
}

/* ---- what a missing path is to become ---- */

static const char *last_component(const char *path)
{
    const char *last = path;

    for (const char *at = path; *at != '\0'; at++) {
        if ((*at == '/' || *at == '\\') && at[1] != '\0') {
            last = at + 1;
        }
    }
    return last;
}

static uint16_t missing_kind(const struct plan_builder *b, const struct plan_node *node)
{
    const struct plan_entry *entry = &b->tree.entries[node->first];
    const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);
    const char *name = last_component(node->path);
    size_t len = strlen(rule->spelled);

    if (rule->origin.layer == LAYER_BUILTIN ||
        (len > 0 && strchr("/\\", rule->spelled[len - 1]) != NULL) || node->inner) {
        return PLAN_STEP_DIR;
    }
    for (size_t i = 0; i < sizeof(known_files) / sizeof(known_files[0]); i++) {
        if (strcmp(name, known_files[i]) == 0) {
            return PLAN_STEP_FILE;
        }
    }
    return strchr(name[0] == '\0' ? name : name + 1, '.') != NULL ? PLAN_STEP_FILE : PLAN_STEP_DIR;
}

/* ---- entries ---- */

/* As Windows spells it: "C:\Users" for the pattern "/C:/Users"; others as they are. */
static const char *native(struct plan_builder *b, const char *path)
{
    const char *start = path + (path[0] == '/');
    char *copy;

    if (!plan_is_drive(start)) {
        return path;
    }
    copy = arena_printf(b->arena, "%s%s", start, start[2] == '\0' ? "\\" : "");
    b->failed = b->failed || copy == NULL;
    for (char *at = copy; at != NULL && *at != '\0'; at++) {
        *at = *at == '/' ? '\\' : *at;
    }
    return copy;
}

static void add_entry(struct plan_builder *b, uint16_t op, uint16_t flags,
                      const struct plan_node *node, const char *path)
{
    struct plan_step step = {.op = op,
                             .flags = flags,
                             .set = node->set,
                             .rule = node->rule,
                             .value = masks[op],
                             .path = native(b, path)};

    (void)plan_add(b, &step);
}

/* Whether a rule's own spelling is another place than the object it leads to. */
static bool is_elsewhere(const struct plan_builder *b, const struct plan_entry *entry,
                         const char *pattern)
{
    const char *key = plan_key(POLICY_OS_WINDOWS, pattern, b->arena);

    return key != NULL && !entry->gitdir && strcmp(key, entry->key) != 0;
}

/* A deny goes on the object, and before that on what a rule of the node names it by. */
static void add_denies(struct plan_builder *b, uint16_t op, const struct plan_node *node)
{
    uint16_t kind = plan_kind(node->object);

    if (node->object == PLAN_MISSING) {
        kind = missing_kind(b, node);
        add_entry(b, PLAN_WINDOWS_MATERIALISE, kind, node, node->path);
        plan_note_node(b, node, "absent at start: an empty object is made to carry the entry");
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct plan_entry *entry = &b->tree.entries[node->first + i];
        const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);

        if (is_elsewhere(b, entry, rule->pattern)) {
            add_entry(b, op, entry->fact->link ? PLAN_STEP_LINK : kind, node, rule->pattern);
        }
    }
    add_entry(b, op, kind, node, node->path);
}

/* A link in a writable place must not be replaced: it says what its rule is about. */
static void pin_links(struct plan_builder *b, const struct plan_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct plan_entry *entry = &b->tree.entries[node->first + i];
        const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);
        const char *key = plan_key(POLICY_OS_WINDOWS, rule->pattern, b->arena);

        b->failed = b->failed || key == NULL;
        if (key != NULL && entry->fact->link && is_elsewhere(b, entry, rule->pattern) &&
            plan_tree_view(&b->tree, plan_tree_above(&b->tree, key, strlen(key))) ==
                PLAN_WRITABLE) {
            add_entry(b, PLAN_WINDOWS_DENY_WRITE, PLAN_STEP_LINK, node, rule->pattern);
        }
    }
}

/* An entry of its own where a rule says so, and where the surroundings would allow. */
static bool needs_deny(const struct plan_builder *b, const struct plan_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        if (b->tree.entries[node->first + i].access == ACCESS_DENY) {
            return true;
        }
    }
    return node->before != PLAN_HIDDEN;
}

static void add_grant(struct plan_builder *b, const struct plan_node *node)
{
    uint16_t op = node->after == PLAN_WRITABLE ? PLAN_WINDOWS_GRANT_WRITE : PLAN_WINDOWS_GRANT_READ;

    if (node->object == PLAN_MISSING) {
        plan_skip_missing(b, node, NULL);
        return;
    }
    add_entry(b, op, plan_kind(node->object), node, node->path);
}

static void add_node(struct plan_builder *b, const struct plan_node *node)
{
    if (is_volume_root(&b->tree.entries[node->first])) {
        plan_note_node(b, node, "decided by the token, not by an entry on the volume");
        return;
    }
    if (node->after == PLAN_HIDDEN) {
        if (needs_deny(b, node)) {
            add_denies(b, PLAN_WINDOWS_DENY, node);
        }
        return;
    }
    if (node->after < node->before) {
        add_denies(b, PLAN_WINDOWS_DENY_WRITE, node);
        return;
    }
    if (node->after > node->before) {
        add_grant(b, node);
    }
    pin_links(b, node);
}

static const char *token_kind(const struct plan_builder *b)
{
    const struct plan_tree *tree = &b->tree;

    if (b->policy->full_access) {
        return "plain";
    }
    for (size_t i = 0; i < tree->node_count; i++) {
        if (is_volume_root(&tree->entries[tree->nodes[i].first]) &&
            tree->nodes[i].after != PLAN_HIDDEN) {
            return "write-restricted";
        }
    }
    return "restricted";
}

enum cordon_err plan_windows(const struct policy *policy, const struct plan_facts *facts,
                             struct arena *arena, struct plan **ret_plan,
                             struct cordon_fault *fault)
{
    struct plan_builder b = {.policy = policy, .facts = facts, .arena = arena, .fault = fault};
    enum cordon_err err = plan_begin(&b, PLAN_OBJECT_ONLY, NULL, 0);

    if (err == CORDON_OK) {
        err = plan_check_exact_only(&b);
    }
    if (err == CORDON_OK) {
        err = plan_limits_elsewhere(&b);
    }
    if (err == CORDON_OK) {
        err = check_volumes(&b);
    }
    if (err == CORDON_OK) {
        err = plan_check_common(&b);
    }
    if (err != CORDON_OK) {
        return err;
    }
    plan_add_plain(&b, PLAN_WINDOWS_PRINCIPAL, NULL,
                   facts->principal == NULL ? "job" : facts->principal);
    plan_add_plain(&b, PLAN_WINDOWS_TOKEN, NULL, token_kind(&b));
    plan_add_plain(&b, PLAN_WINDOWS_JOB, NULL, "kill-on-close no-breakaway");
    for (size_t i = 0; i < b.tree.node_count; i++) {
        add_node(&b, &b.tree.nodes[i]);
    }
    if (!policy->full_access) {
        plan_add_plain(&b, PLAN_WINDOWS_DESKTOP, NULL, NULL);
    }
    plan_add_plain(&b, policy->full_access ? PLAN_WINDOWS_NET_HOST : PLAN_WINDOWS_NET_OFF, NULL,
                   NULL);
    plan_add_plain(&b, PLAN_WINDOWS_EXEC, native(&b, facts->cwd), NULL);
    return plan_finish(&b, ret_plan);
}
