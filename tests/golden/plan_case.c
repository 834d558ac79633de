/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/golden/plan_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/limits.h"

#define ITEMS_MAX 64U
#define WORDS_MAX 12U
#define ARENA_MAX (32U * 1024U * 1024U)

/* One line, split at blanks. */
struct words {
    char *word[WORDS_MAX];
    size_t count;
};

static struct plan_fact *facts_of(struct plan_case *c, bool managed)
{
    return (struct plan_fact *)(managed ? (uintptr_t)c->facts.managed : (uintptr_t)c->facts.own);
}

static bool parse_access(const char *word, enum policy_access *ret_access)
{
    for (int access = ACCESS_DENY; access <= ACCESS_WRITE; access++) {
        if (strcmp(word, plan_access_name((enum policy_access)access)) == 0) {
            *ret_access = (enum policy_access)access;
            return true;
        }
    }
    return false;
}

static bool parse_object(const char *word, enum plan_object *ret_object)
{
    static const char *const names[] = {"missing", "file", "dir", "other"};

    for (int object = PLAN_MISSING; object <= PLAN_OTHER; object++) {
        if (strcmp(word, names[object]) == 0) {
            *ret_object = (enum plan_object)object;
            return true;
        }
    }
    return false;
}

static bool parse_detail(struct policy_rule *rule, struct plan_fact *fact, const char *word)
{
    const char *value = strchr(word, '=');

    if (parse_object(word, &fact->object)) {
        return true;
    }
    if (strcmp(word, "link") == 0) {
        fact->link = true;
        return true;
    }
    if (strcmp(word, "nameless") == 0) {
        fact->nameless = true;
        return true;
    }
    if (strcmp(word, "builtin") == 0) {
        rule->origin = (struct policy_origin){.layer = LAYER_BUILTIN, .key = "protected metadata"};
        return true;
    }
    if (value == NULL) {
        return false;
    }
    value++;
    if (strncmp(word, "resolved=", 9) == 0) {
        fact->resolved = value;
    } else if (strncmp(word, "gitdir=", 7) == 0) {
        fact->gitdir = value;
    } else if (strncmp(word, "spelled=", 8) == 0) {
        rule->spelled = value;
    } else {
        return false;
    }
    return true;
}

static bool parse_rule(struct plan_case *c, const struct words *line)
{
    bool managed = strcmp(line->word[0], "managed") == 0;
    struct policy_ruleset *set = managed ? &c->policy.managed : &c->policy.own;
    struct policy_rule *rule = &set->rules[set->count];
    struct plan_fact *fact = &facts_of(c, managed)[set->count];

    if (line->count < 3 || set->count == ITEMS_MAX || !parse_access(line->word[1], &rule->access)) {
        return false;
    }
    set->count++;
    rule->pattern = line->word[2];
    rule->pattern_len = strlen(rule->pattern);
    rule->spelled = rule->pattern;
    rule->glob = strpbrk(rule->pattern, "*?[{") != NULL;
    rule->origin.layer = managed ? LAYER_MANAGED : LAYER_USER_CODEX;
    rule->origin.file = managed ? "/etc/cordon/requirements.toml" : "/home/a/.codex/config.toml";
    rule->origin.line = (uint32_t)set->count;
    rule->origin.key = managed ? "deny_read" : "permissions.dev.filesystem";
    fact->object = PLAN_DIRECTORY;
    for (size_t i = 3; i < line->count; i++) {
        if (!parse_detail(rule, fact, line->word[i])) {
            return false;
        }
    }
    return true;
}

static bool parse_flag(struct plan_case *c, const char *word)
{
    const struct {
        const char *word;
        bool *flag;
        bool value;
    } flags[] = {
        {"full-access", &c->policy.full_access, true},
        {"network", &c->policy.network, true},
        {"fanotify", &c->facts.host.fanotify, true},
        {"bpf", &c->facts.host.bpf, true},
        {"embedded", &c->facts.privileged, false},
        {"superuser", &c->facts.superuser, true},
        {"no-user-namespaces", &c->facts.host.user_namespaces, false},
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(word, flags[i].word) == 0) {
            *flags[i].flag = flags[i].value;
            return true;
        }
    }
    if (strcmp(word, "windows") == 0) {
        c->facts.windows = &c->tree.facts;
        return true;
    }
    if (strcmp(word, "minimum-managed-kernel") == 0) {
        c->policy.minimum_managed = ENFORCE_KERNEL;
        return true;
    }
    if (strcmp(word, "minimum-own-kernel") == 0) {
        c->policy.minimum_own = ENFORCE_KERNEL;
        return true;
    }
    return false;
}

static bool parse_limit(struct plan_case *c, const struct words *line)
{
    bool managed = line->count == 4 && strcmp(line->word[1], "managed") == 0;
    struct policy_limit_value *values = managed ? c->policy.limits.managed : c->policy.limits.own;

    for (int limit = 0; line->count == 4 && limit < POLICY_LIMIT_COUNT; limit++) {
        const char *name = policy_limit_name((enum policy_limit)limit);

        if (strcmp(line->word[2], name) == 0) {
            values[limit].value = (uint32_t)strtoul(line->word[3], NULL, 10);
            values[limit].origin.layer = managed ? LAYER_MANAGED : LAYER_USER;
            values[limit].origin.file =
                managed ? "/etc/cordon/requirements.toml" : "/home/a/.config/cordon/config.toml";
            values[limit].origin.line = (uint32_t)limit + 1;
            values[limit].origin.key = arena_printf(&c->arena, "cordon.limits.%s", name);
            return true;
        }
    }
    return false;
}

static uint32_t controllers_of(const char *list)
{
    return (strstr(list, "memory") != NULL ? (uint32_t)PLAN_CONTROLLER_MEMORY : 0) |
           (strstr(list, "pids") != NULL ? (uint32_t)PLAN_CONTROLLER_PIDS : 0) |
           (strstr(list, "cpu") != NULL ? (uint32_t)PLAN_CONTROLLER_CPU : 0);
}

/* ---- a Windows host ---- */

static bool parse_tree(struct plan_case *c, const struct words *line)
{
    const char *kind = line->count < 3 ? "" : line->word[1];
    enum plan_object object = strcmp(kind, "file") == 0 ? PLAN_FILE : PLAN_DIRECTORY;
    const struct disk_node *old = line->count < 3 ? NULL : disk_at(&c->tree, line->word[2]);
    struct disk_node *node;

    if (line->count < 3) {
        return false;
    }
    node = disk_add(&c->tree, line->word[2], old == NULL ? object : old->object);
    if (node == NULL) {
        return false;
    }
    if (strcmp(kind, "link") == 0 && line->count == 4) {
        node->target = line->word[3];
    } else if (strcmp(kind, "unlisted") == 0) {
        node->unlisted = true;
    } else if (strcmp(kind, "broken") == 0) {
        node->broken = true;
    } else {
        node->object = object;
        return strcmp(kind, "file") == 0 || strcmp(kind, "dir") == 0;
    }
    return true;
}

static bool parse_windows(struct plan_case *c, const struct words *line)
{
    struct plan_windows_facts *facts = &c->tree.facts;
    const char *word = line->word[0];

    if (strcmp(word, "tree") == 0) {
        c->facts.windows = facts;
        return parse_tree(c, line);
    }
    if (strcmp(word, "private") == 0) {
        c->tree.private_dirs[facts->private_count++] = line->word[1];
    } else if (strcmp(word, "system") == 0) {
        c->tree.system_dirs[facts->system_count++] = line->word[1];
    } else if (strcmp(word, "scan-entries") == 0) {
        facts->scan_entries = (uint32_t)strtoul(line->word[1], NULL, 10);
    } else if (strcmp(word, "late-after") == 0) {
        c->tree.late_after = (uint32_t)strtoul(line->word[1], NULL, 10);
    } else {
        return false;
    }
    c->facts.windows = facts;
    return true;
}

static void look_up_all(struct plan_case *c)
{
    for (int managed = 0; managed < 2; managed++) {
        const struct policy_ruleset *set = managed ? &c->policy.managed : &c->policy.own;

        for (size_t i = 0; i < set->count; i++) {
            if (!set->rules[i].glob) {
                disk_look_up(&c->tree, set->rules[i].pattern, &facts_of(c, managed)[i]);
            }
        }
    }
}

static bool parse_value(struct plan_case *c, const struct words *line)
{
    const char *word = line->word[0];
    const char *value = line->word[1];

    if (strcmp(word, "profile") == 0) {
        c->policy.profile = value;
    } else if (strcmp(word, "cwd") == 0) {
        c->facts.cwd = value;
        return line->count == 2 || parse_object(line->word[2], &c->facts.cwd_object);
    } else if (strcmp(word, "workspace") == 0) {
        c->policy.workspace_roots[c->policy.workspace_root_count++] = value;
    } else if (strcmp(word, "socket") == 0) {
        c->policy.unix_sockets[c->policy.unix_socket_count++] = value;
    } else if (strcmp(word, "needed") == 0) {
        ((const char **)(uintptr_t)c->facts.needed)[c->facts.needed_count++] = value;
    } else if (strcmp(word, "principal") == 0) {
        c->facts.principal = value;
    } else if (strcmp(word, "landlock") == 0) {
        c->facts.host.landlock_abi = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(word, "controllers") == 0) {
        c->facts.host.controllers = controllers_of(value);
    } else if (strcmp(word, "limit") == 0) {
        return parse_limit(c, line);
    } else if (strcmp(word, "scan-depth") == 0) {
        c->policy.glob_scan_max_depth = (uint32_t)strtoul(value, NULL, 10);
    } else {
        return parse_windows(c, line);
    }
    return true;
}

static bool parse_line(struct plan_case *c, char *text)
{
    struct words line = {.count = 0};
    char *rest = NULL;

    text[strcspn(text, "#")] = '\0';
    for (char *word = strtok_r(text, " \t", &rest); word != NULL && line.count < WORDS_MAX;
         word = strtok_r(NULL, " \t", &rest)) {
        line.word[line.count++] = word;
    }
    if (line.count == 0) {
        return true;
    }
    if (strcmp(line.word[0], "managed") == 0 || strcmp(line.word[0], "own") == 0) {
        return parse_rule(c, &line);
    }
    return line.count == 1 ? parse_flag(c, line.word[0]) : parse_value(c, &line);
}

bool plan_case_parse(struct plan_case *ret_case, const char *text)
{
    struct plan_case *c = ret_case;
    char *copy;
    char *rest = NULL;

    memset(c, 0, sizeof(*c));
    arena_init(&c->arena, ARENA_MAX);
    disk_init(&c->tree, &c->arena);
    c->policy.profile = ":workspace";
    c->policy.managed.rules = arena_array(&c->arena, ITEMS_MAX, sizeof(struct policy_rule));
    c->policy.own.rules = arena_array(&c->arena, ITEMS_MAX, sizeof(struct policy_rule));
    c->policy.workspace_roots = arena_array(&c->arena, ITEMS_MAX, sizeof(char *));
    c->policy.unix_sockets = arena_array(&c->arena, ITEMS_MAX, sizeof(char *));
    c->facts.managed = arena_array(&c->arena, ITEMS_MAX, sizeof(struct plan_fact));
    c->facts.own = arena_array(&c->arena, ITEMS_MAX, sizeof(struct plan_fact));
    c->facts.needed = arena_array(&c->arena, ITEMS_MAX, sizeof(char *));
    c->facts.privileged = true;
    c->facts.host = (struct plan_host){.landlock_abi = 6, .user_namespaces = true};
    c->facts.cwd = "/home/a/ws";
    c->facts.cwd_object = PLAN_DIRECTORY;
    copy = arena_strdup(&c->arena, text);
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (!parse_line(c, line)) {
            (void)fprintf(stderr, "not understood: %s\n", line);
            return false;
        }
    }
    if (c->tree.count > 0) {
        look_up_all(c);
    }
    return true;
}

void plan_case_deinit(struct plan_case *plan_case)
{
    arena_deinit(&plan_case->arena);
}

void plan_case_print(struct plan_case *plan_case, enum policy_os os, bool json, struct strbuf *out)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct plan *plan = NULL;
    enum cordon_err err;

    plan_case->policy.os = os;
    err = plan_for_os(os, &plan_case->policy, &plan_case->facts, &plan_case->arena, &plan, &fault);
    if (err == CORDON_OK) {
        plan_print(plan, &plan_case->policy, json, out);
    } else {
        strbuf_printf(out, "refused (%s): %s; %s\n", cordon_err_name(err), fault.text,
                      fault.remedy);
    }
}
