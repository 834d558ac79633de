/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/findings.h"

#include "platform/windows/scm.h"
#include "tests/support/check.h"

static struct arena arena;
static struct caller_finding found[CALLER_FINDINGS_MAX];

static struct findings_facts good(void)
{
    return (struct findings_facts){
        .running = true, .automatic = true, .is_systems = true, .administrator = true};
}

static const struct caller_finding *look(const struct findings_facts *facts, const char *name)
{
    static const struct caller_finding none = {"", false, "", ""};
    const size_t count = findings_of(facts, &arena, found);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i].name, name) == 0) {
            return &found[i];
        }
    }
    return &none;
}

static size_t bad(const struct findings_facts *facts)
{
    const size_t count = findings_of(facts, &arena, found);
    size_t all = 0;

    for (size_t i = 0; i < count; i++) {
        all += found[i].bad ? 1U : 0U;
        /* What is wrong has a remedy; what is not asks for nothing. */
        CHECK(found[i].evidence[0] != '\0' && found[i].bad == (found[i].remedy[0] != '\0'));
    }
    return all;
}

TEST(what_is_as_it_was_installed_is_fine)
{
    const struct findings_facts facts = good();

    CHECK(findings_of(&facts, &arena, found) == 4 && bad(&facts) == 0);
}

TEST(there_is_nothing_to_say_of_no_service)
{
    struct findings_facts facts = {.asked = SCM_NOT_THERE};

    CHECK(findings_of(&facts, &arena, found) == 0);
}

TEST(an_entry_that_was_changed_or_does_not_run_is_bad)
{
    static const struct {
        struct findings_facts facts;
        const char *says;
    } rows[] = {
        {{.asked = 5}, "(5)"},
        {{.running = true, .automatic = true}, "another account's"},
        {{.running = true, .is_systems = true}, "not started with the system"},
        {{.automatic = true, .is_systems = true, .ended_with = 1067}, "ended with 1067"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(bad(&rows[i].facts) == 1);
        CHECK(look(&rows[i].facts, "entry")->bad);
        CHECK(strstr(look(&rows[i].facts, "entry")->evidence, rows[i].says) != NULL);
    }
}

TEST(programs_and_a_folder_of_others_are_bad)
{
    struct findings_facts facts = good();

    (void)fault_set(&facts.programs, CORDON_E_DENIED, "icacls", "C:\\p is owned by S-1-5-21-1");
    CHECK(bad(&facts) == 1 && look(&facts, "programs")->bad);
    CHECK_STR(look(&facts, "programs")->evidence, "C:\\p is owned by S-1-5-21-1");
    CHECK_STR(look(&facts, "programs")->remedy, "icacls");
    facts = good();
    (void)fault_set(&facts.state, CORDON_E_DENIED, "icacls", "C:\\s may be changed by others");
    CHECK(bad(&facts) == 1 && look(&facts, "state")->bad);
}

/* A user may not look, and the folder is none the worse for it; but one that is gone is. */
TEST(a_folder_that_is_closed_to_who_looks_is_fine)
{
    struct findings_facts facts = good();

    facts.administrator = false;
    (void)fault_set(&facts.state, CORDON_E_DENIED, "install", "looking at C:\\s: access denied");
    CHECK(bad(&facts) == 0 && strstr(look(&facts, "state")->evidence, "closed") != NULL);
    (void)fault_set(&facts.state, CORDON_E_NOT_FOUND, "install", "looking at C:\\s: not found");
    CHECK(bad(&facts) == 1);
}

TEST(events_without_their_text_are_bad)
{
    struct findings_facts facts = good();

    facts.source = 2;
    CHECK(bad(&facts) == 1 && strstr(look(&facts, "event log")->remedy, "--install") != NULL);
}

int main(int argc, char **argv)
{
    int status;

    arena_init(&arena, 1U << 20U);
    status = check_main(argc, argv);
    arena_deinit(&arena);
    return status;
}
