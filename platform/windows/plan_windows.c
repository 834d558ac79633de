/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/plan_windows.h"

#include <string.h>

#include "platform/plan_glob.h"
#include "platform/windows/path.h"
#include "platform/windows/plan_parts.h"

const char *const plan_windows_op_names[PLAN_WINDOWS_OP_COUNT] = {
    [PLAN_WINDOWS_BACKEND] = "backend",
    [PLAN_WINDOWS_PRINCIPAL] = "principal",
    [PLAN_WINDOWS_TOKEN] = "token",
    [PLAN_WINDOWS_RESTRICT] = "restrict",
    [PLAN_WINDOWS_JOB] = "job",
    [PLAN_WINDOWS_MATERIALISE] = "materialise",
    [PLAN_WINDOWS_GRANT_READ] = "grant-read",
    [PLAN_WINDOWS_GRANT_WRITE] = "grant-write",
    [PLAN_WINDOWS_DENY] = "deny",
    [PLAN_WINDOWS_DENY_WRITE] = "deny-write",
    [PLAN_WINDOWS_PIN] = "pin",
    [PLAN_WINDOWS_DESKTOP] = "desktop",
    [PLAN_WINDOWS_NET_OFF] = "net-off",
    [PLAN_WINDOWS_FILTER] = "filter",
    [PLAN_WINDOWS_NET_HOST] = "net-host",
    [PLAN_WINDOWS_EXEC] = "exec",
};

/* ---- spellings ---- */

/* Components with wildcards are the matcher's; what they match is on the disk already. */
static bool is_literal(const char *name, size_t len, bool glob)
{
    for (size_t i = 0; glob && i < len; i++) {
        if (strchr("*?[]{},\\", name[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static enum cordon_err refuse_spelling(const struct plan_builder *b, const struct policy_rule *rule,
                                       const struct cordon_fault *reason)
{
    return reason->err == CORDON_E_NOMEM
               ? fault_set(b->fault, CORDON_E_NOMEM, NULL, "out of memory for the plan")
               : plan_refuse(b, CORDON_E_INVALID, rule, reason->remedy, reason->text);
}

/* Drive or share, and all that is written out before the first wildcard. */
static enum cordon_err check_start(const struct plan_builder *b, const struct policy_rule *rule)
{
    size_t len =
        rule->glob ? plan_glob_prefix(rule->pattern, rule->pattern_len) : rule->pattern_len;
    const char *start = arena_strndup(b->arena, rule->pattern, len);
    const char *native = start == NULL ? NULL : win_native(start, b->arena);
    struct cordon_fault reason = {.err = CORDON_E_NOMEM};
    struct win_path path;

    if (native == NULL ||
        (native[0] != '\0' &&
         win_path_read(native, strlen(native), NULL, b->arena, &path, &reason) != CORDON_OK)) {
        return refuse_spelling(b, rule, &reason);
    }
    return CORDON_OK;
}

/* Names that mean on Windows what they say, also behind a wildcard. */
static enum cordon_err check_pattern(const struct plan_builder *b, const struct policy_rule *rule)
{
    enum cordon_err err = check_start(b, rule);
    const char *at =
        rule->pattern +
        (rule->glob ? plan_glob_prefix(rule->pattern, rule->pattern_len) : rule->pattern_len);

    while (err == CORDON_OK && *at != '\0') {
        struct cordon_fault reason;
        size_t len;

        at += *at == '/';
        len = strcspn(at, "/");
        if (is_literal(at, len, rule->glob) && !plan_is_drive(at) &&
            win_name_check(at, len, &reason) != CORDON_OK) {
            err = refuse_spelling(b, rule, &reason);
        }
        at += len;
    }
    return err;
}

static enum cordon_err check_patterns(const struct plan_builder *b)
{
    const struct policy *policy = b->policy;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < policy->managed.count; i++) {
        err = check_pattern(b, &policy->managed.rules[i]);
    }
    for (size_t i = 0; !policy->full_access && err == CORDON_OK && i < policy->own.count; i++) {
        err = check_pattern(b, &policy->own.rules[i]);
    }
    return err;
}

/* ---- globs ---- */

static enum cordon_err check_globs(const struct plan_builder *b, const struct policy_ruleset *set,
                                   enum policy_enforcement minimum)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct policy_rule *rule = &set->rules[i];

        if (!rule->glob) {
            continue;
        }
        if (minimum == ENFORCE_KERNEL) {
            return plan_refuse(b, CORDON_E_UNSUPPORTED, rule,
                               "set minimum_enforcement = \"snapshot\" to accept that",
                               "this rule holds at level snapshot only, and level kernel is "
                               "required");
        }
        if (b->facts->windows == NULL) {
            return plan_refuse(b, CORDON_E_UNSUPPORTED, rule,
                               "ask for the plan on the Windows host",
                               "needs a look at the host's directories");
        }
    }
    return CORDON_OK;
}

static void label_globs(struct plan_builder *b, const struct win_scan *scan, uint8_t set)
{
    bool managed = set == PLAN_SET_MANAGED;
    const struct policy_ruleset *rules = plan_rules(b->policy, set);
    struct plan_label *labels = managed ? b->plan->managed : b->plan->own;
    const uint8_t *cut = managed ? scan->managed_cut : scan->own_cut;

    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rules[i];

        if (rule->glob) {
            labels[i].level = PLAN_SNAPSHOT;
        }
        if ((cut[i] & WIN_CUT_DENIED) != 0) {
            plan_note(b, set, (uint32_t)i, "a directory could not be listed: not covered below it");
            plan_notice(b, "%s: a directory could not be listed, and is not covered below it",
                        rule->spelled);
        } else if ((cut[i] & WIN_CUT_DEPTH) != 0) {
            plan_note(b, set, (uint32_t)i, "the scan stopped at glob_scan_max_depth");
        }
    }
}

static bool scans(const struct plan_builder *b)
{
    return b->facts->privileged && b->facts->windows != NULL;
}

/* What globs match becomes part of @facts, the planner's own copy. */
static enum cordon_err expand(struct plan_builder *b, struct win_scan *scan,
                              struct plan_facts *facts)
{
    enum cordon_err err = win_scan_globs(scan);

    facts->matches = scan->matches;
    facts->match_count = scan->match_count;
    b->facts = facts;
    return err;
}

/* ---- refusals ---- */

static enum cordon_err refuse_volume(const struct plan_builder *b, const struct policy_rule *rule)
{
    return rule->access == ACCESS_READ
               ? plan_refuse(b, CORDON_E_UNSUPPORTED, rule,
                             "write \":root\" = \"read\", or name directories of the volume",
                             "cannot open one whole volume and not the others")
               : plan_refuse(b, CORDON_E_UNSUPPORTED, rule, "name directories below it",
                             "would rewrite the access list of a whole volume");
}

/* Whether what @entry, on a volume, says is said of everything and so a matter of the token. */
static bool by_token(const struct plan_builder *b, const struct plan_entry *entry,
                     const struct policy_rule *rule)
{
    const struct plan_node *top = plan_tree_find(&b->tree, "/", 1);
    bool everything = entry->depth == 0 || strcmp(rule->spelled, ":root") == 0;

    if (rule->access == ACCESS_DENY) {
        return entry->set == PLAN_SET_OWN && strcmp(rule->spelled, ":root") == 0;
    }
    return rule->access == ACCESS_READ &&
           (everything || plan_tree_view(&b->tree, top) >= PLAN_READABLE);
}

static enum cordon_err check_volumes(const struct plan_builder *b)
{
    for (size_t i = 0; i < b->tree.entry_count; i++) {
        const struct plan_entry *entry = &b->tree.entries[i];
        const struct policy_rule *rule = plan_rule(b->policy, entry->set, entry->rule);

        if (win_is_volume(entry) && !by_token(b, entry, rule)) {
            return refuse_volume(b, rule);
        }
    }
    return CORDON_OK;
}

/* Before anything is looked at. */
static enum cordon_err check_rules(const struct plan_builder *b)
{
    const struct policy *policy = b->policy;
    enum cordon_err err = b->facts->windows == NULL ? CORDON_OK : check_patterns(b);

    if (err == CORDON_OK) {
        err = check_globs(b, &policy->managed, policy->minimum_managed);
    }
    if (err == CORDON_OK && !policy->full_access) {
        err = check_globs(b, &policy->own, policy->minimum_own);
    }
    return err;
}

static enum cordon_err check_tree(struct plan_builder *b)
{
    enum cordon_err err = plan_limits_elsewhere(b);

    if (err == CORDON_OK) {
        err = check_volumes(b);
    }
    if (err == CORDON_OK) {
        err = plan_check_common(b);
    }
    if (err == CORDON_OK && !win_is_service(b)) {
        err = win_check_embedded(b);
    }
    return err == CORDON_OK ? win_check_system(b) : err;
}

/* ---- the plan ---- */

static void add_steps(struct plan_builder *b, const struct win_scan *scan)
{
    const struct plan_windows_job job = win_job(b);

    win_add_principal(b, &job);
    win_add_targets(b);
    if (scans(b)) {
        win_add_private(b);
    }
    win_add_pins(b);
    label_globs(b, scan, PLAN_SET_MANAGED);
    plan_notice_level(b, &b->policy->managed, b->plan->managed, "managed");
    if (!b->policy->full_access) {
        label_globs(b, scan, PLAN_SET_OWN);
        plan_notice_level(b, &b->policy->own, b->plan->own, "profile");
    }
    if (b->policy->unix_socket_count > 0) {
        plan_notice(b, "unix_sockets are not opened on this system");
    }
    win_add_surroundings(b, &job);
}

enum cordon_err plan_windows_of(const struct plan_windows_job *job, const struct plan_step *entries,
                                size_t entry_count, struct arena *arena, struct plan **ret_plan)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));
    struct plan_builder b = {.arena = arena, .plan = plan};

    if (plan == NULL) {
        return CORDON_E_NOMEM;
    }
    plan->os = POLICY_OS_WINDOWS;
    win_add_principal(&b, job);
    for (size_t i = 0; i < entry_count; i++) {
        (void)plan_add(&b, &entries[i]);
    }
    win_add_surroundings(&b, job);
    return plan_finish(&b, ret_plan);
}

enum cordon_err plan_windows(const struct policy *policy, const struct plan_facts *facts,
                             struct arena *arena, struct plan **ret_plan,
                             struct cordon_fault *fault)
{
    struct plan_builder b = {.policy = policy, .facts = facts, .arena = arena, .fault = fault};
    struct plan_facts found = *facts;
    struct win_scan scan;
    enum cordon_err err = win_scan_init(&b, &scan);

    if (err == CORDON_OK) {
        err = check_rules(&b);
    }
    if (err == CORDON_OK && scans(&b)) {
        err = expand(&b, &scan, &found);
    }
    if (err == CORDON_OK) {
        err = plan_begin(&b, PLAN_OBJECT_ONLY, NULL, 0);
    }
    if (err == CORDON_OK) {
        err = check_tree(&b);
    }
    if (err != CORDON_OK) {
        return err;
    }
    add_steps(&b, &scan);
    return plan_finish(&b, ret_plan);
}
