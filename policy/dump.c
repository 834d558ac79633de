/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/policy.h"
#include "policy/signature.h"

_Static_assert(POLICY_HASH_HEX == 2 * DIGEST_BYTES + 1, "room for the digits");

static const char *const layer_names[] = {
    [LAYER_MANAGED_CODEX] = "managed",     [LAYER_MANAGED] = "managed",
    [LAYER_USER_CODEX] = "config",         [LAYER_USER] = "config",
    [LAYER_COMMAND_LINE] = "command line", [LAYER_BUILTIN] = "built in"};

void policy_origin_text(const struct policy_origin *origin, struct strbuf *out)
{
    const char *key = origin->key == NULL ? "" : origin->key;

    strbuf_escape(out, key, strlen(key));
    strbuf_puts(out, *key == '\0' ? "" : ", ");
    if (origin->file == NULL) {
        strbuf_puts(out, layer_names[origin->layer]);
        return;
    }
    strbuf_escape(out, origin->file, strlen(origin->file));
    strbuf_printf(out, ":%" PRIu32, origin->line);
}

static const char *const access_names[] = {[ACCESS_DENY] = "deny",
                                           [ACCESS_DENY_WRITE] = "deny-write",
                                           [ACCESS_READ] = "read",
                                           [ACCESS_WRITE] = "write"};
static const char *const os_names[] = {
    [POLICY_OS_LINUX] = "linux", [POLICY_OS_MACOS] = "macos", [POLICY_OS_WINDOWS] = "windows"};
static const char *const level_names[] = {
    [ENFORCE_SNAPSHOT] = "snapshot", [ENFORCE_KERNEL] = "kernel"};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds @lines (owned; freed here) sorted and once each. */
static void dump_lines(char **lines, size_t count, struct strbuf *out)
{
    const char *last = NULL;

    qsort(lines, count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < count; i++) {
        if (last == NULL || strcmp(last, lines[i]) != 0) {
            strbuf_puts(out, lines[i]);
        }
        last = lines[i];
    }
    for (size_t i = 0; i < count; i++) {
        free(lines[i]);
    }
}

static char *rule_line(const char *set, const struct policy_rule *rule)
{
    struct strbuf line = STRBUF_INIT;

    strbuf_printf(&line, "%s %s%s ", set, access_names[rule->access], rule->glob ? " glob" : "");
    strbuf_escape(&line, rule->pattern, rule->pattern_len);
    strbuf_puts(&line, "\n");
    return strbuf_steal(&line);
}

static void dump_rules(const char *name, const struct policy_ruleset *set, struct strbuf *out)
{
    char **lines = calloc(set->count + 1, sizeof(*lines));
    size_t count = 0;

    if (lines == NULL) {
        out->failed = true;
        return;
    }
    while (count < set->count) {
        lines[count] = rule_line(name, &set->rules[count]);
        if (lines[count] == NULL) {
            out->failed = true;
            break;
        }
        count++;
    }
    dump_lines(lines, count, out);
    free(lines);
}

static void dump_texts(const char *name, const char *const *texts, size_t count, struct strbuf *out)
{
    char **lines = calloc(count + 1, sizeof(*lines));
    size_t made = 0;

    if (lines == NULL) {
        out->failed = true;
        return;
    }
    while (made < count) {
        struct strbuf line = STRBUF_INIT;

        strbuf_printf(&line, "%s ", name);
        strbuf_escape(&line, texts[made], strlen(texts[made]));
        strbuf_puts(&line, "\n");
        lines[made] = strbuf_steal(&line);
        if (lines[made] == NULL) {
            out->failed = true;
            break;
        }
        made++;
    }
    dump_lines(lines, made, out);
    free(lines);
}

static void dump_text(const char *name, const char *text, struct strbuf *out)
{
    strbuf_printf(out, "%s ", name);
    strbuf_escape(out, text == NULL ? "-" : text, text == NULL ? 1 : strlen(text));
    strbuf_puts(out, "\n");
}

static void dump_limits(const char *name, const struct policy_limit_value *values,
                        struct strbuf *out)
{
    strbuf_puts(out, name);
    for (int limit = 0; limit < POLICY_LIMIT_COUNT; limit++) {
        strbuf_printf(out, " %s %" PRIu32, policy_limit_name((enum policy_limit)limit),
                      values[limit].value);
    }
    strbuf_puts(out, "\n");
}

static void dump_managed(const struct policy *policy, struct strbuf *out)
{
    strbuf_printf(out, "minimum managed %s own %s\n", level_names[policy->minimum_managed],
                  level_names[policy->minimum_own]);
    strbuf_printf(out, "managed-allows write %d full-access %d\n", policy->managed_allows_write,
                  policy->managed_allows_full_access);
    dump_limits("limits", policy->limits.managed, out);
    dump_limits("own-limits", policy->limits.own, out);
    dump_text("audit-level", policy->audit.level, out);
    dump_text("audit-sink", policy->audit.sink, out);
    dump_texts("audit-redact", policy->audit.redact, policy->audit.redact_count, out);
}

void policy_dump(const struct policy *policy, struct strbuf *out)
{
    strbuf_printf(out, "cordon-policy 1\nos %s\n", os_names[policy->os]);
    dump_text("profile", policy->profile, out);
    strbuf_printf(out, "full-access %d\nnetwork %d\nglob-scan-max-depth %" PRIu32 "\n",
                  policy->full_access, policy->network, policy->glob_scan_max_depth);
    dump_managed(policy, out);
    dump_texts("workspace-root", policy->workspace_roots, policy->workspace_root_count, out);
    dump_texts("unix-socket", policy->unix_sockets, policy->unix_socket_count, out);
    dump_rules("managed", &policy->managed, out);
    dump_rules("own", &policy->own, out);
}

enum cordon_err policy_hash(const struct policy *policy, char ret_hex[POLICY_HASH_HEX])
{
    struct strbuf text = STRBUF_INIT;
    struct digest digest;

    policy_dump(policy, &text);
    if (text.failed) {
        strbuf_deinit(&text);
        return CORDON_E_NOMEM;
    }
    digest_sha256(strbuf_text(&text), text.len, &digest);
    strbuf_deinit(&text);
    signature_to_hex(digest.bytes, sizeof(digest.bytes), ret_hex);
    return CORDON_OK;
}
