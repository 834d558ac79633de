/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/plan_linux.h"

#include <stdlib.h>
#include <string.h>

#include "platform/linux/plan_limits.h"
#include "platform/linux/plan_pin.h"
#include "platform/linux/plan_scan.h"
#include "platform/linux/plan_watch.h"
#include "platform/plan_build.h"

const char *const plan_linux_op_names[PLAN_LINUX_OP_COUNT] = {
    [PLAN_LINUX_NAMESPACES] = "namespaces",
    [PLAN_LINUX_VIEW_READ_ROOT] = "view-read-root",
    [PLAN_LINUX_VIEW_WRITE_ROOT] = "view-write-root",
    [PLAN_LINUX_VIEW_EMPTY_ROOT] = "view-empty-root",
    [PLAN_LINUX_PRIVATE_DEV] = "private-dev",
    [PLAN_LINUX_PRIVATE_PROC] = "private-proc",
    [PLAN_LINUX_PRIVATE_SHM] = "private-shm",
    [PLAN_LINUX_GRANT_READ] = "grant-read",
    [PLAN_LINUX_GRANT_WRITE] = "grant-write",
    [PLAN_LINUX_REOPEN_READ] = "reopen-read",
    [PLAN_LINUX_REOPEN_WRITE] = "reopen-write",
    [PLAN_LINUX_PROTECT] = "protect",
    [PLAN_LINUX_MASK] = "mask",
    [PLAN_LINUX_VIEW_LINK] = "view-link",
    [PLAN_LINUX_SCAN] = "scan",
    [PLAN_LINUX_WATCH] = "watch",
    [PLAN_LINUX_PIN] = "pin",
    [PLAN_LINUX_MASK_SOCKETS] = "mask-sockets",
    [PLAN_LINUX_KEEP_SOCKET] = "keep-socket",
    [PLAN_LINUX_NET_OFF] = "net-off",
    [PLAN_LINUX_NET_HOST] = "net-host",
    [PLAN_LINUX_IDENTITY] = "identity",
    [PLAN_LINUX_LANDLOCK] = "landlock",
    [PLAN_LINUX_SECCOMP] = "seccomp",
    [PLAN_LINUX_LIMIT] = "limit",
    [PLAN_LINUX_EXEC] = "exec",
};

/* Landlock scopes abstract unix sockets since this ABI (Linux 6.12). */
#define LANDLOCK_ABI_SCOPES 6U

static const char note_absent[] = "absent at start: not covered by this layer";

static const struct plan_base private_places[] = {
    {"/dev", PLAN_READABLE},
    {"/dev/shm", PLAN_WRITABLE},
    {"/proc", PLAN_READABLE},
};

static bool is_below(const char *path, const char *ancestor)
{
    size_t len = strlen(ancestor);

    return strncmp(path, ancestor, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* ---- refusals ---- */

static enum cordon_err check_level(const struct plan_builder *b, const struct policy_ruleset *set,
                                   enum policy_enforcement minimum)
{
    const struct policy_rule *named = NULL;

    if (minimum != ENFORCE_KERNEL || set->count == 0) {
        return CORDON_OK;
    }
    for (size_t i = 0; named == NULL && i < set->count; i++) {
        bool held = plan_at_access(b) && set->rules[i].access != ACCESS_DENY_WRITE;

        named = plan_narrows(&set->rules[i]) && !held ? &set->rules[i] : NULL;
    }
    if (named == NULL && plan_at_access(b)) {
        return CORDON_OK;
    }
    return plan_refuse(b, CORDON_E_UNSUPPORTED, named == NULL ? &set->rules[0] : named,
                       "set minimum_enforcement = \"snapshot\" to accept that",
                       plan_at_access(b)
                           ? "this rule holds at level snapshot only, and level kernel is required"
                           : "this host enforces at level snapshot only, and level kernel is "
                             "required");
}

static enum cordon_err check(const struct plan_builder *b)
{
    const struct policy *policy = b->policy;
    enum cordon_err err = check_level(b, &policy->managed, policy->minimum_managed);

    if (err == CORDON_OK && !policy->full_access) {
        err = check_level(b, &policy->own, policy->minimum_own);
    }
    if (err == CORDON_OK && !b->facts->privileged && !b->facts->host.user_namespaces &&
        (!policy->full_access || policy->managed.count > 0)) {
        err = fault_set(b->fault, CORDON_E_UNSUPPORTED,
                        "install the cordon service, or allow them "
                        "(sysctl user.max_user_namespaces)",
                        "embedded mode needs user namespaces, which this host refuses");
    }
    if (err == CORDON_OK) {
        err = plan_check_limits(b);
    }
    return err == CORDON_OK ? plan_check_common(b) : err;
}

/* ---- the view ---- */

static void add_namespaces(struct plan_builder *b)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {PLAN_NS_USER, "user"}, {PLAN_NS_MOUNT, "mount"}, {PLAN_NS_PID, "pid"},
        {PLAN_NS_IPC, "ipc"},   {PLAN_NS_UTS, "uts"},     {PLAN_NS_NET, "net"},
    };
    struct plan_step step = {.op = PLAN_LINUX_NAMESPACES, .rule = PLAN_NO_RULE};
    const char *text = "";

    step.value = PLAN_NS_MOUNT | PLAN_NS_PID;
    step.value |= b->facts->privileged ? 0 : PLAN_NS_USER;
    step.value |= b->policy->full_access ? 0 : PLAN_NS_IPC | PLAN_NS_UTS;
    step.value |= b->policy->full_access || b->policy->network ? 0 : PLAN_NS_NET;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && text != NULL; i++) {
        if ((step.value & names[i].bit) != 0) {
            text = arena_printf(b->arena, "%s%s%s", text, *text == '\0' ? "" : " ", names[i].name);
        }
    }
    b->failed = b->failed || text == NULL;
    step.text = text;
    (void)plan_add(b, &step);
}

static void add_view(struct plan_builder *b)
{
    static const uint16_t ops[] = {
        [PLAN_HIDDEN] = PLAN_LINUX_VIEW_EMPTY_ROOT,
        [PLAN_READABLE] = PLAN_LINUX_VIEW_READ_ROOT,
        [PLAN_WRITABLE] = PLAN_LINUX_VIEW_WRITE_ROOT,
    };
    const struct plan_node *root = plan_tree_find(&b->tree, "/", 1);
    struct plan_step step = {.op = ops[plan_tree_view(&b->tree, root)],
                             .flags = PLAN_STEP_DIR,
                             .set = root == NULL ? PLAN_SET_NONE : root->set,
                             .rule = root == NULL ? PLAN_NO_RULE : root->rule,
                             .path = "/"};

    add_namespaces(b);
    (void)plan_add(b, &step);
    if (!b->policy->full_access) {
        plan_add_plain(b, PLAN_LINUX_PRIVATE_DEV, "/dev", NULL);
    }
    /* Under full access too: the host's /proc leads around every mask by
     * /proc/PID/root of the caller's other processes. */
    plan_add_plain(b, PLAN_LINUX_PRIVATE_PROC, "/proc", NULL);
    if (!b->policy->full_access) {
        plan_add_plain(b, PLAN_LINUX_PRIVATE_SHM, "/dev/shm", NULL);
    }
}

/* What the walk over the nodes remembers of one. */
struct cover {
    bool masked;      /* hidden by a mask of ours; else it never came into the view */
    size_t mask_step; /* the mask's step */
};

static void hide(struct plan_builder *b, const struct plan_node *node, struct cover *cover)
{
    if (node->object == PLAN_MISSING) {
        plan_note_node(b, node, plan_at_access(b) ? NULL : note_absent);
    } else if (node->before != PLAN_HIDDEN && !plan_is_masked(b, node->set, node->rule)) {
        cover->masked = true; /* nothing reopens what a managed rule denies */
    } else if (node->before != PLAN_HIDDEN) {
        cover->masked = true;
        cover->mask_step = plan_add_node(b, PLAN_LINUX_MASK, plan_kind(node->object), node);
    } else if (!cover->masked) {
        /* Bind mounts of the host may show it in the view under other names. */
        plan_note_node(b, node, "outside the view: only other names of it are hidden");
        (void)plan_add_node(b, PLAN_LINUX_MASK, plan_kind(node->object), node);
    }
}

/* Something of the view's own will lie in the masked directory. */
static void open_cover(struct plan_builder *b, const struct cover *cover)
{
    if (cover != NULL && cover->masked && !b->failed) {
        b->plan->steps[cover->mask_step].flags |= PLAN_STEP_OPEN;
    }
}

static void grant(struct plan_builder *b, const struct plan_node *node, const struct cover *above)
{
    struct plan_step step = {.flags = plan_kind(node->object),
                             .set = node->own_set,
                             .rule = node->own_rule,
                             .path = node->path};
    bool write = node->after == PLAN_WRITABLE;
    uint16_t op = write ? PLAN_LINUX_GRANT_WRITE : PLAN_LINUX_GRANT_READ;

    if (node->before == PLAN_HIDDEN && above->masked) {
        op = write ? PLAN_LINUX_REOPEN_WRITE : PLAN_LINUX_REOPEN_READ;
        open_cover(b, above);
    }
    /* Named after the rule that grants, though a deny-write may have made it less: the
     * object to bind is that rule's. */
    step.op = op;
    (void)plan_add(b, &step);
}

/* Grants that a managed rule takes back are worth a line: the author expects them. */
static void report_limits(struct plan_builder *b, const struct plan_node *node)
{
    for (size_t i = 0; i < node->count && node->own != node->after; i++) {
        const struct plan_entry *entry = &b->tree.entries[node->first + i];
        const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);
        struct strbuf text = STRBUF_INIT;

        if (rule == NULL || plan_narrows(rule)) {
            continue;
        }
        plan_note(b, entry->set, entry->rule,
                  node->after == PLAN_HIDDEN ? "taken back by a deny"
                                             : "read only: taken back by a deny-write");
        plan_rule_text(plan_rule(b->policy, node->set, node->rule), &text);
        plan_notice(b, "%s is %s: %s", node->path,
                    node->after == PLAN_HIDDEN ? "denied" : "read-only", strbuf_text(&text));
        strbuf_deinit(&text);
    }
}

static bool is_private(const struct plan_node *node)
{
    return node->base || is_below(node->path, "/proc");
}

static void add_node(struct plan_builder *b, const struct plan_node *node, struct cover *cover)
{
    bool in_dev = is_below(node->path, "/dev") && !b->policy->full_access;

    report_limits(b, node);
    if (node->after == PLAN_HIDDEN) {
        hide(b, node, cover);
        return;
    }
    if (is_private(node) && !b->policy->full_access) {
        plan_note_node(b, node, "private to the job: nothing of the host is granted");
        return;
    }
    if (node->object == PLAN_MISSING) {
        plan_skip_missing(b, node, note_absent);
    } else if (node->after > node->before || in_dev) {
        grant(b, node, cover);
    } else if (node->after < node->before) {
        (void)plan_add_node(b, PLAN_LINUX_PROTECT, plan_kind(node->object), node);
    }
    cover->masked = false;
}

static void add_nodes(struct plan_builder *b, struct cover *covers)
{
    const struct plan_tree *tree = &b->tree;
    struct pin_list *pins = plan_find_pins(b);

    for (size_t i = 0; i < tree->node_count; i++) {
        const struct plan_node *node = &tree->nodes[i];

        plan_add_pins(b, pins, tree->entries[node->first].depth);
        if (node->parent != NULL) {
            covers[i] = covers[node->parent - tree->nodes];
        }
        if (tree->entries[node->first].depth > 0) {
            add_node(b, node, &covers[i]);
        }
    }
    plan_add_pins(b, pins, UINT32_MAX);
}

/* ---- links: the names that rules use for objects elsewhere ---- */

static void add_link(struct plan_builder *b, const struct plan_entry *entry,
                     const struct cover *covers)
{
    const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);
    const struct plan_node *node = plan_tree_find(&b->tree, entry->key, entry->key_len);
    const struct plan_node *above = plan_tree_above(&b->tree, rule->pattern, rule->pattern_len);
    enum plan_view around = plan_tree_view(&b->tree, above);
    struct plan_step step = {
        .set = entry->set, .rule = entry->rule, .path = rule->pattern, .flags = PLAN_STEP_LINK};

    if (rule->access == ACCESS_DENY && entry->fact->link) {
        if (around == PLAN_HIDDEN) {
            return;
        }
        step.op = PLAN_LINUX_MASK;
    } else if (rule->access != ACCESS_DENY && around == PLAN_HIDDEN) {
        if (node->after == PLAN_HIDDEN || node->object == PLAN_MISSING) {
            return;
        }
        step.op = PLAN_LINUX_VIEW_LINK;
        step.text = node->path;
        open_cover(b, above == NULL ? NULL : &covers[above - b->tree.nodes]);
    } else if (rule->access != ACCESS_DENY && entry->fact->link && around == PLAN_WRITABLE) {
        /* A job that could replace the link would choose what the rule means next time. */
        step.op = PLAN_LINUX_PROTECT;
    } else {
        return;
    }
    (void)plan_add(b, &step);
}

static void add_links(struct plan_builder *b, const struct cover *covers)
{
    const struct plan_tree *tree = &b->tree;

    for (size_t i = 0; i < tree->entry_count; i++) {
        const struct plan_entry *entry = &tree->entries[i];
        const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);

        if (rule != NULL && !entry->gitdir &&
            (entry->fact->link || strcmp(rule->pattern, entry->path) != 0)) {
            add_link(b, entry, covers);
        }
    }
}

static void add_rules(struct plan_builder *b)
{
    struct cover *covers = arena_array(b->arena, b->tree.node_count, sizeof(*covers));

    if (covers == NULL) {
        b->failed = true;
        return;
    }
    add_view(b);
    add_nodes(b, covers);
    add_links(b, covers);
    plan_add_scans(b);
    if (plan_at_access(b)) {
        plan_add_watches(b);
    }
}

/* ---- network and sockets ---- */

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void keep_socket(struct plan_builder *b, const char *path)
{
    const struct plan_node *node = plan_tree_find(&b->tree, path, strlen(path));

    if (node != NULL && node->managed_hidden) {
        plan_notice(b, "the socket %s stays closed: a managed rule denies it", path);
        return;
    }
    plan_add_plain(b, PLAN_LINUX_KEEP_SOCKET, path, NULL);
}

static void add_sockets(struct plan_builder *b)
{
    const struct policy *policy = b->policy;
    const char **sorted = arena_array(b->arena, policy->unix_socket_count, sizeof(*sorted));

    if (sorted == NULL) {
        b->failed = true;
        return;
    }
    plan_add_plain(b, PLAN_LINUX_MASK_SOCKETS, NULL,
                   plan_at_access(b) && b->facts->host.bpf && !policy->network
                       ? "all"
                       : "bound when the job starts, under an absolute name");
    for (size_t i = 0; i < policy->unix_socket_count; i++) {
        sorted[i] = policy->unix_sockets[i];
    }
    qsort(sorted, policy->unix_socket_count, sizeof(*sorted), compare_text);
    for (size_t i = 0; i < policy->unix_socket_count; i++) {
        if (i == 0 || strcmp(sorted[i - 1], sorted[i]) != 0) {
            keep_socket(b, sorted[i]);
        }
    }
    if (policy->network && b->facts->host.landlock_abi < LANDLOCK_ABI_SCOPES) {
        plan_notice(b,
                    "abstract unix sockets of the host stay reachable: the network is on, "
                    "and Landlock ABI %u cannot tell them apart (6 can)",
                    b->facts->host.landlock_abi);
    }
}

/* ---- the end of every plan ---- */

static void add_end(struct plan_builder *b)
{
    const struct policy *policy = b->policy;
    bool host_net = policy->full_access || policy->network;
    uint32_t abi = b->facts->host.landlock_abi;
    struct plan_step landlock = {.op = PLAN_LINUX_LANDLOCK, .rule = PLAN_NO_RULE, .value = abi};

    plan_add_plain(b, host_net ? PLAN_LINUX_NET_HOST : PLAN_LINUX_NET_OFF, NULL, NULL);
    plan_add_plain(b, PLAN_LINUX_IDENTITY, NULL, NULL);
    if (!policy->full_access && abi > 0) {
        (void)plan_add(b, &landlock);
    } else if (!policy->full_access) {
        plan_notice(b, "no Landlock on this host: writes have no second wall");
    }
    plan_add_plain(b, PLAN_LINUX_SECCOMP, NULL, policy->full_access ? "full-access" : "job");
    plan_add_limits(b);
    plan_add_plain(b, PLAN_LINUX_EXEC, b->facts->cwd, NULL);
}

enum cordon_err plan_linux(const struct policy *policy, const struct plan_facts *facts,
                           struct arena *arena, struct plan **ret_plan, struct cordon_fault *fault)
{
    struct plan_builder b = {.policy = policy, .facts = facts, .arena = arena, .fault = fault};
    size_t places = sizeof(private_places) / sizeof(private_places[0]);
    enum cordon_err err = plan_begin(&b, plan_at_access(&b) ? PLAN_KERNEL : PLAN_SNAPSHOT,
                                     private_places, policy->full_access ? 0 : places);

    if (err == CORDON_OK) {
        err = check(&b);
    }
    if (err != CORDON_OK) {
        return err;
    }
    plan_watch_labels(&b);
    if (!policy->full_access || policy->managed.count > 0) {
        add_rules(&b);
    }
    if (!policy->full_access) {
        add_sockets(&b);
        plan_notice_level(&b, &policy->own, b.plan->own, "profile");
    } else if (policy->managed.count > 0) {
        plan_notice(&b, "full access: services of the host, reached by socket, are not bound by "
                        "the managed rules");
    }
    plan_notice_level(&b, &policy->managed, b.plan->managed, "managed");
    add_end(&b);
    return plan_finish(&b, ret_plan);
}
