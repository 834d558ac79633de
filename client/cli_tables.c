/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli_take.h"

const char *const cli_modes[] = {"read-only", "workspace-write", "danger-full-access", NULL};
static const char *const shells[] = {"bash", "zsh", "fish", NULL};

#define POLICY_OPTIONS                                                                             \
    (CLI_BIT(CLI_OPT_SANDBOX) | CLI_BIT(CLI_OPT_PROFILE) | CLI_BIT(CLI_OPT_CONFIG) |               \
     CLI_BIT(CLI_OPT_CD) | CLI_BIT(CLI_OPT_MANAGED))
#define SANDBOX_OPTIONS                                                                            \
    (POLICY_OPTIONS | CLI_BIT(CLI_OPT_LOG_DENIALS) | CLI_BIT(CLI_OPT_JSON) |                       \
     CLI_BIT(CLI_OPT_PRINT_PLAN) | CLI_BIT(CLI_OPT_TIMEOUT) | CLI_BIT(CLI_OPT_EMBEDDED))

static const struct cli_verb_row verbs[] = {
    {"sandbox", NULL, CLI_SANDBOX, CLI_OS_HOST, false, CLI_COMMAND, 0, 0, SANDBOX_OPTIONS,
     "[linux|macos|windows] [--] COMMAND [ARG...]", NULL, "run a command in a sandbox"},
    {"debug", "landlock", CLI_SANDBOX, CLI_OS_LINUX, false, CLI_COMMAND, 0, 0, SANDBOX_OPTIONS,
     "[--] COMMAND [ARG...]", NULL, "old name of sandbox linux"},
    {"debug", "seatbelt", CLI_SANDBOX, CLI_OS_MACOS, false, CLI_COMMAND, 0, 0, SANDBOX_OPTIONS,
     "[--] COMMAND [ARG...]", NULL, "old name of sandbox macos"},
    {"violations", NULL, CLI_VIOLATIONS, CLI_OS_HOST, false, CLI_WORDS, 0, 0,
     CLI_BIT(CLI_OPT_FOLLOW) | CLI_BIT(CLI_OPT_JSON), "", NULL,
     "print the denials of your jobs; root: of all"},
    {"why", NULL, CLI_WHY, CLI_OS_HOST, true, CLI_WORDS, 1, 1,
     POLICY_OPTIONS | CLI_BIT(CLI_OPT_JSON) | CLI_BIT(CLI_OPT_READ) | CLI_BIT(CLI_OPT_WRITE),
     "PATH", NULL, "say what the policy decides about a path, and which rule does"},
    {"policy", "show", CLI_POLICY_SHOW, CLI_OS_HOST, true, CLI_WORDS, 0, 0,
     POLICY_OPTIONS | CLI_BIT(CLI_OPT_JSON), "", NULL,
     "print the effective policy with the origin of every rule"},
    {"policy", "check", CLI_POLICY_CHECK, CLI_OS_HOST, true, CLI_WORDS, 1, 1, CLI_BIT(CLI_OPT_JSON),
     "FILE", NULL, "validate a configuration or requirements file"},
    {"policy", "test", CLI_POLICY_TEST, CLI_OS_HOST, true, CLI_WORDS, 1, 1,
     POLICY_OPTIONS | CLI_BIT(CLI_OPT_JSON), "FILE", NULL,
     "check the policy against a table of cases"},
    {"policy", "keygen", CLI_POLICY_KEYGEN, CLI_OS_HOST, true, CLI_WORDS, 1, 1, 0, "FILE", NULL,
     "make a private key for signing requirements; print its public key"},
    {"policy", "sign", CLI_POLICY_SIGN, CLI_OS_HOST, true, CLI_WORDS, 1, 1,
     CLI_BIT(CLI_OPT_KEY) | CLI_BIT(CLI_OPT_GENERATION) | CLI_BIT(CLI_OPT_VALID_DAYS), "FILE", NULL,
     "check and sign a requirements file for cordon-fetch; print it"},
    {"policy", "verify", CLI_POLICY_VERIFY, CLI_OS_HOST, true, CLI_WORDS, 1, 1,
     CLI_BIT(CLI_OPT_PUBLIC_KEY) | CLI_BIT(CLI_OPT_JSON), "FILE", NULL,
     "check a signed requirements file as this host would"},
    {"doctor", NULL, CLI_DOCTOR, CLI_OS_HOST, true, CLI_WORDS, 0, 0, CLI_BIT(CLI_OPT_JSON), "",
     NULL, "say what this host can enforce, what is missing, and the remedy"},
    {"completion", NULL, CLI_COMPLETION, CLI_OS_HOST, false, CLI_WORDS, 1, 1, 0, "bash|zsh|fish",
     shells, "print the completion script of a shell"},
    {"version", NULL, CLI_VERSION, CLI_OS_HOST, false, CLI_WORDS, 0, 0, 0, "", NULL,
     "print the version"},
    {"help", NULL, CLI_HELP, CLI_OS_HOST, false, CLI_WORDS, 0, 2, 0, "[VERB]", NULL,
     "print this, or the usage of a verb"},
};

static const struct cli_option_row options[] = {
    {CLI_OPT_SANDBOX, 's', "sandbox", "MODE", cli_modes, "sandbox mode", NULL, cli_take_mode},
    {CLI_OPT_PROFILE, 'P', "permission-profile", "NAME", NULL, "permission profile", NULL,
     cli_take_profile},
    {CLI_OPT_PROFILE, 0, "permissions-profile", "NAME", NULL, NULL, NULL, cli_take_profile},
    {CLI_OPT_CONFIG, 'c', "config", "KEY=VALUE", NULL, "set one configuration key", NULL,
     cli_take_config},
    {CLI_OPT_CD, 'C', "cd", "DIR", NULL, "working directory of the command", NULL, cli_take_cwd},
    {CLI_OPT_LOG_DENIALS, 0, "log-denials", NULL, NULL, "print each denial at the end", NULL, NULL},
    {CLI_OPT_JSON, 0, "json", NULL, NULL, "reports as JSON, one object a line", NULL, NULL},
    {CLI_OPT_PRINT_PLAN, 0, "print-plan", NULL, NULL, "print the plan; run nothing", NULL, NULL},
    {CLI_OPT_TIMEOUT, 0, "timeout", "SECONDS", NULL, "end the command after that time", NULL,
     cli_take_timeout},
    {CLI_OPT_MANAGED, 0, "include-managed-config", NULL, NULL,
     "accepted; managed policy always applies", NULL, NULL},
    {CLI_OPT_EMBEDDED, 0, "embedded", NULL, NULL, "use a private broker, not the service", NULL,
     NULL},
    {CLI_OPT_FOLLOW, 'f', "follow", NULL, NULL, "go on with denials as they happen", NULL, NULL},
    {CLI_OPT_READ, 0, "read", NULL, NULL, "ask about reading (the default)", NULL, NULL},
    {CLI_OPT_WRITE, 0, "write", NULL, NULL, "ask about writing", NULL, NULL},
    {CLI_OPT_KEY, 0, "key", "FILE", NULL, "private key to sign with", NULL, cli_take_key},
    {CLI_OPT_PUBLIC_KEY, 0, "public-key", "KEY", NULL, "the key that has to have signed", NULL,
     cli_take_public_key},
    {CLI_OPT_GENERATION, 0, "generation", "N", NULL, "number that only ever rises", NULL,
     cli_take_generation},
    {CLI_OPT_VALID_DAYS, 0, "valid-days", "N", NULL, "days until it is too old", NULL,
     cli_take_valid_days},
    {CLI_OPT_HELP, 'h', "help", NULL, NULL, "print usage", NULL, NULL},
    {CLI_OPT_VERSION, 'V', "version", NULL, NULL, "print the version", NULL, NULL},
    {CLI_OPT_NONE, 'p', "profile", NULL, NULL, NULL,
     "a permission profile is chosen with -P NAME; configuration layers by name are not read",
     NULL},
    {CLI_OPT_NONE, 0, "full-auto", NULL, NULL, NULL, "use --sandbox workspace-write", NULL},
};

const struct cli_verb_row *cli_verbs(size_t *ret_count)
{
    *ret_count = sizeof(verbs) / sizeof(verbs[0]);
    return verbs;
}

const struct cli_option_row *cli_options(size_t *ret_count)
{
    *ret_count = sizeof(options) / sizeof(options[0]);
    return options;
}
