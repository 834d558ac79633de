/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process ends before and after every call, and every call fails once; what was not flushed is
 * lost, or half of it is. Whatever happens: what was told to be applied is on, and once nobody
 * holds anything the world is as it was before.
 */
#include "tests/unit/state_world.h"

static struct strbuf pristine;

static void snapshot(struct strbuf *out)
{
    strbuf_deinit(out);
    for (size_t i = 0; i < world.node_count; i++) {
        const struct fake_node *node = &world.nodes[i];

        if (node->path[0] != '\0') {
            strbuf_printf(out, "%s %s\n", node->path, fake_list(&world, node->object, node->path));
        }
    }
}

static bool is_pristine(void)
{
    struct strbuf now = STRBUF_INIT;
    bool same;

    snapshot(&now);
    same = strcmp(strbuf_text(&now), strbuf_text(&pristine)) == 0;
    if (!same) {
        (void)fprintf(stderr, "--- now\n%s--- before\n%s", strbuf_text(&now),
                      strbuf_text(&pristine));
    }
    strbuf_deinit(&now);
    return same;
}

static bool nobody(void *context, const char *holder)
{
    (void)context;
    (void)holder;
    return false;
}

static bool everybody(void *context, const char *holder)
{
    (void)context;
    (void)holder;
    return true;
}

/* A policy, a relaxed one, a second session, and the end of both; as far as it gets. */
static void scenario(void)
{
    const struct state_target targets[] = ONE_OF_EACH;

    if (reopen() != CORDON_OK) {
        return;
    }
    (void)apply(JOB, "s1", targets, 4);
    (void)apply(JOB, "s2", targets, 1);
    (void)apply(JOB, "s1", targets, 1);
    (void)drop(JOB, "s1");
    (void)drop(JOB, "s2");
}

/* The state object of a process that ended is memory alone. */
static void forget_process(void)
{
    tap.dead = true;
    stop();
}

static void calm(void)
{
    api_tap_deinit(&tap);
    api_tap_init(&tap, &world.api);
}

static unsigned calls_of_scenario(void)
{
    build_world();
    snapshot(&pristine);
    scenario();
    CHECK(is_pristine() && state_size(state) == 0);
    return tap.calls;
}

static void crash_at(unsigned n, bool after, bool torn)
{
    build_world();
    tap.crash_at = n;
    tap.crash_after = after;
    scenario();
    CHECK(tap.dead);
    forget_process();
    fake_crash(&world, torn);
    calm();
}

static void recover(void)
{
    CHECK(reopen() == CORDON_OK);
    CHECK(strstr(state_notices(state), "damaged") == NULL);
    CHECK(state_retain(state, everybody, NULL, &fault) == CORDON_OK);
    CHECK(state_retain(state, nobody, NULL, &fault) == CORDON_OK);
    CHECK(state_size(state) == 0);
    CHECK(is_pristine());
    stop();
    CHECK(fake_open_handles(&world) == 0);
}

TEST(a_crash_at_any_step_leaves_nothing_once_nobody_holds_anything)
{
    const unsigned calls = calls_of_scenario();

    CHECK(calls > 100);
    for (unsigned n = 1; n <= calls; n++) {
        for (unsigned way = 0; way < 4; way++) {
            crash_at(n, (way & 1U) != 0, (way & 2U) != 0);
            recover();
        }
    }
}

TEST(a_crash_while_recovering_from_one_does_no_harm_either)
{
    const unsigned calls = calls_of_scenario();

    for (unsigned n = 1; n <= calls; n += 7) {
        unsigned steps;

        crash_at(n, true, false);
        CHECK(reopen() == CORDON_OK);
        steps = tap.calls;
        for (unsigned m = 1; m <= steps; m++) {
            crash_at(n, true, false);
            tap.crash_at = m;
            tap.crash_after = m % 2 == 0;
            (void)reopen();
            forget_process();
            fake_crash(&world, false);
            calm();
            recover();
        }
    }
}

/* Applies one policy to the end and then crashes at once: it must be on after the restart. */
TEST(what_was_applied_is_on_after_a_crash)
{
    struct state_target targets[] = {denied("C:\\w\\a"), denied("C:\\w\\b")};

    build_world();
    CHECK(reopen() == CORDON_OK && apply(JOB, "s1", targets, 2) == CORDON_OK);
    forget_process();
    fake_crash(&world, true);
    calm();
    CHECK(reopen() == CORDON_OK);
    CHECK(count(JOB, "C:\\w\\a") == 1 && count(JOB, "C:\\w\\b") == 1);
    CHECK(strstr(list("C:\\w\\a"), JOB) != NULL && strstr(list("C:\\w\\b\\p"), JOB) != NULL);
}

TEST(no_crash_takes_off_what_another_session_holds)
{
    struct state_target targets[] = {denied("C:\\w\\a"), denied("C:\\w\\b")};
    unsigned calls;

    build_world();
    CHECK(reopen() == CORDON_OK && apply(JOB, "s1", targets, 1) == CORDON_OK);
    tap.calls = 0;
    CHECK(apply(JOB, "s2", targets, 2) == CORDON_OK && drop(JOB, "s2") == CORDON_OK);
    calls = tap.calls;
    for (unsigned n = 1; n <= calls; n++) {
        build_world();
        CHECK(reopen() == CORDON_OK && apply(JOB, "s1", targets, 1) == CORDON_OK);
        tap.crash_at = tap.calls + n;
        (void)apply(JOB, "s2", targets, 2);
        (void)drop(JOB, "s2");
        forget_process();
        CHECK(strstr(list("C:\\w\\a"), JOB) != NULL);
        fake_crash(&world, false);
        calm();
        CHECK(reopen() == CORDON_OK && count(JOB, "C:\\w\\a") >= 1);
        CHECK(strstr(list("C:\\w\\a"), JOB) != NULL);
    }
}

TEST(every_call_that_fails_refuses_the_apply_or_does_no_harm)
{
    const struct state_target targets[] = ONE_OF_EACH;
    unsigned refused = 0, calls;

    build_world();
    snapshot(&pristine);
    CHECK(reopen() == CORDON_OK);
    tap.calls = 0;
    CHECK(apply(JOB, "s1", targets, 4) == CORDON_OK);
    calls = tap.calls;
    for (unsigned n = 1; n <= calls; n++) {
        enum cordon_err err;

        build_world();
        CHECK(reopen() == CORDON_OK);
        tap.fail_at = tap.calls + n;
        tap.fail_code = 1450; /* ERROR_NO_SYSTEM_RESOURCES */
        err = apply(JOB, "s1", targets, 4);
        if (err == CORDON_OK) {
            CHECK(strstr(list("C:\\w\\a"), JOB) != NULL && strstr(list("HKLM\\k"), JOB) != NULL);
            CHECK(strstr(list("C:\\w\\b\\p"), JOB) != NULL);
        } else {
            refused++;
            CHECK(strstr(fault.text, "1450") != NULL);
            /* What could not be undone at once is by the next call. */
            CHECK(drop(JOB, "s1") == CORDON_OK && is_pristine());
        }
        CHECK(fake_open_handles(&world) <= 2);
        stop();
        CHECK(fake_open_handles(&world) == 0);
    }
    CHECK(refused > calls / 2);
}

TEST(every_call_that_fails_at_the_start_is_an_error_or_does_no_harm)
{
    struct state_target targets[] = {denied("C:\\w\\a"), denied("C:\\w\\b")};
    unsigned calls;

    crash_at(calls_of_scenario() / 2, true, false);
    CHECK(reopen() == CORDON_OK);
    calls = tap.calls;
    for (unsigned n = 1; n <= calls; n++) {
        crash_at(calls_of_scenario() / 2, true, false);
        tap.fail_at = n;
        tap.fail_code = 1450;
        if (reopen() != CORDON_OK) {
            CHECK(fake_open_handles(&world) == 0);
            calm();
            CHECK(reopen() == CORDON_OK);
        }
        calm();
        CHECK(state_retain(state, nobody, NULL, &fault) == CORDON_OK);
        CHECK(is_pristine());
        CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    }
}

TEST_MAIN()
