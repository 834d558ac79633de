/* SPDX-License-Identifier: Apache-2.0 */
/* Who the job is, and which back end may say so. */
#include <string.h>

#include "platform/windows/plan_parts.h"

#define USERS "S-1-5-32-545"
#define EVERYONE "S-1-1-0"
#define AUTHENTICATED "S-1-5-11"
#define INTERACTIVE "S-1-5-4"
#define RESTRICTED_CODE "S-1-5-12"

bool win_is_service(const struct plan_builder *b)
{
    return b->facts->privileged || b->facts->windows == NULL;
}

bool win_is_volume(const struct plan_entry *entry)
{
    const char *key = entry->key;

    if (key[0] == '/' && key[1] == '/') {
        return entry->depth <= 2;
    }
    return entry->depth == 0 || (entry->depth == 1 && entry->key_len == 2 && key[1] == ':');
}

static bool root_is_readable(const struct plan_builder *b)
{
    for (size_t i = 0; i < b->tree.node_count; i++) {
        const struct plan_node *node = &b->tree.nodes[i];

        if (win_is_volume(&b->tree.entries[node->first]) && node->after != PLAN_HIDDEN) {
            return true;
        }
    }
    return b->tree.start != PLAN_HIDDEN;
}

enum win_token win_token_kind(const struct plan_builder *b)
{
    if (b->policy->full_access && b->policy->managed.count == 0) {
        return WIN_TOKEN_PLAIN;
    }
    return root_is_readable(b) ? WIN_TOKEN_WRITE_RESTRICTED : WIN_TOKEN_RESTRICTED;
}

/* ---- the system's directories ---- */

static enum plan_view view_of(const struct plan_builder *b, const char *path, bool *ret_failed)
{
    const char *key = plan_key(POLICY_OS_WINDOWS, path, b->arena);

    *ret_failed = *ret_failed || key == NULL;
    return key == NULL ? PLAN_HIDDEN
                       : plan_tree_view(&b->tree, plan_tree_find(&b->tree, key, strlen(key)));
}

/* How many of them may be read. */
static size_t count_system(const struct plan_builder *b, bool *ret_failed)
{
    const struct plan_windows_facts *facts = b->facts->windows;
    size_t count = 0;

    for (size_t i = 0; facts != NULL && i < facts->system_count; i++) {
        count += view_of(b, facts->system_dirs[i], ret_failed) != PLAN_HIDDEN;
    }
    return count;
}

enum cordon_err win_check_system(const struct plan_builder *b)
{
    const struct plan_windows_facts *facts = b->facts->windows;
    bool failed = false;
    size_t count = count_system(b, &failed);

    if (failed) {
        return fault_set(b->fault, CORDON_E_NOMEM, NULL, "out of memory for the plan");
    }
    if (count == 0 || count == facts->system_count || win_token_kind(b) != WIN_TOKEN_RESTRICTED) {
        return CORDON_OK;
    }
    for (size_t i = 0; i < facts->system_count; i++) {
        if (view_of(b, facts->system_dirs[i], &failed) == PLAN_HIDDEN) {
            return fault_set(b->fault, CORDON_E_UNSUPPORTED,
                             "grant reading it too, or none of the system's directories",
                             "%s is readable to all that may read one of the system's directories, "
                             "and profile %s grants another of them",
                             facts->system_dirs[i], b->policy->profile);
        }
    }
    return CORDON_OK;
}

bool win_by_token(const struct plan_builder *b, const char *key)
{
    const struct plan_windows_facts *facts = b->facts->windows;
    bool failed = false;

    if (facts == NULL || win_token_kind(b) != WIN_TOKEN_RESTRICTED ||
        count_system(b, &failed) != facts->system_count) {
        return false;
    }
    for (size_t i = 0; i < facts->system_count; i++) {
        const char *dir = plan_key(POLICY_OS_WINDOWS, facts->system_dirs[i], b->arena);

        if (dir != NULL && strcmp(dir, key) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the restricted token ---- */

#define SERVICE_REMEDY "start the job through the cordon service, or take the rule out"

static enum cordon_err refuse(const struct plan_builder *b, const struct policy_rule *rule,
                              const char *what)
{
    return plan_refuse(b, CORDON_E_UNSUPPORTED, rule, SERVICE_REMEDY, what);
}

/* An entry against reading would have to name the caller himself, whom it would lock out. */
static enum cordon_err check_denies(const struct plan_builder *b, const struct policy_ruleset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct policy_rule *rule = &set->rules[i];
        bool takes_back = strcmp(rule->spelled, ":root") == 0;

        if (rule->access == ACCESS_DENY && !takes_back) {
            return refuse(b, rule, "a restricted token cannot deny reading");
        }
        if (b->policy->full_access && rule->access == ACCESS_DENY_WRITE) {
            return refuse(b, rule, "a token that may write everywhere cannot be kept from it here");
        }
        if (rule->access == ACCESS_DENY_WRITE && rule->glob) {
            return refuse(b, rule, "a restricted token is made without a look at the disk");
        }
    }
    return CORDON_OK;
}

static bool is_below_narrowed(const struct plan_node *node)
{
    for (const struct plan_node *above = node->parent; above != NULL; above = above->parent) {
        if (above->after < above->before) {
            return true;
        }
    }
    return false;
}

/* The caller owns both lists and could swap the directories: the order of entries is not enough. */
static enum cordon_err check_reopened(const struct plan_builder *b)
{
    for (size_t i = 0; i < b->tree.node_count; i++) {
        const struct plan_node *node = &b->tree.nodes[i];

        if (node->after > node->before && is_below_narrowed(node)) {
            return refuse(b, plan_rule(b->policy, node->set, node->rule),
                          "a restricted token cannot reopen what lies below a narrower rule");
        }
    }
    return CORDON_OK;
}

enum cordon_err win_check_embedded(const struct plan_builder *b)
{
    const struct policy *policy = b->policy;
    enum cordon_err err = check_denies(b, &policy->managed);

    if (err == CORDON_OK && !policy->full_access) {
        err = check_denies(b, &policy->own);
    }
    if (err != CORDON_OK || policy->full_access) {
        return err;
    }
    err = check_reopened(b);
    if (err == CORDON_OK && !root_is_readable(b)) {
        err = fault_set(b->fault, CORDON_E_UNSUPPORTED,
                        "start the job through the cordon service, or add \":root\" = \"read\"",
                        "a restricted token cannot keep the job from reading what no entry of "
                        "profile %s grants",
                        policy->profile);
    }
    if (err == CORDON_OK && !policy->network) {
        err = fault_set(b->fault, CORDON_E_UNSUPPORTED,
                        "start the job through the cordon service, or set network.enabled = true",
                        "a restricted token cannot keep the job from the network (profile %s)",
                        policy->profile);
    }
    return err;
}

/* ---- steps ---- */

const char *const plan_windows_token_names[WIN_TOKEN_RESTRICTED + 1] = {
    [WIN_TOKEN_PLAIN] = "plain",
    [WIN_TOKEN_WRITE_RESTRICTED] = "write-restricted",
    [WIN_TOKEN_RESTRICTED] = "restricted"};

struct plan_windows_job win_job(struct plan_builder *b)
{
    const struct policy *policy = b->policy;
    struct plan_windows_job job = {.service = win_is_service(b),
                                   .principal = b->facts->principal,
                                   .token = win_token_kind(b),
                                   .full_access = policy->full_access,
                                   .network = policy->full_access || policy->network,
                                   .cwd = win_native(b->facts->cwd, b->arena)};

    job.packages = job.token == WIN_TOKEN_RESTRICTED && count_system(b, &b->failed) > 0;
    b->failed = b->failed || job.cwd == NULL;
    return job;
}

static void add_restricting(struct plan_builder *b, const struct plan_windows_job *job)
{
    /* Under full access the groups that let people write; not the account, so that it has no
     * owner's right over the lists of what it made. */
    static const char *const full[] = {USERS, AUTHENTICATED, INTERACTIVE, EVERYONE};

    plan_add_plain(b, PLAN_WINDOWS_RESTRICT, NULL, "principal");
    plan_add_plain(b, PLAN_WINDOWS_RESTRICT, NULL, "logon");
    plan_add_plain(b, PLAN_WINDOWS_RESTRICT, NULL, RESTRICTED_CODE);
    if (job->packages) {
        plan_add_plain(b, PLAN_WINDOWS_RESTRICT, NULL, PLAN_WINDOWS_PACKAGES);
    }
    for (size_t i = 0; job->full_access && i < sizeof(full) / sizeof(full[0]); i++) {
        plan_add_plain(b, PLAN_WINDOWS_RESTRICT, NULL, full[i]);
    }
}

void win_add_principal(struct plan_builder *b, const struct plan_windows_job *job)
{
    plan_add_plain(b, PLAN_WINDOWS_BACKEND, NULL, job->service ? "service" : "restricted-token");
    if (job->token != WIN_TOKEN_PLAIN) {
        plan_add_plain(b, PLAN_WINDOWS_PRINCIPAL, NULL,
                       job->principal == NULL ? "job" : job->principal);
    }
    plan_add_plain(b, PLAN_WINDOWS_TOKEN, NULL, plan_windows_token_names[job->token]);
    if (job->token != WIN_TOKEN_PLAIN) {
        add_restricting(b, job);
    }
    plan_add_plain(b, PLAN_WINDOWS_JOB, NULL, "kill-on-close no-breakaway");
}

void win_add_surroundings(struct plan_builder *b, const struct plan_windows_job *job)
{
    static const char *const filters[] = {"connect v4", "connect v6", "accept v4", "accept v6"};

    if (!job->full_access) {
        plan_add_plain(b, PLAN_WINDOWS_DESKTOP, NULL, NULL);
    }
    plan_add_plain(b, job->network ? PLAN_WINDOWS_NET_HOST : PLAN_WINDOWS_NET_OFF, NULL, NULL);
    for (size_t i = 0; !job->network && i < sizeof(filters) / sizeof(filters[0]); i++) {
        plan_add_plain(b, PLAN_WINDOWS_FILTER, NULL, filters[i]);
    }
    plan_add_plain(b, PLAN_WINDOWS_EXEC, job->cwd, NULL);
}
