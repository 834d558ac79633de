/* SPDX-License-Identifier: Apache-2.0 */
/* What globs match now. */
#include "platform/windows/plan_scan.h"

#include <string.h>

#include "platform/plan_glob.h"
#include "platform/windows/path.h"
#include "policy/dfa.h"

/* Where a walk stands in a pattern; kept per directory. */
struct stand {
    struct dfa_pos plain;
    struct dfa_pos folded;
};

/* A directory was walked from this stand: what it would give is known. */
struct seen {
    uint64_t volume, file;
    struct stand stand;
    bool used;
};

struct glob_walk {
    struct win_walk walk;
    uint8_t set;
    uint32_t rule;
    struct dfa *plain;
    struct dfa *folded; /* of a pattern with letters beyond ASCII: in upper case; else NULL */
    uint32_t levels;    /* to look at below the start; 0: all */
    bool bounded;       /* by glob_scan_max_depth, to fewer than the pattern has */
    struct seen *seen;
    size_t seen_count, seen_size;
};

enum cordon_err win_scan_no_memory(const struct win_scan *scan)
{
    return fault_set(scan->fault, CORDON_E_NOMEM, NULL, "out of memory for the scan");
}

/* ---- matching ---- */

static enum cordon_err compile(const struct win_scan *scan, const char *pattern, size_t len,
                               struct dfa **ret_table)
{
    struct dfa_rule rule = {.pattern = pattern, .len = len, .glob = true, .cls = DFA_LIMITING};
    uint32_t culprit;

    return dfa_compile(&rule, 1, DFA_OPTIONS(true, DFA_BYTES_MAX), ret_table, &culprit,
                       scan->fault);
}

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80) {
        text++;
    }
    return *text == '\0';
}

/*
 * The matcher folds ASCII alone, NTFS more. A pattern with other letters is matched as it is and
 * in upper case; either counts.
 */
static enum cordon_err compile_both(struct glob_walk *g, const struct policy_rule *rule)
{
    const struct win_scan *scan = g->walk.scan;
    enum cordon_err err = compile(scan, rule->pattern, rule->pattern_len, &g->plain);
    char *upper;

    if (err != CORDON_OK || is_ascii(rule->pattern)) {
        return err;
    }
    upper = win_fold(rule->pattern, rule->pattern_len, scan->arena);
    return upper == NULL ? win_scan_no_memory(scan)
                         : compile(scan, upper, strlen(upper), &g->folded);
}

/* @from, one component further; false when the arena is exhausted. */
static bool advance(const struct glob_walk *g, const struct stand *from, const char *name,
                    struct stand *ret)
{
    *ret = *from;
    dfa_feed(g->plain, &ret->plain, "/", 1);
    dfa_feed(g->plain, &ret->plain, name, strlen(name));
    if (g->folded != NULL) {
        char *upper = win_fold(name, strlen(name), g->walk.scan->arena);

        if (upper == NULL) {
            return false;
        }
        dfa_feed(g->folded, &ret->folded, "/", 1);
        dfa_feed(g->folded, &ret->folded, upper, strlen(upper));
    }
    return true;
}

static bool matches(const struct glob_walk *g, const struct stand *stand)
{
    return dfa_rule_at(g->plain, &stand->plain) != DFA_NO_RULE ||
           (g->folded != NULL && dfa_rule_at(g->folded, &stand->folded) != DFA_NO_RULE);
}

static bool is_settled(const struct glob_walk *g, const struct stand *stand)
{
    return dfa_settled(g->plain, &stand->plain) &&
           (g->folded == NULL || dfa_settled(g->folded, &stand->folded));
}

/* Where the automata are at the start of the walk. */
static struct stand *first_stand(const struct glob_walk *g, const char *path)
{
    struct arena *arena = g->walk.scan->arena;
    struct stand *stand = arena_alloc(arena, sizeof(*stand));
    size_t len = strcmp(path, "/") == 0 ? 0 : strlen(path);
    const char *upper = g->folded == NULL ? "" : win_fold(path, len, arena);

    if (stand == NULL || upper == NULL) {
        return NULL;
    }
    dfa_start(g->plain, &stand->plain);
    dfa_feed(g->plain, &stand->plain, path, len);
    if (g->folded != NULL) {
        dfa_start(g->folded, &stand->folded);
        dfa_feed(g->folded, &stand->folded, upper, strlen(upper));
    }
    return stand;
}

/* ---- directories seen ---- */

static size_t slot_of(const struct glob_walk *g, uint64_t volume, uint64_t file,
                      const struct stand *stand)
{
    uint64_t hash = (volume * 31 + file) * 0x9e3779b97f4a7c15U + stand->plain.state[0];
    size_t at = (size_t)(hash >> 20) & (g->seen_size - 1);

    while (g->seen[at].used && (g->seen[at].volume != volume || g->seen[at].file != file ||
                                memcmp(&g->seen[at].stand, stand, sizeof(*stand)) != 0)) {
        at = (at + 1) & (g->seen_size - 1);
    }
    return at;
}

static bool widen_seen(struct glob_walk *g)
{
    struct seen *old = g->seen;
    size_t size = g->seen_size;

    g->seen_size = size == 0 ? 256 : 2 * size;
    g->seen = arena_array(g->walk.scan->arena, g->seen_size, sizeof(*g->seen));
    for (size_t i = 0; g->seen != NULL && i < size; i++) {
        if (old[i].used) {
            g->seen[slot_of(g, old[i].volume, old[i].file, &old[i].stand)] = old[i];
        }
    }
    return g->seen != NULL;
}

/*
 * Whether this pattern was here before, at the same place in it: then a junction led back. Of one
 * pattern alone: another one may start behind an alias of the same directory and must name what it
 * finds by that alias. Walking breadth first, the first visit has the most levels left.
 */
static bool seen_before(struct glob_walk *g, const char *path, const struct win_entry *entry,
                        const struct stand *stand)
{
    size_t at;

    if (entry->volume == 0 && entry->file == 0) {
        if (entry->link) {
            g->walk.err = fault_set(g->walk.scan->fault, CORDON_E_INVALID,
                                    "take the link away, or narrow the pattern",
                                    "cannot tell which directory the link %s leads to", path);
        }
        return entry->link;
    }
    if (2 * (g->seen_count + 1) > g->seen_size && !widen_seen(g)) {
        g->walk.err = win_scan_no_memory(g->walk.scan);
        return true;
    }
    at = slot_of(g, entry->volume, entry->file, stand);
    if (g->seen[at].used) {
        return true;
    }
    g->seen[at] = (struct seen){entry->volume, entry->file, *stand, true};
    g->seen_count++;
    return false;
}

/* ---- the walk ---- */

static enum cordon_err add_match(struct glob_walk *g, const struct win_place *at,
                                 const struct win_entry *entry)
{
    struct win_scan *scan = g->walk.scan;
    struct plan_match *match;
    struct plan_match *wider = arena_widen(scan->arena, scan->matches, scan->match_count,
                                           &scan->match_size, sizeof(*wider));

    if (wider == NULL) {
        return win_scan_no_memory(scan);
    }
    scan->matches = wider;
    match = &scan->matches[scan->match_count++];
    *match = (struct plan_match){.set = g->set, .rule = g->rule};
    match->path = win_native(at->path, scan->arena);
    /* A link that dangles is denied itself; what it names is not made for it. */
    match->fact.object = entry->object == PLAN_MISSING && entry->link ? PLAN_OTHER : entry->object;
    match->fact.link = entry->link;
    if (match->path != NULL && strcmp(at->canonical, match->path) != 0) {
        match->fact.resolved = at->canonical;
    }
    return match->path == NULL ? win_scan_no_memory(scan) : CORDON_OK;
}

static bool look(struct win_walk *walk, const struct win_place *above, const struct win_place *at,
                 const struct win_entry *entry, void **ret_mark)
{
    struct glob_walk *g = walk->context;
    struct stand stand;
    struct stand *kept;

    if (!advance(g, above->mark, entry->name, &stand)) {
        walk->err = win_scan_no_memory(walk->scan);
        return false;
    }
    if (matches(g, &stand)) {
        walk->err = add_match(g, at, entry);
        return false;
    }
    if (entry->object != PLAN_DIRECTORY || is_settled(g, &stand)) {
        return false;
    }
    if (g->levels != 0 && at->depth >= g->levels) {
        *walk->cut |= g->bounded ? WIN_CUT_DEPTH : 0;
        return false;
    }
    if (seen_before(g, at->path, entry, &stand)) {
        return false;
    }
    kept = arena_alloc(walk->scan->arena, sizeof(*kept));
    if (kept == NULL) {
        walk->err = win_scan_no_memory(walk->scan);
        return false;
    }
    *kept = stand;
    *ret_mark = kept;
    return true;
}

/* ---- what is going to be made ---- */

static enum cordon_err add_missing(struct glob_walk *g, const char *path)
{
    const struct win_tree *tree = g->walk.scan->facts->tree;
    struct arena *arena = g->walk.scan->arena;
    struct win_place at = {.path = path, .canonical = win_native(path, arena)};
    struct win_entry entry = {.object = PLAN_MISSING};
    enum cordon_err err;

    if (at.canonical == NULL) {
        return win_scan_no_memory(g->walk.scan);
    }
    err = tree->look(tree->context, at.canonical, arena, &entry, g->walk.scan->fault);
    if (err == CORDON_E_NOT_FOUND || err == CORDON_E_DENIED) {
        entry = (struct win_entry){.object = PLAN_MISSING};
        return add_match(g, &at, &entry);
    }
    return err; /* OK: it is there, so found by the walk or beyond its bound */
}

/* The shortest part of @path, which is missing, that the pattern matches. */
static enum cordon_err match_path(struct glob_walk *g, const char *path)
{
    struct stand *stand = first_stand(g, "/");
    struct arena *arena = g->walk.scan->arena;

    for (size_t len = 0; stand != NULL && path[len] != '\0';) {
        size_t part = strcspn(path + len + 1, "/");
        const char *name = arena_strndup(arena, path + len + 1, part);
        struct stand next;

        if (name == NULL || !advance(g, stand, name, &next)) {
            return win_scan_no_memory(g->walk.scan);
        }
        *stand = next;
        len += part + 1;
        if (matches(g, stand)) {
            const char *matched = arena_strndup(arena, path, len);

            return matched == NULL ? win_scan_no_memory(g->walk.scan) : add_missing(g, matched);
        }
    }
    return stand == NULL ? win_scan_no_memory(g->walk.scan) : CORDON_OK;
}

/* A grant makes nothing; but what reads as one may narrow a wider one. */
static enum cordon_err match_missing(struct glob_walk *g, const struct policy_ruleset *rules,
                                     const struct plan_fact *facts)
{
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rules[i];

        if (!rule->glob && rule->access != ACCESS_WRITE && facts[i].object == PLAN_MISSING &&
            rule->pattern_len > 1) {
            err = match_path(g, rule->pattern);
        }
    }
    return err;
}

/* ---- one rule ---- */

static void set_levels(struct glob_walk *g, const struct policy_rule *rule)
{
    uint32_t most = g->walk.scan->policy->glob_scan_max_depth;

    g->levels = plan_glob_levels(rule->pattern, rule->pattern_len);
    if (most != 0 && (g->levels == 0 || g->levels > most)) {
        g->levels = most;
        g->bounded = true;
    }
}

static enum cordon_err refuse_volume(const struct glob_walk *g, const struct policy_rule *rule)
{
    struct strbuf text = STRBUF_INIT;

    plan_rule_text(rule, &text);
    (void)fault_set(g->walk.scan->fault, CORDON_E_UNSUPPORTED,
                    "name a directory before the first \"**\", or set glob_scan_max_depth",
                    "would walk a whole volume before every command: %s", strbuf_text(&text));
    strbuf_deinit(&text);
    return CORDON_E_UNSUPPORTED;
}

/* Begins at the directory that the pattern's text begins with. */
static enum cordon_err run_glob(struct glob_walk *g, const struct policy_rule *rule)
{
    size_t len = plan_glob_prefix(rule->pattern, rule->pattern_len);
    const char *path = arena_strndup(g->walk.scan->arena, rule->pattern, len);
    struct stand *stand = path == NULL ? NULL : first_stand(g, path);
    struct win_place start;
    struct win_entry entry;
    enum cordon_err err;

    if (stand == NULL) {
        return win_scan_no_memory(g->walk.scan);
    }
    set_levels(g, rule);
    if (g->levels == 0 && plan_depth(path, len) <= (strncmp(path, "/UNC", 4) == 0 ? 3U : 1U)) {
        return refuse_volume(g, rule);
    }
    err = win_walk_start(&g->walk, path, &start, &entry);
    if (err != CORDON_OK || entry.object != PLAN_DIRECTORY) {
        return err;
    }
    start.mark = stand;
    (void)seen_before(g, path, &entry, stand);
    return g->walk.err != CORDON_OK ? g->walk.err : win_walk_run(&g->walk, &start);
}

static enum cordon_err scan_rule(struct win_scan *scan, uint8_t set, uint32_t index)
{
    uint8_t *cuts = set == PLAN_SET_MANAGED ? scan->managed_cut : scan->own_cut;
    const struct policy_rule *rule = plan_rule(scan->policy, set, index);
    struct glob_walk g = {.walk = {.scan = scan, .rule = rule, .cut = cuts + index, .look = look},
                          .set = set,
                          .rule = index};
    enum cordon_err err = compile_both(&g, rule);

    g.walk.context = &g;
    if (err == CORDON_OK) {
        err = run_glob(&g, rule);
    }
    if (err == CORDON_OK) {
        err = match_missing(&g, &scan->policy->managed, scan->known->managed);
    }
    if (err == CORDON_OK && !scan->policy->full_access) {
        err = match_missing(&g, &scan->policy->own, scan->known->own);
    }
    dfa_free(g.plain);
    dfa_free(g.folded);
    return err;
}

enum cordon_err win_scan_init(const struct plan_builder *builder, struct win_scan *ret_scan)
{
    *ret_scan = (struct win_scan){.policy = builder->policy,
                                  .known = builder->facts,
                                  .facts = builder->facts->windows,
                                  .arena = builder->arena,
                                  .fault = builder->fault};
    ret_scan->managed_cut = arena_alloc(builder->arena, builder->policy->managed.count);
    ret_scan->own_cut = arena_alloc(builder->arena, builder->policy->own.count);
    return ret_scan->managed_cut == NULL || ret_scan->own_cut == NULL ? win_scan_no_memory(ret_scan)
                                                                      : CORDON_OK;
}

static enum cordon_err scan_set(struct win_scan *scan, uint8_t set)
{
    const struct policy_ruleset *rules = plan_rules(scan->policy, set);
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < rules->count; i++) {
        if (rules->rules[i].glob) {
            err = scan_rule(scan, set, (uint32_t)i);
        }
    }
    return err;
}

enum cordon_err win_scan_globs(struct win_scan *scan)
{
    enum cordon_err err = scan_set(scan, PLAN_SET_MANAGED);

    if (err == CORDON_OK && !scan->policy->full_access) {
        err = scan_set(scan, PLAN_SET_OWN);
    }
    return err;
}
