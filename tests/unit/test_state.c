/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/state_world.h"

TEST(what_is_applied_is_there_and_goes_when_it_is_dropped)
{
    const struct state_target targets[] = {denied("C:\\w\\a"), denied("HKLM\\k")};

    start();
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:" ON_FILE EVERYONE_FILE);
    CHECK(count(JOB, "C:\\w\\a") == 1);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:" EVERYONE_FILE);
    CHECK(!any_entry() && state_size(state) == 0);
    CHECK_STR(state_notices(state), "");
}

TEST(a_relaxed_policy_leaves_nothing_of_the_stricter_one)
{
    const struct state_target targets[] = {denied("C:\\w\\a"), denied("C:\\w\\b")};

    start();
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK_STR(list("C:\\w\\b"), "D:" EVERYONE_FOLDER);
    CHECK_STR(list("C:\\w\\b\\p"), "D:P(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(strstr(list("C:\\w\\a"), ON_FILE) != NULL);
    CHECK(apply(JOB, "s1", NULL, 0) == CORDON_OK);
    CHECK(!any_entry() && state_size(state) == 0);
}

TEST(two_sessions_with_different_policies_share_a_path_by_count)
{
    const struct state_target first[] = {denied("C:\\w\\a"), denied("C:\\w\\b")};
    struct state_target second[] = {denied("C:\\w\\a")};

    start();
    CHECK(apply(JOB, "s1", first, 2) == CORDON_OK);
    CHECK(apply(JOB, "s2", second, 1) == CORDON_OK);
    CHECK(count(JOB, "C:\\w\\a") == 2);
    CHECK_STR(list("C:\\w\\a"), "D:" ON_FILE EVERYONE_FILE);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:" ON_FILE EVERYONE_FILE);
    CHECK_STR(list("C:\\w\\b"), "D:" EVERYONE_FOLDER);
    CHECK(count(JOB, "C:\\w\\a") == 1);
    CHECK(drop(JOB, "s2") == CORDON_OK);
    CHECK(!any_entry());
}

TEST(the_narrower_of_two_denials_outlives_the_wider)
{
    const struct state_target wide[] = {denied("C:\\w\\a")};
    struct state_target narrow[] = {denied("C:\\w\\a")};

    start();
    narrow[0].acl.mask = DENY_WRITE;
    CHECK(apply(JOB, "s1", wide, 1) == CORDON_OK);
    CHECK(apply(JOB, "s2", narrow, 1) == CORDON_OK);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:(D;;0xd0156;;;" JOB ")" EVERYONE_FILE);
    CHECK(drop(JOB, "s2") == CORDON_OK);
    CHECK(!any_entry());
}

TEST(principals_do_not_share)
{
    const struct state_target targets[] = {denied("C:\\w\\a")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(apply(JOB2, "s1", targets, 1) == CORDON_OK);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:(D;;0xd017f;;;" JOB2 ")" EVERYONE_FILE);
    CHECK(drop(JOB2, "s1") == CORDON_OK);
}

TEST(an_entry_that_was_there_before_us_stays)
{
    const struct state_target targets[] = {denied("C:\\x")};

    start();
    (void)fake_add(&world, API_FILE, "C:\\x", "O:SYD:" ON_FILE "(A;;FA;;;WD)");
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\x"), "D:" ON_FILE "(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(state_size(state) == 0);
}

TEST(entries_of_others_are_never_touched)
{
    const struct state_target targets[] = {denied("C:\\x")};

    start();
    (void)fake_add(&world, API_FILE, "C:\\x",
                   "O:SYD:(D;;0xd017f;;;" OTHER ")(A;;FA;;;WD)(D;;0x1;;;" OTHER ")");
    CHECK(apply(OTHER, "s1", targets, 1) == CORDON_E_INVALID);
    CHECK(apply(DOMAIN, "s1", targets, 1) == CORDON_E_INVALID);
    CHECK(apply(JOB, "", targets, 1) == CORDON_E_INVALID);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\x"),
              "D:(D;;0xd017f;;;" OTHER ")(A;;0x1f01ff;;;S-1-1-0)(D;;0x1;;;" OTHER ")");
}

/* ---- what is missing ---- */

TEST(a_missing_path_is_made_and_goes_with_its_last_row)
{
    const struct state_target targets[] = {making("C:\\w\\n\\m\\.env", STATE_MAKE_FILE)};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(apply(JOB, "s2", targets, 1) == CORDON_OK);
    CHECK(!fake_find(&world, API_FILE, "C:\\w\\n\\m\\.env")->info.container);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\n\\m")->info.container);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\n\\m\\.env") != NULL);
    CHECK(drop(JOB, "s2") == CORDON_OK);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\n") == NULL);
    CHECK(state_size(state) == 0);
}

TEST(a_container_is_made_where_that_is_asked_for)
{
    const struct state_target targets[] = {making("C:\\w\\.ssh", STATE_MAKE_CONTAINER),
                                           making("HKLM\\k\\new", STATE_MAKE_CONTAINER)};

    start();
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    CHECK_STR(list("C:\\w\\.ssh"), "D:" ON_FOLDER EVERYONE_FOLDER);
    CHECK(fake_find(&world, API_KEY, "HKLM\\k\\new") != NULL);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\.ssh") == NULL);
    CHECK(fake_find(&world, API_KEY, "HKLM\\k\\new") == NULL);
}

TEST(what_was_made_and_is_in_use_by_now_stays)
{
    const struct state_target targets[] = {making("C:\\w\\n\\.env", STATE_MAKE_FILE),
                                           making("C:\\w\\o", STATE_MAKE_FILE),
                                           making("C:\\w\\q", STATE_MAKE_FILE)};

    start();
    CHECK(apply(JOB, "s1", targets, 3) == CORDON_OK);
    fake_find(&world, API_FILE, "C:\\w\\n\\.env")->info.empty = false;
    fake_find(&world, API_FILE, "C:\\w\\o")->info.id.file = 99; /* another file by that name */
    fake_find(&world, API_FILE, "C:\\w\\q")->info.links = 2;
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\n\\.env") != NULL);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\o") != NULL);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\q") != NULL);
    CHECK(state_size(state) == 0 && strstr(list("C:\\w\\n\\.env"), JOB) == NULL);
}

TEST(a_missing_grant_is_skipped_and_a_missing_denial_is_not)
{
    const struct state_target skipped[] = {making("C:\\gone", STATE_SKIP), denied("C:\\w\\a")};
    const struct state_target refused[] = {denied("C:\\w\\a"), denied("C:\\gone")};

    start();
    CHECK(apply(JOB, "s1", skipped, 2) == CORDON_OK);
    CHECK(state_size(state) == 1);
    CHECK(apply(JOB, "s2", refused, 2) == CORDON_E_NOT_FOUND);
    CHECK(count(JOB, "C:\\w\\a") == 1);
}

TEST(a_caller_makes_only_what_he_could_make)
{
    const struct state_target targets[] = {making("C:\\ro\\x", STATE_MAKE_FILE)};
    struct state_request request = {
        .holder = "s1", .targets = targets, .target_count = 1, .principal = sid_of(JOB)};

    start();
    (void)fake_add(&world, API_FILE, "C:\\ro\\", "O:SYD:P(A;OICI;FR;;;WD)");
    request.caller = fake_token(&world, OTHER " WD");
    CHECK(state_apply(state, &request, &fault) == CORDON_E_DENIED);
    CHECK(fake_find(&world, API_FILE, "C:\\ro\\x") == NULL && world.acting == 0);
    CHECK(state_size(state) == 0);
}

/* ---- objects move ---- */

TEST(an_entry_is_taken_off_an_object_that_was_renamed)
{
    const struct state_target targets[] = {denied("C:\\w\\a")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    strcpy(fake_find(&world, API_FILE, "C:\\w\\a")->path, "C:\\w\\moved");
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\w\\moved"), "D:" EVERYONE_FILE);
    CHECK(apply(JOB, "s1", &(struct state_target){denied("C:\\w\\moved").acl, STATE_REFUSE}, 1) ==
          CORDON_OK);
    strcpy(fake_find(&world, API_FILE, "C:\\w\\moved")->path, "C:\\w\\again");
    (void)fake_add(&world, API_FILE, "C:\\w\\moved", NULL);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(!any_entry() && state_size(state) == 0);
}

TEST(an_entry_on_a_key_that_is_gone_is_gone)
{
    const struct state_target targets[] = {denied("HKLM\\k")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    fake_find(&world, API_KEY, "HKLM\\k\\below")->path[0] = '\0';
    fake_find(&world, API_KEY, "HKLM\\k")->path[0] = '\0';
    CHECK(drop(JOB, "s1") == CORDON_OK && state_size(state) == 0);
    CHECK_STR(state_notices(state), "");
}

TEST(two_names_of_one_object_have_one_entry)
{
    struct state_target targets[] = {denied("C:\\w\\a"), denied("C:\\j\\a")};

    start();
    junction("C:\\j\\", "C:\\w");
    targets[1].acl.resolved = "C:\\w\\a";
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:" ON_FILE EVERYONE_FILE);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:" ON_FILE EVERYONE_FILE);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(!any_entry());
}

TEST(an_entry_that_somebody_took_off_is_put_on_again)
{
    const struct state_target targets[] = {denied("C:\\w\\b")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    lose_entry("C:\\w\\b");
    CHECK(strstr(list("C:\\w\\b"), JOB) == NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\new", "O:SYD:P(A;;FA;;;WD)");
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(strstr(list("C:\\w\\b"), ON_FOLDER) != NULL);
    /* What is below is looked at again then. */
    CHECK_STR(list("C:\\w\\b\\new"), "D:P(D;;0xd017f;;;" JOB ")(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(!any_entry());
}

/* ---- failures ---- */

TEST(a_failed_apply_takes_back_all_it_did_and_nothing_else)
{
    const struct state_target held[] = {denied("C:\\w\\a")};
    struct state_target targets[] = {denied("C:\\w\\b"), making("C:\\w\\n", STATE_MAKE_FILE),
                                     denied("C:\\w\\null")};

    start();
    (void)fake_add(&world, API_FILE, "C:\\w\\null", "O:SYD:NO_ACCESS_CONTROL");
    CHECK(apply(JOB, "s1", held, 1) == CORDON_OK);
    CHECK(apply(JOB, "s1", targets, 3) == CORDON_E_UNSUPPORTED);
    CHECK_STR(list("C:\\w\\a"), "D:" ON_FILE EVERYONE_FILE);
    CHECK_STR(list("C:\\w\\b"), "D:" EVERYONE_FOLDER);
    CHECK(fake_find(&world, API_FILE, "C:\\w\\n") == NULL);
    CHECK(state_size(state) == 1 && fake_open_handles(&world) == 2);
}

TEST(lists_that_do_not_stick_refuse_the_launch)
{
    const struct state_target targets[] = {denied("C:\\w\\b")};

    start();
    world.lists_do_not_stick = true;
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_E_STATE);
    CHECK(strstr(fault.text, "did not stick") != NULL);
    CHECK(state_size(state) == 0);
}

TEST(what_cannot_be_taken_off_now_is_later_and_blocks_nobody)
{
    const struct state_target targets[] = {denied("C:\\w\\a")}, others[] = {denied("C:\\w\\b")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    tap.fail_at = tap.calls + 3; /* lines written, flushed, then the object is opened */
    tap.fail_code = API_SHARING_VIOLATION;
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(strstr(state_notices(state), "opening C:\\w\\a: in use") != NULL);
    CHECK(strstr(list("C:\\w\\a"), JOB) != NULL && count(JOB, "C:\\w\\a") == 0);
    CHECK(apply(JOB2, "s2", others, 1) == CORDON_OK);
    CHECK(strstr(list("C:\\w\\a"), JOB) == NULL && state_size(state) == 2);
}

TEST(one_process_has_the_folder)
{
    struct state *second = NULL;
    struct state_config config = {
        .api = &tap.api, .folder = FOLDER, .unchecked = true, .domain = sid_of(DOMAIN)};

    start();
    CHECK(state_open(&config, &second, &fault) == CORDON_E_STATE && second == NULL);
    CHECK(strstr(fault.text, "another process has") != NULL);
}

static bool is_s2(void *context, const char *holder)
{
    (void)context;
    return strcmp(holder, "s2") == 0;
}

TEST(a_restart_keeps_rows_and_ends_those_of_the_dead)
{
    const struct state_target targets[] = {denied("C:\\w\\a")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(apply(JOB, "s2", targets, 1) == CORDON_OK);
    CHECK(reopen() == CORDON_OK);
    CHECK(count(JOB, "C:\\w\\a") == 2 && state_notices(state)[0] == '\0');
    CHECK(state_retain(state, is_s2, NULL, &fault) == CORDON_OK);
    CHECK(count(JOB, "C:\\w\\a") == 1 && any_entry());
    CHECK(drop(JOB, "s2") == CORDON_OK && !any_entry());
    stop();
    CHECK(fake_open_handles(&world) == 0);
}

TEST(a_long_journal_is_written_anew)
{
    const struct state_target targets[] = {denied("C:\\w\\a")};
    char holder[9000];

    start();
    memset(holder, 'h', sizeof(holder));
    holder[sizeof(holder) - 1] = '\0';
    for (unsigned i = 0; i < 60; i++) {
        CHECK(apply(JOB, holder, targets, 1) == CORDON_OK);
        CHECK(drop(JOB, holder) == CORDON_OK);
    }
    CHECK(fake_file(&world, LOG)->text.len < 1100000);
    CHECK(apply(JOB, holder, targets, 1) == CORDON_OK);
    CHECK(reopen() == CORDON_OK && count(JOB, "C:\\w\\a") == 1);
}

static uint32_t open_no_journal(void *self, const char *path, enum api_mode mode,
                                api_handle *ret_handle)
{
    (void)self;
    return mode == API_APPEND ? (uint32_t)API_ACCESS_DENIED
                              : world.api.file_open(world.api.self, path, mode, ret_handle);
}

/* It was written anew, and cannot be opened again. */
TEST(without_a_journal_nothing_is_applied)
{
    const struct state_target targets[] = {denied("C:\\w\\a")};
    char holder[9000];
    enum cordon_err err = CORDON_OK;

    start();
    memset(holder, 'h', sizeof(holder));
    holder[sizeof(holder) - 1] = '\0';
    tap.api.file_open = open_no_journal;
    for (unsigned i = 0; err == CORDON_OK && i < 60; i++) {
        CHECK(apply(JOB, holder, targets, 1) == CORDON_OK);
        err = drop(JOB, holder);
    }
    CHECK(err == CORDON_E_DENIED && strstr(fault.text, "writing the journal") != NULL);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_E_OS);
    CHECK(strstr(fault.text, "writing the journal") != NULL && !any_entry());
    tap.api.file_open = world.api.file_open;
}

TEST_MAIN()
