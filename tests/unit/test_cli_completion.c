/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli.h"
#include "tests/support/check.h"

/* Every verb and shown option must be in the script of every shell. */
static void check_script(const char *shell)
{
    struct strbuf out = STRBUF_INIT;
    size_t verb_count;
    size_t option_count;
    const struct cli_verb_row *verbs = cli_verbs(&verb_count);
    const struct cli_option_row *options = cli_options(&option_count);

    CHECK(completion_script(shell, &out) == CORDON_OK);
    for (size_t i = 0; i < verb_count; i++) {
        CHECK(strstr(strbuf_text(&out), verbs[i].name) != NULL);
        CHECK(verbs[i].sub == NULL || strstr(strbuf_text(&out), verbs[i].sub) != NULL);
    }
    for (size_t i = 0; i < option_count; i++) {
        CHECK(options[i].help == NULL || strstr(strbuf_text(&out), options[i].name) != NULL);
    }
    for (size_t i = 0; cli_modes[i] != NULL; i++) {
        CHECK(strstr(strbuf_text(&out), cli_modes[i]) != NULL);
    }
    strbuf_deinit(&out);
}

TEST(bash_knows_the_tables)
{
    check_script("bash");
}

TEST(zsh_knows_the_tables)
{
    check_script("zsh");
}

TEST(fish_knows_the_tables)
{
    check_script("fish");
}

TEST(other_shells_have_none)
{
    struct strbuf out = STRBUF_INIT;

    CHECK(completion_script("tcsh", &out) == CORDON_E_NOT_FOUND);
    strbuf_deinit(&out);
}

/* Texts stand between single quotes in all three. */
TEST(no_text_ends_a_quotation)
{
    size_t verb_count;
    size_t option_count;
    const struct cli_verb_row *verbs = cli_verbs(&verb_count);
    const struct cli_option_row *options = cli_options(&option_count);

    for (size_t i = 0; i < verb_count; i++) {
        CHECK(strchr(verbs[i].help, '\'') == NULL);
    }
    for (size_t i = 0; i < option_count; i++) {
        CHECK(options[i].help == NULL || strchr(options[i].help, '\'') == NULL);
    }
}

TEST_MAIN()
