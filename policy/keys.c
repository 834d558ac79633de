/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of config.toml and requirements.toml; README.md explains each. */
#include <string.h>

#include "policy/schema.h"

#define ROWS(list) (list), sizeof(list) / sizeof((list)[0])
#define NUMBER(name, least, most)                                                                  \
    {                                                                                              \
        (name), SCHEMA_UINT, NULL, NULL, (least), (most)                                           \
    }
#define PLAIN(name, kind)                                                                          \
    {                                                                                              \
        (name), (kind), NULL, NULL, 0, 0                                                           \
    }
#define TABLE(name, schema)                                                                        \
    {                                                                                              \
        (name), SCHEMA_TABLE, &(schema), NULL, 0, 0                                                \
    }
#define WORDS(name, kind, list)                                                                    \
    {                                                                                              \
        (name), (kind), NULL, (list), 0, 0                                                         \
    }
#define NETWORK_KEY(name) PLAIN(name, SCHEMA_UNENFORCED)

static const char *const mode_words[] = {"read-only", "workspace-write", "danger-full-access",
                                         "external-sandbox", NULL};
static const char *const level_words[] = {"snapshot", "kernel", NULL};
static const char *const metadata_words[] = {"top", "nested", NULL};
static const char *const socket_words[] = {"allow", "deny", "none", NULL};
static const char *const audit_words[] = {"off", "jobs", "all", NULL};

static const struct schema_key each_bool = PLAIN("NAME", SCHEMA_BOOL);
static const struct schema bool_map = {"a table of NAME = true or false", NULL, 0, UNKNOWN_IS_NAME,
                                       &each_bool};

/* [permissions.NAME.filesystem] */
static const struct schema_key filesystem_keys[] = {
    NUMBER("glob_scan_max_depth", 1, UINT32_MAX),
};
static const struct schema_key each_access = PLAIN("PATH", SCHEMA_ACCESS);
static const struct schema filesystem = {"[permissions.NAME.filesystem]", ROWS(filesystem_keys),
                                         UNKNOWN_IS_NAME, &each_access};

/* [permissions.NAME.network]; what needs the proxy is judged in profile.c. */
static const struct schema_key each_socket = WORDS("PATH", SCHEMA_STRING, socket_words);
static const struct schema sockets = {"[permissions.NAME.network.unix_sockets]", NULL, 0,
                                      UNKNOWN_IS_NAME, &each_socket};
static const struct schema_key network_keys[] = {
    PLAIN("enabled", SCHEMA_BOOL),
    TABLE("unix_sockets", sockets),
    PLAIN("domains", SCHEMA_FOREIGN),
    PLAIN("mode", SCHEMA_FOREIGN),
    PLAIN("mitm", SCHEMA_FOREIGN),
    NETWORK_KEY("proxy_url"),
    NETWORK_KEY("enable_socks5"),
    NETWORK_KEY("socks_url"),
    NETWORK_KEY("enable_socks5_udp"),
    NETWORK_KEY("allow_upstream_proxy"),
    NETWORK_KEY("dangerously_allow_non_loopback_proxy"),
    NETWORK_KEY("dangerously_allow_all_unix_sockets"),
    NETWORK_KEY("allow_local_binding"),
};
static const struct schema network = {"[permissions.NAME.network]", ROWS(network_keys),
                                      UNKNOWN_IS_ERROR, NULL};

/* [cordon.limits] of both files, [permissions.NAME.limits] */
static const struct schema_key limits_keys[] = {
    NUMBER("memory_mib", 1, 1U << 30), NUMBER("pids", 1, 1U << 22),
    NUMBER("cpu_percent", 1, 100000),  NUMBER("open_files", 16, 1U << 30),
    NUMBER("wall_s", 1, 1U << 30),
};
static const struct schema limits = {"[cordon.limits] and [permissions.NAME.limits]",
                                     ROWS(limits_keys), UNKNOWN_IS_ERROR, NULL};

/* [permissions.NAME] */
static const struct schema_key profile_keys[] = {
    PLAIN("description", SCHEMA_STRING),
    PLAIN("extends", SCHEMA_STRING),
    TABLE("workspace_roots", bool_map),
    TABLE("filesystem", filesystem),
    TABLE("network", network),
    WORDS("protect_metadata", SCHEMA_STRING, metadata_words),
    TABLE("limits", limits),
};
static const struct schema profile = {"[permissions.NAME]", ROWS(profile_keys), UNKNOWN_IS_ERROR,
                                      NULL};
static const struct schema_key each_profile = TABLE("NAME", profile);

/* config.toml */
static const struct schema_key workspace_keys[] = {
    PLAIN("writable_roots", SCHEMA_STRINGS),
    PLAIN("network_access", SCHEMA_BOOL),
    PLAIN("exclude_tmpdir_env_var", SCHEMA_BOOL),
    PLAIN("exclude_slash_tmp", SCHEMA_BOOL),
};
static const struct schema workspace = {"[sandbox_workspace_write]", ROWS(workspace_keys),
                                        UNKNOWN_IS_ERROR, NULL};
static const struct schema config_permissions = {"[permissions]", NULL, 0, UNKNOWN_IS_NAME,
                                                 &each_profile};
static const struct schema_key own_keys[] = {
    WORDS("minimum_enforcement", SCHEMA_STRING, level_words),
    TABLE("limits", limits),
};
static const struct schema config_own = {"[cordon] of config.toml", ROWS(own_keys),
                                         UNKNOWN_IS_ERROR, NULL};
static const struct schema_key config_keys[] = {
    WORDS("sandbox_mode", SCHEMA_STRING, mode_words),
    TABLE("sandbox_workspace_write", workspace),
    PLAIN("default_permissions", SCHEMA_STRING),
    TABLE("permissions", config_permissions),
    TABLE("cordon", config_own),
};
const struct schema schema_config = {"the top level of config.toml", ROWS(config_keys),
                                     UNKNOWN_IS_FOREIGN, NULL};

/* requirements.toml */
static const struct schema_key managed_files_keys[] = {
    PLAIN("deny_read", SCHEMA_DENIES),
};
static const struct schema managed_files = {"[permissions.filesystem] of requirements.toml",
                                            ROWS(managed_files_keys), UNKNOWN_IS_ERROR, NULL};
static const struct schema_key managed_permissions_keys[] = {
    TABLE("filesystem", managed_files),
    PLAIN("network", SCHEMA_UNENFORCED),
};
static const struct schema managed_permissions = {"[permissions] of requirements.toml",
                                                  ROWS(managed_permissions_keys), UNKNOWN_IS_NAME,
                                                  &each_profile};
static const struct schema_key rule_keys[] = {
    PLAIN("users", SCHEMA_STRINGS),     PLAIN("groups", SCHEMA_STRINGS),
    PLAIN("hosts", SCHEMA_STRINGS),     PLAIN("deny_read", SCHEMA_DENIES),
    PLAIN("deny_write", SCHEMA_DENIES),
};
static const struct schema rule = {"[[cordon.rule]]", ROWS(rule_keys), UNKNOWN_IS_ERROR, NULL};
static const struct schema_key audit_keys[] = {
    WORDS("level", SCHEMA_STRING, audit_words),
    PLAIN("sink", SCHEMA_STRING),
    PLAIN("redact", SCHEMA_STRINGS),
};
static const struct schema audit = {"[cordon.audit]", ROWS(audit_keys), UNKNOWN_IS_ERROR, NULL};
static const struct schema_key managed_own_keys[] = {
    WORDS("minimum_enforcement", SCHEMA_STRING, level_words),
    {"rule", SCHEMA_TABLES, &rule, NULL, 0, 0},
    TABLE("limits", limits),
    TABLE("audit", audit),
};
static const struct schema managed_own = {"[cordon] of requirements.toml", ROWS(managed_own_keys),
                                          UNKNOWN_IS_ERROR, NULL};
static const struct schema_key remote_keys[] = {
    PLAIN("hostname_patterns", SCHEMA_STRINGS),
    WORDS("allowed_sandbox_modes", SCHEMA_STRINGS, mode_words),
};
static const struct schema remote = {"[[remote_sandbox_config]]", ROWS(remote_keys),
                                     UNKNOWN_IS_ERROR, NULL};
static const struct schema_key requirements_keys[] = {
    TABLE("permissions", managed_permissions),
    WORDS("allowed_sandbox_modes", SCHEMA_STRINGS, mode_words),
    TABLE("allowed_permission_profiles", bool_map),
    PLAIN("default_permissions", SCHEMA_STRING),
    {"remote_sandbox_config", SCHEMA_TABLES, &remote, NULL, 0, 0},
    TABLE("cordon", managed_own),
    /* Known to Codex; none of them is the sandbox's. */
    PLAIN("allowed_approval_policies", SCHEMA_UNENFORCED),
    PLAIN("allowed_approvals_reviewers", SCHEMA_UNENFORCED),
    PLAIN("allowed_web_search_modes", SCHEMA_UNENFORCED),
    PLAIN("allow_managed_hooks_only", SCHEMA_UNENFORCED),
    PLAIN("allow_login_shell", SCHEMA_UNENFORCED),
    PLAIN("allow_appshots", SCHEMA_UNENFORCED),
    PLAIN("allow_browser_and_computer_use", SCHEMA_UNENFORCED),
    PLAIN("allow_remote_control", SCHEMA_UNENFORCED),
    PLAIN("allowed_login_methods", SCHEMA_UNENFORCED),
    PLAIN("allowed_chatgpt_workspaces", SCHEMA_UNENFORCED),
    PLAIN("additional_developer_instructions", SCHEMA_UNENFORCED),
    PLAIN("guardian_policy_config", SCHEMA_UNENFORCED),
    PLAIN("guardian_extra_policy", SCHEMA_UNENFORCED),
    PLAIN("enforce_residency", SCHEMA_UNENFORCED),
    PLAIN("unsafe_enforce_sqlite_journal_mode", SCHEMA_UNENFORCED),
    PLAIN("network_proxy", SCHEMA_UNENFORCED),
    PLAIN("experimental_network", SCHEMA_UNENFORCED),
    PLAIN("features", SCHEMA_UNENFORCED),
    PLAIN("feature_requirements", SCHEMA_UNENFORCED),
    PLAIN("hooks", SCHEMA_UNENFORCED),
    PLAIN("mcp_servers", SCHEMA_UNENFORCED),
    PLAIN("plugins", SCHEMA_UNENFORCED),
    PLAIN("apps", SCHEMA_UNENFORCED),
    PLAIN("rules", SCHEMA_UNENFORCED),
    PLAIN("models", SCHEMA_UNENFORCED),
    PLAIN("model_providers", SCHEMA_UNENFORCED),
    PLAIN("marketplaces", SCHEMA_UNENFORCED),
    PLAIN("windows", SCHEMA_UNENFORCED),
    PLAIN("otel", SCHEMA_UNENFORCED),
    PLAIN("auto_review", SCHEMA_UNENFORCED),
    PLAIN("application", SCHEMA_UNENFORCED),
    PLAIN("in_app_browser", SCHEMA_UNENFORCED),
    PLAIN("browser_use", SCHEMA_UNENFORCED),
    PLAIN("computer_use", SCHEMA_UNENFORCED),
    PLAIN("config_server", SCHEMA_UNENFORCED),
};
const struct schema schema_requirements = {"the top level of requirements.toml",
                                           ROWS(requirements_keys), UNKNOWN_IS_ERROR, NULL};

const struct schema *const schema_all[] = {
    &managed_files, &filesystem, &profile, &network,       &workspace,   &rule,
    &limits,        &audit,      &remote,  &schema_config, &managed_own, &schema_requirements,
};
const size_t schema_all_count = sizeof(schema_all) / sizeof(schema_all[0]);

bool schema_access(const char *word, enum policy_access *ret_access)
{
    static const struct {
        const char *word;
        enum policy_access access;
    } words[] = {{"read", ACCESS_READ},
                 {"write", ACCESS_WRITE},
                 {"deny", ACCESS_DENY},
                 {"none", ACCESS_DENY}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i].word) == 0) {
            *ret_access = words[i].access;
            return true;
        }
    }
    return false;
}
