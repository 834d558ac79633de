/* SPDX-License-Identifier: Apache-2.0 */
/* Which objects get which entries. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/plan_parts.h"

static const uint32_t masks[PLAN_WINDOWS_OP_COUNT] = {
    [PLAN_WINDOWS_GRANT_READ] = PLAN_WINDOWS_MASK_READ,
    [PLAN_WINDOWS_GRANT_WRITE] = PLAN_WINDOWS_MASK_WRITE,
    [PLAN_WINDOWS_DENY] = PLAN_WINDOWS_MASK_DENY,
    [PLAN_WINDOWS_DENY_WRITE] = PLAN_WINDOWS_MASK_DENY_WRITE,
    [PLAN_WINDOWS_PIN] = PLAN_WINDOWS_MASK_PIN,
};

/* Names without an extension that are files all the same. */
static const char *const known_files[] = {".env",       ".netrc",          ".npmrc", ".pypirc",
                                          ".pgpass",    ".bashrc",         ".zshrc", ".profile",
                                          ".gitconfig", ".git-credentials"};

uint32_t plan_windows_mask(uint16_t op)
{
    return op < PLAN_WINDOWS_OP_COUNT ? masks[op] : 0;
}

bool plan_windows_ace(const struct plan_step *step, struct plan_windows_ace *ret_ace)
{
    bool adds = plan_windows_mask(step->op) != 0;

    *ret_ace = (struct plan_windows_ace){
        .deny = step->op >= PLAN_WINDOWS_DENY,
        .mask = adds ? step->value : 0,
    };
    return adds;
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

/* Length of @path without its last component. */
static size_t cut_last(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/' && path[len - 1] != '\\') {
        len--;
    }
    return len == 0 ? 0 : len - 1;
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

static bool is_file(struct plan_builder *b, const char *path)
{
    const struct win_tree *tree = b->facts->windows->tree;
    struct win_entry entry = {.object = PLAN_MISSING};
    const char *native = win_native(path, b->arena);
    enum cordon_err err =
        native == NULL ? CORDON_E_NOMEM : tree->look(tree->context, native, b->arena, &entry, NULL);

    b->failed = b->failed || err == CORDON_E_NOMEM;
    return err == CORDON_OK && entry.object != PLAN_DIRECTORY;
}

/* Nothing can come to be below a file, so nothing needs to be made there. */
static bool is_below_file(struct plan_builder *b, const struct plan_node *node)
{
    size_t len = strlen(node->path);

    for (const struct plan_node *above = node->parent; above != NULL; above = above->parent) {
        if (above->object == PLAN_FILE || above->object == PLAN_OTHER) {
            return true;
        }
    }
    while (b->facts->windows != NULL && (len = cut_last(node->path, len)) > 3) {
        const char *above = arena_strndup(b->arena, node->path, len);

        if (above == NULL || is_file(b, above)) {
            b->failed = b->failed || above == NULL;
            return true;
        }
    }
    return false;
}

/* ---- entries ---- */

void win_add_entry(struct plan_builder *b, uint16_t op, uint16_t flags, const struct plan_step *by,
                   const char *path)
{
    struct plan_step step = {.op = op,
                             .flags = flags,
                             .set = by->set,
                             .rule = by->rule,
                             .value = masks[op],
                             .path = win_native(path, b->arena)};

    b->failed = b->failed || step.path == NULL;
    (void)plan_add(b, &step);
}

static void add_entry(struct plan_builder *b, uint16_t op, uint16_t flags,
                      const struct plan_node *node, const char *path)
{
    const struct plan_step by = {.set = node->set, .rule = node->rule};

    win_add_entry(b, op, flags, &by, path);
}

/* Whether what a rule or its match names is another place than the object it leads to. */
static bool is_elsewhere(struct plan_builder *b, const struct plan_entry *entry)
{
    const char *key = plan_key(POLICY_OS_WINDOWS, entry->name, b->arena);

    b->failed = b->failed || key == NULL;
    return key != NULL && !entry->gitdir && strcmp(key, entry->key) != 0;
}

static bool is_named_twice(const struct plan_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].path, entries[count].path) == 0) {
            return true;
        }
    }
    return false;
}

/* What carries the entry at the end of entry's path. */
static uint16_t kind_of(const struct plan_entry *entry)
{
    if (entry->gitdir) {
        return PLAN_STEP_DIR;
    }
    return entry->fact->link && entry->fact->resolved == NULL ? PLAN_STEP_LINK
                                                              : plan_kind(entry->fact->object);
}

/*
 * A deny goes on the object, and before that on what a rule of the node names it by. Two spellings
 * of one key are two objects in a directory that tells cases apart, so each gets its entry.
 */
static void add_denies(struct plan_builder *b, uint16_t op, const struct plan_node *node)
{
    const struct plan_entry *entries = &b->tree.entries[node->first];
    uint16_t missing = node->object == PLAN_MISSING ? missing_kind(b, node) : 0;

    if (missing != 0 && is_below_file(b, node)) {
        plan_note_node(b, node, "lies below a file: nothing can be there");
        return;
    }
    if (missing != 0) {
        add_entry(b, PLAN_WINDOWS_MATERIALISE, missing, node, node->path);
        plan_note_node(b, node, "absent at start: an empty object is made to carry the entry");
    }
    for (size_t i = 0; i < node->count; i++) {
        if (is_elsewhere(b, &entries[i])) {
            uint16_t kind = missing != 0 ? missing : plan_kind(entries[i].fact->object);
            const struct plan_step by = {.set = entries[i].set, .rule = entries[i].rule};

            win_add_entry(b, op, entries[i].fact->link ? PLAN_STEP_LINK : kind, &by,
                          entries[i].name);
        }
    }
    if (missing != 0) {
        add_entry(b, op, missing, node, node->path);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!is_named_twice(entries, i)) {
            add_entry(b, op, kind_of(&entries[i]), node, entries[i].path);
        }
    }
}

static bool is_in_writable(const struct plan_builder *b, const char *key)
{
    return plan_tree_view(&b->tree, plan_tree_above(&b->tree, key, strlen(key))) == PLAN_WRITABLE;
}

/* A link in a writable place must not be replaced: it says what its rule is about. */
static void pin_links(struct plan_builder *b, const struct plan_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct plan_entry *entry = &b->tree.entries[node->first + i];
        const char *key = plan_key(POLICY_OS_WINDOWS, entry->name, b->arena);

        if (key != NULL && entry->fact->link && is_elsewhere(b, entry) && is_in_writable(b, key)) {
            add_entry(b, PLAN_WINDOWS_DENY_WRITE, PLAN_STEP_LINK, node, entry->name);
        }
    }
}

/* An entry of its own where a rule says so, and where the surroundings would allow. */
bool win_needs_deny(const struct plan_builder *b, const struct plan_node *node)
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
    const struct plan_entry *entry = &b->tree.entries[node->first];

    if (node->object == PLAN_MISSING) {
        plan_skip_missing(b, node, NULL);
        return;
    }
    if (op == PLAN_WINDOWS_GRANT_READ && win_by_token(b, entry->key)) {
        plan_note_node(b, node, "decided by the token, not by an entry on the system's directory");
        return;
    }
    add_entry(b, op, plan_kind(node->object), node, node->path);
}

static void add_node(struct plan_builder *b, const struct plan_node *node)
{
    if (win_is_volume(&b->tree.entries[node->first])) {
        plan_note_node(b, node, "decided by the token, not by an entry on the volume");
        return;
    }
    if (node->after == PLAN_HIDDEN) {
        if (win_needs_deny(b, node)) {
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

void win_add_targets(struct plan_builder *b)
{
    for (size_t i = 0; i < b->tree.node_count; i++) {
        add_node(b, &b->tree.nodes[i]);
    }
}

/* ---- places that other users may not read ---- */

static bool has_own_grant(const struct plan_builder *b, const struct plan_node *node,
                          const char *key)
{
    return node != NULL && strcmp(b->tree.entries[node->first].key, key) == 0 &&
           node->after > node->before && !win_is_volume(&b->tree.entries[node->first]);
}

void win_add_private(struct plan_builder *b)
{
    const struct plan_windows_facts *facts = b->facts->windows;

    for (size_t i = 0; facts != NULL && i < facts->private_count; i++) {
        const char *key = plan_key(POLICY_OS_WINDOWS, facts->private_dirs[i], b->arena);
        const struct plan_node *node =
            key == NULL ? NULL : plan_tree_find(&b->tree, key, strlen(key));
        enum plan_view view = plan_tree_view(&b->tree, node);
        struct plan_step by = {.rule = PLAN_NO_RULE};

        b->failed = b->failed || key == NULL;
        if (key == NULL || view == PLAN_HIDDEN || has_own_grant(b, node, key)) {
            continue;
        }
        if (node != NULL && node->set != PLAN_SET_NONE) {
            by.set = node->set;
            by.rule = node->rule;
        }
        win_add_entry(b, view == PLAN_WRITABLE ? PLAN_WINDOWS_GRANT_WRITE : PLAN_WINDOWS_GRANT_READ,
                      PLAN_STEP_DIR, &by, facts->private_dirs[i]);
    }
}

/* ---- what must stay where it is ---- */

struct pin {
    const char *key;
    const char *path;
    const struct plan_node *node; /* whose rule asks for it */
    bool link;                    /* it leads elsewhere itself */
};

struct pins {
    struct pin *items;
    size_t count;
};

static int compare_pins(const void *left, const void *right)
{
    const struct pin *a = left;
    const struct pin *b = right;
    int order = strcmp(a->key, b->key);

    return order != 0 ? order : (a->node > b->node) - (a->node < b->node);
}

/* Key and path are alike but for letters: both have their separators at the same component. */
static const char *cut_path(struct plan_builder *b, const char *path, uint32_t depth)
{
    size_t len = strspn(path, "/\\");

    for (uint32_t seen = 0; path[len] != '\0'; len++) {
        seen += path[len] == '/' || path[len] == '\\';
        if (seen == depth) {
            break;
        }
    }
    return arena_strndup(b->arena, path, len);
}

/* What @path leads to; NULL: nothing is there, or nobody can look. In the arena. */
static const char *leads_to(struct plan_builder *b, const char *path)
{
    const struct plan_windows_facts *facts = b->facts->windows;
    struct win_entry entry = {.target = NULL};
    enum cordon_err err =
        facts == NULL ? CORDON_E_NOT_FOUND
                      : facts->tree->look(facts->tree->context, path, b->arena, &entry, NULL);

    b->failed = b->failed || err == CORDON_E_NOMEM;
    return err == CORDON_OK ? entry.target : NULL;
}

/* Fills in @pin->path, ->key and ->link: where the object at @path lies itself, which is elsewhere
 * if a link stands further up. NULL in them: out of memory. */
static void find_pin(struct plan_builder *b, const char *path, struct pin *pin)
{
    const char *above = arena_strndup(b->arena, path, cut_last(path, strlen(path)));
    const char *real = above == NULL ? NULL : leads_to(b, above);
    const char *leads = leads_to(b, path);
    const char *key;

    pin->path = real == NULL ? path
                             : arena_printf(b->arena, "%s%s%s", real,
                                            real[strlen(real) - 1] == '\\' ? "" : "\\",
                                            last_component(path));
    pin->key = pin->path == NULL ? NULL : plan_key(POLICY_OS_WINDOWS, pin->path, b->arena);
    key = leads == NULL ? pin->key : plan_key(POLICY_OS_WINDOWS, leads, b->arena);
    b->failed = b->failed || above == NULL || pin->key == NULL || key == NULL;
    pin->link = pin->key != NULL && key != NULL && strcmp(key, pin->key) != 0;
}

/* The directories above @path that the job may write to, and links: it could move them with what
 * is in them. Above what it may not write to, nothing can be done to @path; above a link the names
 * go on elsewhere. */
static void pin_above(struct plan_builder *b, const struct plan_node *node, const char *path,
                      struct pins *pins)
{
    const char *key = plan_key(POLICY_OS_WINDOWS, path, b->arena);
    const char *native = win_native(path, b->arena);
    size_t len = key == NULL ? 0 : strlen(key);

    if (key == NULL || native == NULL) {
        b->failed = true;
        return;
    }
    while ((len = plan_parent_len(key, len)) > 2) {
        const char *above = arena_strndup(b->arena, key, len);
        struct plan_entry entry = {.key = above, .key_len = len, .depth = plan_depth(key, len)};
        const char *cut = cut_path(b, native, entry.depth);
        struct pin pin = {.node = node};

        b->failed = b->failed || above == NULL || cut == NULL;
        if (above == NULL || cut == NULL || win_is_volume(&entry)) {
            return;
        }
        find_pin(b, cut, &pin);
        if (pin.key == NULL) {
            return;
        }
        if (plan_tree_view(&b->tree, plan_tree_find(&b->tree, pin.key, strlen(pin.key))) ==
            PLAN_WRITABLE) {
            pins->items[pins->count++] = pin;
        } else if (strcmp(pin.key, above) == 0) {
            return;
        }
    }
}

static size_t count_separators(const char *path)
{
    size_t count = 0;

    for (; *path != '\0'; path++) {
        count += *path == '/' || *path == '\\';
    }
    return count;
}

static void pin_node(struct plan_builder *b, const struct plan_node *node, struct pins *pins)
{
    const struct plan_entry *entries = &b->tree.entries[node->first];
    bool root = node->before < PLAN_WRITABLE && node->after == PLAN_WRITABLE;

    if (root && node->object == PLAN_DIRECTORY && !win_is_volume(entries)) {
        pins->items[pins->count++] = (struct pin){entries->key, node->path, node, false};
    }
    if (node->object == PLAN_MISSING && is_below_file(b, node)) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->after < node->before && !entries[i].match) {
            pin_above(b, node, entries[i].path, pins);
        }
        if (!entries[i].match && is_elsewhere(b, &entries[i])) {
            pin_above(b, node, entries[i].name, pins);
        }
    }
}

/* A link could be led elsewhere as well as moved. */
static void add_pin(struct plan_builder *b, const struct pin *pin)
{
    add_entry(b, pin->link ? PLAN_WINDOWS_DENY_WRITE : PLAN_WINDOWS_PIN,
              pin->link ? PLAN_STEP_LINK : PLAN_STEP_DIR, pin->node, pin->path);
}

/*
 * An entry stays with its object: a job that moved a directory above a denied one away could make
 * another under the name, which is no danger by itself, but what the host writes there then would
 * be readable. So such directories cannot be moved, and writable roots neither.
 */
void win_add_pins(struct plan_builder *b)
{
    struct pins pins = {.count = 0};
    size_t most = 2 * b->tree.node_count;

    for (size_t i = 0; i < b->tree.entry_count; i++) {
        const struct plan_entry *entry = &b->tree.entries[i];

        most += entry->match ? 0 : entry->depth + count_separators(entry->name);
    }
    pins.items = arena_array(b->arena, most, sizeof(*pins.items));
    if (pins.items == NULL) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < b->tree.node_count; i++) {
        pin_node(b, &b->tree.nodes[i], &pins);
    }
    qsort(pins.items, pins.count, sizeof(*pins.items), compare_pins);
    for (size_t i = 0; i < pins.count; i++) {
        if (i == 0 || strcmp(pins.items[i - 1].key, pins.items[i].key) != 0) {
            add_pin(b, &pins.items[i]);
        }
    }
}
