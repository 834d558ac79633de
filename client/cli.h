/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one table of verbs, one of options, and a parser that only
 * looks at its arguments. Completions, usage texts and the test of the man
 * page are made from the same tables.
 */
#ifndef CORDON_CLIENT_CLI_H
#define CORDON_CLIENT_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/arena.h"
#include "platform/base/err.h"
#include "platform/base/strbuf.h"

enum cli_verb {
    CLI_SANDBOX,
    CLI_VIOLATIONS,
    CLI_WHY,
    CLI_POLICY_SHOW,
    CLI_POLICY_CHECK,
    CLI_POLICY_TEST,
    CLI_POLICY_KEYGEN,
    CLI_POLICY_SIGN,
    CLI_POLICY_VERIFY,
    CLI_DOCTOR,
    CLI_COMPLETION,
    CLI_VERSION,
    CLI_HELP
};

enum cli_opt {
    CLI_OPT_SANDBOX,
    CLI_OPT_PROFILE,
    CLI_OPT_CONFIG,
    CLI_OPT_CD,
    CLI_OPT_LOG_DENIALS,
    CLI_OPT_JSON,
    CLI_OPT_PRINT_PLAN,
    CLI_OPT_TIMEOUT,
    CLI_OPT_MANAGED,
    CLI_OPT_EMBEDDED,
    CLI_OPT_FOLLOW,
    CLI_OPT_READ,
    CLI_OPT_WRITE,
    CLI_OPT_KEY,
    CLI_OPT_PUBLIC_KEY,
    CLI_OPT_GENERATION,
    CLI_OPT_VALID_DAYS,
    CLI_OPT_HELP,
    CLI_OPT_VERSION,
    CLI_OPT_NONE /* a spelling that is refused with a hint */
};
#define CLI_BIT(opt) (1U << (unsigned)(opt))

/* Which system a sandbox is asked for; CLI_OS_HOST: no word was given. */
enum cli_os { CLI_OS_HOST, CLI_OS_LINUX, CLI_OS_MACOS, CLI_OS_WINDOWS };

/* The system this is built for, from the build. */
#define CLI_OS_THIS CORDON_CLI_OS

enum cli_operands {
    CLI_WORDS,  /* operands and options in any order; min..max of them */
    CLI_COMMAND /* the first word that is no option starts a command */
};

#define CLI_OPERANDS_MAX 2U

struct cli_verb_row {
    const char *name;
    const char *sub; /* the second word, or NULL */
    enum cli_verb verb;
    enum cli_os os; /* implied by the words */
    bool elsewhere; /* cordon-policy runs it */
    enum cli_operands operands;
    uint8_t min, max;           /* operands, with CLI_WORDS */
    uint32_t options;           /* CLI_BIT()s allowed with it */
    const char *synopsis;       /* operands, for usage texts */
    const char *const *choices; /* of the first operand; NULL-terminated; NULL: a path */
    const char *help;
};

struct cli;

struct cli_option_row {
    enum cli_opt opt;
    char letter;                /* 0: none */
    const char *name;           /* without "--" */
    const char *value;          /* "MODE"; NULL: a flag */
    const char *const *choices; /* NULL-terminated; NULL: any text */
    const char *help;           /* NULL: another spelling, not shown */
    const char *hint;           /* not NULL: refused, with this remedy */
    enum cordon_err (*take)(struct cli *cli, const char *value, struct cordon_fault *fault);
};

/* Everything points into argv, except @overrides (the arena's). */
struct cli {
    const struct cli_verb_row *row;
    enum cli_os os;
    uint32_t seen;          /* CLI_BIT()s */
    const char *mode;       /* -s */
    const char *profile;    /* -P */
    const char *cwd;        /* -C */
    const char **overrides; /* -c, in order */
    size_t override_count;
    uint32_t timeout_ms;    /* 0: none */
    const char *key;        /* --key */
    const char *public_key; /* --public-key */
    uint64_t generation;    /* --generation; 0: not given */
    uint64_t valid_days;    /* 0: without end */
    const char *operand[CLI_OPERANDS_MAX];
    size_t operand_count;
    char **command; /* NULL-terminated as argv is; NULL when there is none */
    size_t command_count;
};

const struct cli_verb_row *cli_verbs(size_t *ret_count);
const struct cli_option_row *cli_options(size_t *ret_count);

/* "read-only", ...; NULL-terminated. */
extern const char *const cli_modes[];

/*
 * Parses a whole command line; argv[0] is skipped. A repeated option: the last
 * one counts. --help and --version anywhere before COMMAND become their verbs.
 *
 * CORDON_E_SYNTAX, _INVALID  usage: exit status 2; remedy may hold a suggestion
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err cli_parse(int argc, char **argv, struct arena *arena,
                                          struct cli *ret_cli, struct cordon_fault *fault);

/* Which of @words (@count of them) @word was meant to be; NULL: none is close. */
const char *cli_nearest(const char *word, const char *const *words, size_t count);

/* "cordon sandbox [OPTION...] ..." of one verb, or of all when @row is NULL. */
void cli_usage(const struct cli_verb_row *row, struct strbuf *out);

/* The completion script of "bash", "zsh" or "fish". CORDON_E_NOT_FOUND. */
CORDON_MUST_USE enum cordon_err completion_script(const char *shell, struct strbuf *out);

#endif
