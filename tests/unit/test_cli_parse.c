/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "client/cli.h"
#include "tests/support/check.h"

#define ARGS_MAX 32

static struct arena arena;
static struct cordon_fault fault;
static struct cli cli;
static char *args[ARGS_MAX];

/* Parses "cordon" and copies of @words up to a NULL; what @cli points to stays valid. */
static enum cordon_err parse(const char *const *words)
{
    static char copies[ARGS_MAX][512];
    static char name[] = "cordon";
    int argc = 1;

    arena_deinit(&arena);
    arena_init(&arena, 1U << 20);
    memset(&fault, 0, sizeof(fault));
    memset(&cli, 0, sizeof(cli));
    args[0] = name;
    for (; argc < ARGS_MAX - 1 && words[argc - 1] != NULL; argc++) {
        (void)snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        args[argc] = copies[argc];
    }
    args[argc] = NULL;
    return cli_parse(argc, args, &arena, &cli, &fault);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static bool seen(enum cli_opt opt)
{
    return (cli.seen & CLI_BIT(opt)) != 0;
}

TEST(command_follows_the_system_word)
{
    CHECK(PARSE("sandbox", "linux", "ls", "-l") == CORDON_OK);
    CHECK(cli.os == CLI_OS_LINUX && cli.command_count == 2);
    CHECK_STR(cli.command[0], "ls");
    CHECK_STR(cli.command[1], "-l");
    CHECK(cli.command[2] == NULL);
}

TEST(system_word_is_optional)
{
    CHECK(PARSE("sandbox", "ls") == CORDON_OK);
    CHECK(cli.os == CLI_OS_HOST);
    CHECK_STR(cli.command[0], "ls");
}

TEST(only_the_first_word_is_a_system)
{
    CHECK(PARSE("sandbox", "linux", "linux") == CORDON_OK);
    CHECK_STR(cli.command[0], "linux");
    CHECK(PARSE("sandbox", "--", "macos") == CORDON_OK);
    CHECK(cli.os == CLI_OS_HOST);
    CHECK_STR(cli.command[0], "macos");
    CHECK(PARSE("debug", "landlock", "windows") == CORDON_OK);
    CHECK(cli.os == CLI_OS_LINUX);
    CHECK_STR(cli.command[0], "windows");
}

TEST(old_names_are_systems)
{
    CHECK(PARSE("debug", "landlock", "true") == CORDON_OK && cli.os == CLI_OS_LINUX);
    CHECK(PARSE("debug", "seatbelt", "--log-denials", "true") == CORDON_OK);
    CHECK(cli.os == CLI_OS_MACOS && seen(CLI_OPT_LOG_DENIALS));
}

TEST(help_is_a_command_like_any_other)
{
    CHECK(PARSE("sandbox", "help") == CORDON_OK);
    CHECK(cli.row->verb == CLI_SANDBOX);
    CHECK_STR(cli.command[0], "help");
}

TEST(mode_before_and_after_the_verb)
{
    CHECK(PARSE("-s", "read-only", "sandbox", "true") == CORDON_OK);
    CHECK_STR(cli.mode, "read-only");
    CHECK(PARSE("sandbox", "--sandbox", "workspace-write", "true") == CORDON_OK);
    CHECK_STR(cli.mode, "workspace-write");
    CHECK(PARSE("sandbox", "linux", "--sandbox=read-only", "true") == CORDON_OK);
    CHECK_STR(cli.mode, "read-only");
    CHECK(PARSE("-sread-only", "sandbox", "-s=workspace-write", "true") == CORDON_OK);
    CHECK_STR(cli.mode, "workspace-write");
}

TEST(overrides_add_up_in_order)
{
    CHECK(PARSE("-c", "a=1", "sandbox", "-cb=2", "--config=c=\"x=y\"", "true") == CORDON_OK);
    CHECK(cli.override_count == 3);
    CHECK_STR(cli.overrides[0], "a=1");
    CHECK_STR(cli.overrides[1], "b=2");
    CHECK_STR(cli.overrides[2], "c=\"x=y\"");
}

TEST(values_are_taken_literally)
{
    CHECK(PARSE("sandbox", "-C", "--odd dir\n=", "-P", "--", "--", "--x=y", "a b", "") ==
          CORDON_OK);
    CHECK_STR(cli.cwd, "--odd dir\n=");
    CHECK_STR(cli.profile, "--");
    CHECK(cli.command_count == 3);
    CHECK_STR(cli.command[0], "--x=y");
    CHECK_STR(cli.command[2], "");
}

TEST(the_commands_own_options_are_not_ours)
{
    CHECK(PARSE("sandbox", "ls", "--json", "-s", "--help", "--") == CORDON_OK);
    CHECK(!seen(CLI_OPT_JSON) && !seen(CLI_OPT_HELP) && cli.mode == NULL);
    CHECK(cli.command_count == 5);
    CHECK_STR(cli.command[4], "--");
}

TEST(empty_argument_lists_are_usage_errors)
{
    static char empty[] = "";
    static char verb[] = "sandbox";
    const char *const no_words[] = {NULL};
    char *none[] = {NULL};
    char *nameless[] = {empty, verb, verb, NULL};

    CHECK(cli_parse(0, none, &arena, &cli, &fault) == CORDON_E_SYNTAX);
    CHECK(cli_parse(3, nameless, &arena, &cli, &fault) == CORDON_E_SYNTAX);
    CHECK(parse(no_words) == CORDON_E_SYNTAX);
    CHECK(PARSE("sandbox") == CORDON_E_SYNTAX);
    CHECK(PARSE("sandbox", "linux") == CORDON_E_SYNTAX);
    CHECK(PARSE("sandbox", "linux", "--") == CORDON_E_SYNTAX);
    CHECK(PARSE("sandbox", "") == CORDON_E_SYNTAX);
}

TEST(a_plan_needs_no_command)
{
    CHECK(PARSE("sandbox", "macos", "--print-plan") == CORDON_OK);
    CHECK(cli.command == NULL && cli.os == CLI_OS_MACOS);
}

TEST(mistakes_get_a_suggestion)
{
    CHECK(PARSE("sandbx", "true") == CORDON_E_SYNTAX);
    CHECK_STR(fault.remedy, "did you mean 'sandbox'?");
    CHECK(PARSE("sandbox", "--log-denails", "true") == CORDON_E_SYNTAX);
    CHECK_STR(fault.remedy, "did you mean '--log-denials'?");
    CHECK(PARSE("policy", "shwo") == CORDON_E_SYNTAX);
    CHECK_STR(fault.remedy, "did you mean 'show'?");
    CHECK(PARSE("-s", "readonly", "sandbox", "true") == CORDON_E_SYNTAX);
    CHECK_STR(fault.remedy, "did you mean 'read-only'?");
    CHECK(PARSE("xyzzy") == CORDON_E_SYNTAX);
    CHECK(strstr(fault.remedy, "did you mean") == NULL);
}

TEST(what_codex_had_is_refused_with_a_hint)
{
    CHECK(PARSE("-p", "x", "sandbox", "true") == CORDON_E_INVALID);
    CHECK(strstr(fault.remedy, "-P") != NULL);
    CHECK(PARSE("sandbox", "--full-auto", "true") == CORDON_E_INVALID);
    CHECK(strstr(fault.remedy, "workspace-write") != NULL);
}

TEST(managed_config_is_accepted_and_changes_nothing)
{
    CHECK(PARSE("sandbox", "--include-managed-config", "true") == CORDON_OK);
    CHECK_STR(cli.command[0], "true");
}

TEST(options_belong_to_verbs)
{
    CHECK(PARSE("--read", "sandbox", "true") == CORDON_E_INVALID);
    CHECK(PARSE("doctor", "-s", "read-only") == CORDON_E_INVALID);
    CHECK(PARSE("--json", "doctor") == CORDON_OK && seen(CLI_OPT_JSON));
    CHECK(PARSE("sandbox", "-s", "read-only", "-P", "x", "true") == CORDON_E_INVALID);
}

TEST(values_are_where_they_belong)
{
    CHECK(PARSE("sandbox", "--json=yes", "true") == CORDON_E_SYNTAX);
    CHECK(PARSE("sandbox", "-s") == CORDON_E_SYNTAX);
    CHECK(PARSE("sandbox", "-c", "novalue", "true") == CORDON_E_INVALID);
    CHECK(PARSE("sandbox", "-P", "", "true") == CORDON_E_INVALID);
    CHECK(PARSE("sandbox", "-C", "", "true") == CORDON_E_INVALID);
}

TEST(times_are_seconds)
{
    static const struct {
        const char *text;
        uint32_t ms; /* 0: refused */
    } rows[] = {{"1", 1000},
                {"0.25", 250},
                {"1.5", 1500},
                {"2.0009", 2000},
                {"4294967", 4294967000U},
                {"4294968", 0},
                {"99999999999999999999", 0},
                {"0", 0},
                {"", 0},
                {"-1", 0},
                {"1s", 0},
                {".5", 0},
                {"0.0001", 0},
                {"1.5.1", 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        enum cordon_err want = rows[i].ms == 0 ? CORDON_E_INVALID : CORDON_OK;

        (void)snprintf(text, sizeof(text), "%s", rows[i].text);
        CHECK(PARSE("sandbox", "--timeout", text, "true") == want);
        CHECK(cli.timeout_ms == rows[i].ms);
    }
}

TEST(a_signal_has_a_name_or_a_number)
{
    static const struct {
        const char *text;
        int signo; /* 0: refused */
    } rows[] = {{"TERM", SIGTERM},
                {"SIGKILL", SIGKILL},
                {"sigusr1", SIGUSR1},
                {"9", 9},
                {"64", 64},
                {"65", 0},
                {"0", 0},
                {"", 0},
                {"SIG", 0},
                {"TERMS", 0},
                {"9x", 0},
                {"-9", 0},
                {"STOP", 0},
                {"99999999999", 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        enum cordon_err want = rows[i].signo == 0 ? CORDON_E_INVALID : CORDON_OK;

        (void)snprintf(text, sizeof(text), "--signal=%s", rows[i].text);
        CHECK(PARSE("kill", "7", text) == want);
        CHECK(cli.signo == rows[i].signo);
    }
    CHECK(PARSE("kill", "7") == CORDON_OK && cli.signo == 0);
    CHECK_STR(cli.operand[0], "7");
    CHECK(PARSE("kill") == CORDON_E_SYNTAX && PARSE("kill", "7", "8") == CORDON_E_SYNTAX);
    CHECK(PARSE("ps", "--signal", "9") == CORDON_E_INVALID);
    CHECK(PARSE("kill", "7", "--json") == CORDON_E_INVALID);
}

TEST(operands_and_options_mix)
{
    CHECK(PARSE("why", "/x", "--write", "-c", "a=1") == CORDON_OK);
    CHECK(cli.row->verb == CLI_WHY && seen(CLI_OPT_WRITE) && cli.override_count == 1);
    CHECK_STR(cli.operand[0], "/x");
    CHECK(PARSE("why", "--", "--write") == CORDON_OK);
    CHECK_STR(cli.operand[0], "--write");
    CHECK(PARSE("why", "a", "b") == CORDON_E_SYNTAX);
    CHECK(PARSE("why") == CORDON_E_SYNTAX);
    CHECK(PARSE("why", "-") == CORDON_OK);
}

TEST(second_words_are_needed)
{
    CHECK(PARSE("policy") == CORDON_E_SYNTAX);
    CHECK(PARSE("debug", "macos", "true") == CORDON_E_SYNTAX);
    CHECK(PARSE("policy", "check", "x.toml") == CORDON_OK);
    CHECK(cli.row->verb == CLI_POLICY_CHECK && cli.row->elsewhere);
}

TEST(help_and_version_win_over_mistakes_behind_them)
{
    CHECK(PARSE("--help") == CORDON_OK && cli.row->verb == CLI_HELP);
    CHECK(PARSE("sandbox", "-h") == CORDON_OK && cli.row->verb == CLI_HELP);
    CHECK_STR(cli.operand[0], "sandbox");
    CHECK(PARSE("-V") == CORDON_OK && cli.row->verb == CLI_VERSION);
}

TEST(unknown_words_may_be_of_any_length)
{
    char word[300];

    memset(word, 'x', sizeof(word) - 1);
    word[0] = '-';
    word[1] = '-';
    word[sizeof(word) - 1] = '\0';
    CHECK(PARSE("sandbox", word, "true") == CORDON_E_SYNTAX);
    CHECK(PARSE(word + 2) == CORDON_E_SYNTAX);
}

TEST(usage_names_every_option_of_a_verb)
{
    struct strbuf out = STRBUF_INIT;
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);

    cli_usage(NULL, &out);
    for (size_t i = 0; i < count; i++) {
        CHECK(rows[i].help == NULL || strstr(strbuf_text(&out), rows[i].name) != NULL);
    }
    strbuf_deinit(&out);
}

TEST_MAIN()
