/* SPDX-License-Identifier: Apache-2.0 */
/* What lies below a denied folder: inherits, does not inherit, is granted again. */
#include "tests/unit/state_world.h"

TEST(what_does_not_inherit_a_denial_gets_its_own)
{
    const struct state_target targets[] = {denied("C:\\w\\b")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK_STR(list("C:\\w\\b\\f"), "D:(D;ID;0xd017f;;;" JOB ")" EVERYONE_FILE);
    CHECK_STR(list("C:\\w\\b\\p"), "D:P" ON_FILE "(A;;0x1f01ff;;;S-1-1-0)");
    /* And keeps it in the next apply, which does not look below again. */
    strbuf_deinit(&tap.trace);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(strstr(strbuf_text(&tap.trace), "next") == NULL);
    CHECK_STR(list("C:\\w\\b\\p"), "D:P" ON_FILE "(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(!any_entry());
}

TEST(what_was_found_below_is_everyones_who_denies_the_folder)
{
    const struct state_target targets[] = {denied("C:\\w\\b")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(apply(JOB, "s2", targets, 1) == CORDON_OK);
    CHECK(count(JOB, "C:\\w\\b\\p") == 2);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK_STR(list("C:\\w\\b\\p"), "D:P" ON_FILE "(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(drop(JOB, "s2") == CORDON_OK);
    CHECK(!any_entry() && state_size(state) == 0);
}

TEST(what_was_found_below_an_alias_is_found_where_it_lies)
{
    struct state_target targets[] = {denied("C:\\w\\b"), denied("C:\\j\\b")};

    start();
    junction("C:\\j\\", "C:\\w");
    for (unsigned i = 0; i < 2; i++) {
        CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
        CHECK_STR(list("C:\\w\\b\\p"), "D:P" ON_FILE "(A;;0x1f01ff;;;S-1-1-0)");
        /* The alias goes out of use. */
        targets[1].acl.resolved = "C:\\w\\b";
        CHECK(apply(JOB, "s1", targets + i, 1) == CORDON_OK);
        CHECK_STR(list("C:\\w\\b\\p"), "D:P" ON_FILE "(A;;0x1f01ff;;;S-1-1-0)");
        targets[1].acl.resolved = NULL;
        CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
    }
}

TEST(a_junction_below_a_denied_folder_is_denied_itself)
{
    const struct state_target targets[] = {denied("C:\\w\\b")};
    struct fake_node *junction;

    start();
    junction = fake_add(&world, API_FILE, "C:\\w\\b\\l\\", "O:SYD:P(A;;FA;;;WD)");
    strcpy(junction->leads, "D:\\t");
    junction->info.reparse = true;
    (void)fake_add(&world, API_FILE, "D:\\t\\", NULL);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK_STR(list("C:\\w\\b\\l"), "D:P" ON_FILE "(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(strstr(list("D:\\t"), JOB) == NULL);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(what_may_be_read_again_may_still_not_be_written)
{
    struct state_target targets[] = {denied("C:\\w\\b"), readable("C:\\w\\b\\p")};

    start();
    targets[0].acl.mask = DENY_WRITE;
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    CHECK(strstr(list("C:\\w\\b\\p"), "(D;;0xd0156;;;" JOB ")") != NULL);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(what_is_granted_again_by_an_alias_is_known_by_what_it_is)
{
    struct state_target targets[] = {denied("C:\\w\\b"), readable("C:\\j\\b\\p")};

    start();
    junction("C:\\j\\", "C:\\w");
    targets[1].acl.resolved = "C:\\w\\b\\p";
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    CHECK_STR(list("C:\\w\\b\\p"), "D:P(A;;0x1f01ff;;;S-1-1-0)(A;;0x1200a9;;;" JOB ")");
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(what_is_granted_again_below_a_denial_stays_granted)
{
    const struct state_target targets[] = {denied("C:\\w\\b"), readable("C:\\w\\b\\g")};
    struct state_request request = {
        .holder = "s1", .targets = targets, .target_count = 2, .principal = sid_of(JOB)};

    start();
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\g\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\g\\f", NULL);
    request.token = fake_token(&world, JOB);
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    /* The entry on the folder is gone; when it is put on again, all below is looked at again. */
    lose_entry("C:\\w\\b");
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    CHECK_STR(list("C:\\w\\b\\g"),
              "D:(A;OICI;0x1200a9;;;" JOB ")(D;OICIID;0xd017f;;;" JOB ")" EVERYONE_FOLDER);
    CHECK(strstr(list("C:\\w\\b\\g\\f"), "(D;;") == NULL);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(folders_in_folders_are_each_found_once)
{
    const struct state_target targets[] = {denied("C:\\w\\b"), readable("C:\\w\\a")};
    char path[FAKE_PATH] = "C:\\w\\b\\";
    unsigned calls;

    start();
    for (unsigned i = 0; i < 7; i++) {
        strcat(path, "d\\");
        (void)fake_add(&world, API_FILE, path, "O:SYD:(A;OICI;FA;;;WD)");
    }
    calls = tap.calls;
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    calls = tap.calls - calls;
    for (unsigned i = 0; i < 3; i++) {
        /* Shared, then with a grant more, and less: all is looked at again. */
        const unsigned before = tap.calls;

        CHECK(apply(JOB, "s2", targets, i == 1 ? 2 : 1) == CORDON_OK);
        CHECK(tap.calls - before < 5 * calls);
    }
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(strstr(list("C:\\w\\b\\d\\d\\d\\d\\d\\d\\d"), "(D;OICI;") != NULL);
    CHECK(drop(JOB, "s2") == CORDON_OK && !any_entry() && state_size(state) == 0);
}

/* The same folder, with something in it that is granted, and then is not, and is again. */
TEST(what_is_granted_again_changes_with_the_policy)
{
    const struct state_target targets[] = {denied("C:\\w\\b"), readable("C:\\w\\b\\g")};

    start();
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\g\\", "O:SYD:(A;OICI;FA;;;WD)");
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\g\\o", "O:SYD:P(A;;FA;;;WD)");
    for (unsigned i = 0; i < 2; i++) {
        CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
        CHECK(strstr(list("C:\\w\\b\\g\\o"), JOB) == NULL);
        CHECK(strstr(list("C:\\w\\b\\g"), "(D;OICI;") == NULL);
        CHECK(strstr(list("C:\\w\\b\\p"), ON_FILE) != NULL);
        CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
        CHECK(strstr(list("C:\\w\\b\\g\\o"), ON_FILE) != NULL);
        CHECK(strstr(list("C:\\w\\b\\g"), "(D;OICI;0xd017f;;;" JOB ")") != NULL);
        CHECK(strstr(list("C:\\w\\b\\p"), ON_FILE) != NULL);
    }
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry() && state_size(state) == 0);
}

TEST(an_entry_for_the_object_alone_is_not_passed_on)
{
    struct state_target targets[] = {denied("C:\\w\\b")};

    start();
    targets[0].acl.alone = true;
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK_STR(list("C:\\w\\b"), "D:" ON_FILE EVERYONE_FOLDER);
    CHECK_STR(list("C:\\w\\b\\p"), "D:P(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(an_alias_may_lead_to_what_another_denial_of_the_request_names)
{
    struct state_target targets[] = {denied("C:\\j\\a"), denied("C:\\w\\a")};

    start();
    junction("C:\\j\\", "C:\\w");
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    CHECK_STR(list("C:\\w\\a"), "D:" ON_FILE EVERYONE_FILE);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "lies elsewhere") != NULL);
    targets[1].acl.resolved = "C:\\w\\b"; /* where that is told, nothing else will do */
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_E_DENIED);
}

TEST(keys_below_that_inherit_nothing_get_their_own_too)
{
    const struct state_target targets[] = {denied("HKLM\\k")};

    start();
    (void)fake_add(&world, API_KEY, "HKLM\\k\\below\\deeper", NULL);
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    CHECK(strstr(list("HKLM\\k\\below"), "(D;CI;0xd017f;;;" JOB ")") != NULL);
    CHECK(strstr(list("HKLM\\k\\below\\deeper"), "(D;CI;0xd017f;;;" JOB ")") != NULL);
    CHECK(drop(JOB, "s1") == CORDON_OK);
    CHECK(!any_entry());
}

TEST(what_the_principal_cannot_reach_anyway_is_left_alone)
{
    const struct state_target targets[] = {denied("C:\\w\\b")};
    struct state_request request = {
        .holder = "s1", .targets = targets, .target_count = 1, .principal = sid_of(JOB)};

    start();
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\sy", "O:SYD:P(A;;FA;;;SY)");
    request.token = fake_token(&world, JOB " WD");
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    CHECK_STR(list("C:\\w\\b\\sy"), "D:P(A;;0x1f01ff;;;S-1-5-18)");
    CHECK(strstr(list("C:\\w\\b\\p"), JOB) != NULL);
}

static uint32_t granted_once(void *self, api_handle token, enum api_object object,
                             const uint8_t *bytes, size_t len, uint32_t *ret_mask)
{
    static unsigned asked;

    (void)self;
    return asked++ == 0 ? world.api.granted(world.api.self, token, object, bytes, len, ret_mask)
                        : (uint32_t)API_ACCESS_DENIED;
}

/* The folder's own entry is checked; then nobody says what the job could do below it. */
TEST(what_cannot_be_asked_below_refuses_the_launch)
{
    const struct state_target targets[] = {denied("C:\\w\\b")};
    struct state_request request = {
        .holder = "s1", .targets = targets, .target_count = 1, .principal = sid_of(JOB)};

    start();
    request.token = fake_token(&world, JOB " WD");
    tap.api.granted = granted_once;
    CHECK(state_apply(state, &request, &fault) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "what a job may do below C:\\w\\b") != NULL);
    CHECK(!any_entry() && state_size(state) == 0);
}

TEST_MAIN()
