/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/cli_take.h"

struct cursor {
    int argc, at;
    char **argv;
    bool options_ended;
};

#define NAMES_MAX 64U
#define WORD_MAX 40U

/*
 * Optimal string alignment over three rows; words beyond WORD_MAX are never
 * near anything.
 */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);

    if (a_len > WORD_MAX || b_len > WORD_MAX) {
        return WORD_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                rows[(i + 1) % 3][j - 2] + 1 < best) {
                best = rows[(i + 1) % 3][j - 2] + 1;
            }
            now[j] = best;
        }
    }
    return rows[a_len % 3][b_len];
}

const char *cli_nearest(const char *word, const char *const *words, size_t count)
{
    const char *found = NULL;
    size_t best = strlen(word) > 4 ? 3 : 2;

    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, words[i]);

        if (d < best && d < strlen(words[i])) {
            best = d;
            found = words[i];
        }
    }
    return found;
}

static enum cordon_err unknown(struct cordon_fault *fault, const char *what, const char *word,
                               const char *const *words, size_t count)
{
    const char *near = cli_nearest(word, words, count);

    (void)fault_set(fault, CORDON_E_SYNTAX, "try 'cordon help'", "unknown %s '%s%s'", what,
                    strcmp(what, "option") == 0 ? "--" : "", word);
    if (near != NULL) {
        char remedy[CORDON_FAULT_REMEDY_MAX] = "did you mean '";

        if (strcmp(what, "option") == 0) {
            strcat(remedy, "--");
        }
        strncat(remedy, near, 64);
        strcat(remedy, "'?");
        (void)fault_set(fault, CORDON_E_SYNTAX, remedy, "unknown %s '%s%s'", what,
                        strcmp(what, "option") == 0 ? "--" : "", word);
    }
    return CORDON_E_SYNTAX;
}

enum cordon_err cli_take_mode(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    for (size_t i = 0; cli_modes[i] != NULL; i++) {
        if (strcmp(value, cli_modes[i]) == 0) {
            cli->mode = value;
            return CORDON_OK;
        }
    }
    return unknown(fault, "sandbox mode", value, cli_modes, 3);
}

enum cordon_err cli_take_profile(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    if (value[0] == '\0') {
        return fault_set(fault, CORDON_E_INVALID, NULL, "the profile name is empty");
    }
    cli->profile = value;
    return CORDON_OK;
}

enum cordon_err cli_take_config(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    if (value[0] == '=' || strchr(value, '=') == NULL) {
        return fault_set(fault, CORDON_E_INVALID, "write -c KEY=VALUE", "'%s' is not KEY=VALUE",
                         value);
    }
    cli->overrides[cli->override_count++] = value;
    return CORDON_OK;
}

enum cordon_err cli_take_cwd(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    if (value[0] == '\0') {
        return fault_set(fault, CORDON_E_INVALID, NULL, "the directory is empty");
    }
    cli->cwd = value;
    return CORDON_OK;
}

/* Seconds with up to three decimals; more digits are ignored. */
enum cordon_err cli_take_timeout(struct cli *cli, const char *value, struct cordon_fault *fault)
{
    uint64_t ms = 0;
    uint64_t unit = 1000;
    const char *p = value;

    for (; *p >= '0' && *p <= '9' && ms <= UINT32_MAX; p++) {
        ms = ms * 10 + (uint64_t)(*p - '0') * 1000;
    }
    if (*p == '.' && p != value) {
        for (p++; *p >= '0' && *p <= '9'; p++) {
            unit /= 10;
            ms += (uint64_t)(*p - '0') * unit;
        }
    }
    if (*p != '\0' || ms == 0 || ms > UINT32_MAX) {
        return fault_set(fault, CORDON_E_INVALID, "seconds above 0, such as 30 or 1.5",
                         "'%s' is not a time", value);
    }
    cli->timeout_ms = (uint32_t)ms;
    return CORDON_OK;
}

/* The row of "-x..." or "--name[=value]"; *ret_value is what was attached, or NULL. */
static enum cordon_err find_option(const char *word, const struct cli_option_row **ret_row,
                                   const char **ret_value, struct cordon_fault *fault)
{
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);
    bool is_long = word[1] == '-';
    size_t len = is_long ? strcspn(word + 2, "=") : 1;
    const char *names[NAMES_MAX];
    size_t name_count = 0;
    char name[WORD_MAX + 1] = "";

    for (size_t i = 0; i < count; i++) {
        bool same = is_long
                        ? strlen(rows[i].name) == len && memcmp(rows[i].name, word + 2, len) == 0
                        : rows[i].letter != 0 && rows[i].letter == word[1];

        if (same) {
            const char *rest = is_long ? word + 2 + len : word + 2;

            *ret_row = &rows[i];
            *ret_value = is_long && *rest == '\0' ? NULL : rest;
            if (*rest == '=') {
                *ret_value = rest + 1;
            } else if (*rest == '\0') {
                *ret_value = NULL;
            }
            return CORDON_OK;
        }
        if (rows[i].help != NULL && name_count < NAMES_MAX) {
            names[name_count++] = rows[i].name;
        }
    }
    if (!is_long) {
        return fault_set(fault, CORDON_E_SYNTAX, "try 'cordon help'", "unknown option '%s'", word);
    }
    strncat(name, word + 2, len < WORD_MAX ? len : WORD_MAX);
    return unknown(fault, "option", name, names, name_count);
}

static enum cordon_err take_option(struct cursor *in, struct cli *cli, struct cordon_fault *fault)
{
    const char *word = in->argv[in->at++];
    const struct cli_option_row *row = NULL;
    const char *value = NULL;
    enum cordon_err err = find_option(word, &row, &value, fault);

    if (err != CORDON_OK) {
        return err;
    }
    if (row->hint != NULL) {
        return fault_set(fault, CORDON_E_INVALID, row->hint, "option '%s' is not supported", word);
    }
    if (row->value == NULL && value != NULL) {
        return fault_set(fault, CORDON_E_SYNTAX, NULL, "option '--%s' takes no value", row->name);
    }
    if (row->value != NULL && value == NULL) {
        if (in->at >= in->argc) {
            return fault_set(fault, CORDON_E_SYNTAX, NULL, "option '%s' needs a value: %s", word,
                             row->value);
        }
        value = in->argv[in->at++];
    }
    cli->seen |= CLI_BIT(row->opt);
    if (row->take == NULL) {
        return CORDON_OK;
    }
    err = row->take(cli, value, fault);
    if (err != CORDON_OK) {
        fault_prefix(fault, "--%s", row->name);
    }
    return err;
}

/*
 * Takes options up to the next word; *ret_word is NULL at the end. After "--"
 * every word counts as one.
 */
static enum cordon_err next_word(struct cursor *in, struct cli *cli, const char **ret_word,
                                 struct cordon_fault *fault)
{
    *ret_word = NULL;
    while (in->at < in->argc) {
        const char *word = in->argv[in->at];
        enum cordon_err err;

        if (in->options_ended || word[0] != '-' || word[1] == '\0') {
            *ret_word = word;
            return CORDON_OK;
        }
        if (strcmp(word, "--") == 0) {
            in->options_ended = true;
            in->at++;
            continue;
        }
        err = take_option(in, cli, fault);
        if (err != CORDON_OK) {
            return err;
        }
    }
    return CORDON_OK;
}

static const struct cli_verb_row *find_verb(const char *name, const char *sub)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) != 0) {
            continue;
        }
        if (rows[i].sub == NULL || sub == NULL || strcmp(rows[i].sub, sub) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* An error about @word, which is no verb, or no second word of verb @name. */
static enum cordon_err no_verb(const char *name, const char *word, struct cordon_fault *fault)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);
    const char *names[NAMES_MAX];
    size_t name_count = 0;
    enum cordon_err err;

    for (size_t i = 0; i < count && name_count < NAMES_MAX; i++) {
        if (name == NULL) {
            names[name_count++] = rows[i].name;
        } else if (strcmp(rows[i].name, name) == 0) {
            names[name_count++] = rows[i].sub;
        }
    }
    if (word == NULL) {
        return fault_set(fault, CORDON_E_SYNTAX, "try 'cordon help'", "'%s' needs a second word",
                         name);
    }
    err = unknown(fault, "verb", word, names, name_count);
    if (name != NULL) {
        fault_prefix(fault, "%s", name);
    }
    return err;
}

static enum cordon_err take_verb(struct cursor *in, struct cli *cli, struct cordon_fault *fault)
{
    const char *word;
    const char *sub;
    enum cordon_err err = next_word(in, cli, &word, fault);

    if (err != CORDON_OK) {
        return err;
    }
    if (word == NULL || in->options_ended) {
        return fault_set(fault, CORDON_E_SYNTAX, "try 'cordon help'", "no verb is given");
    }
    in->at++;
    cli->row = find_verb(word, NULL);
    if (cli->row == NULL) {
        return no_verb(NULL, word, fault);
    }
    if (cli->row->sub == NULL) {
        return CORDON_OK;
    }
    err = next_word(in, cli, &sub, fault);
    if (err != CORDON_OK) {
        return err;
    }
    cli->row = sub == NULL ? NULL : find_verb(word, sub);
    if (cli->row == NULL) {
        return no_verb(word, sub, fault);
    }
    in->at++;
    return CORDON_OK;
}

static enum cli_os os_word(const char *word)
{
    static const char *const names[] = {
        [CLI_OS_LINUX] = "linux", [CLI_OS_MACOS] = "macos", [CLI_OS_WINDOWS] = "windows"};

    for (size_t i = CLI_OS_LINUX; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(word, names[i]) == 0) {
            return (enum cli_os)i;
        }
    }
    return CLI_OS_HOST;
}

static enum cordon_err take_command(struct cursor *in, struct cli *cli, struct cordon_fault *fault)
{
    const char *word;
    enum cordon_err err = next_word(in, cli, &word, fault);

    cli->os = cli->row->os;
    if (err == CORDON_OK && word != NULL && !in->options_ended && cli->os == CLI_OS_HOST) {
        cli->os = os_word(word);
        if (cli->os != CLI_OS_HOST) {
            in->at++;
            err = next_word(in, cli, &word, fault);
        }
    }
    if (err != CORDON_OK || word == NULL) {
        return err;
    }
    cli->command = in->argv + in->at;
    cli->command_count = (size_t)(in->argc - in->at);
    return CORDON_OK;
}

static enum cordon_err take_operands(struct cursor *in, struct cli *cli, struct cordon_fault *fault)
{
    for (;;) {
        const char *word;
        enum cordon_err err = next_word(in, cli, &word, fault);

        if (err != CORDON_OK || word == NULL) {
            return err;
        }
        if (cli->operand_count == cli->row->max) {
            return fault_set(fault, CORDON_E_SYNTAX, NULL, "unexpected argument '%s'", word);
        }
        cli->operand[cli->operand_count++] = word;
        in->at++;
    }
}

/* What can be judged only once everything was seen. */
static enum cordon_err check_whole(const struct cli *cli, struct cordon_fault *fault)
{
    const uint32_t wrong = cli->seen & ~cli->row->options;
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);

    for (size_t i = 0; i < count; i++) {
        if (rows[i].opt != CLI_OPT_NONE && (wrong & CLI_BIT(rows[i].opt)) != 0) {
            return fault_set(fault, CORDON_E_INVALID, NULL, "option '--%s' has no meaning for '%s'",
                             rows[i].name, cli->row->name);
        }
    }
    if (cli->mode != NULL && cli->profile != NULL) {
        return fault_set(fault, CORDON_E_INVALID, "give one of them",
                         "--sandbox and --permission-profile exclude each other");
    }
    if (cli->row->operands == CLI_WORDS) {
        return cli->operand_count >= cli->row->min
                   ? CORDON_OK
                   : fault_set(fault, CORDON_E_SYNTAX, NULL, "'%s' needs %s", cli->row->name,
                               cli->row->synopsis);
    }
    if (cli->command == NULL && (cli->seen & CLI_BIT(CLI_OPT_PRINT_PLAN)) == 0) {
        return fault_set(fault, CORDON_E_SYNTAX, "cordon sandbox linux -- COMMAND [ARG...]",
                         "no command is given");
    }
    if (cli->command != NULL && cli->command[0][0] == '\0') {
        return fault_set(fault, CORDON_E_SYNTAX, NULL, "the command is an empty word");
    }
    return CORDON_OK;
}

static enum cordon_err parse_words(struct cursor *in, struct cli *cli, struct cordon_fault *fault)
{
    enum cordon_err err = take_verb(in, cli, fault);

    if (err == CORDON_OK) {
        err = cli->row->operands == CLI_COMMAND ? take_command(in, cli, fault)
                                                : take_operands(in, cli, fault);
    }
    return err;
}

enum cordon_err cli_parse(int argc, char **argv, struct arena *arena, struct cli *ret_cli,
                          struct cordon_fault *fault)
{
    struct cursor in = {argc, 1, argv, false};
    struct cli cli = {0};
    enum cordon_err err;

    if (argc < 1 || argv[0] == NULL || argv[0][0] == '\0') {
        return fault_set(fault, CORDON_E_SYNTAX, "try 'cordon help'", "the argument list is empty");
    }
    cli.overrides = arena_array(arena, (size_t)argc, sizeof(*cli.overrides));
    if (cli.overrides == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    err = parse_words(&in, &cli, fault);
    if ((cli.seen & (CLI_BIT(CLI_OPT_HELP) | CLI_BIT(CLI_OPT_VERSION))) != 0) {
        bool help = (cli.seen & CLI_BIT(CLI_OPT_HELP)) != 0;

        cli.operand_count = 0;
        if (help && cli.row != NULL) {
            cli.operand[cli.operand_count++] = cli.row->name;
        }
        cli.row = find_verb(help ? "help" : "version", NULL);
        cli.command = NULL;
        err = CORDON_OK;
    } else if (err == CORDON_OK) {
        err = check_whole(&cli, fault);
    }
    if (err == CORDON_OK) {
        *ret_cli = cli;
    }
    return err;
}
