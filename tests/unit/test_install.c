/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/install_world.h"

#define MANY 1000U

TEST(what_is_installed_is_complete_and_runs)
{
    build_machine();
    CHECK(install() == CORDON_OK && all_there());
    CHECK_STR(machine.command_line, "\"" PROGRAMS "\\cordond.exe\" --service");
    CHECK_STR(fake_list(&world, API_FILE, STATE_FOLDER),
              "D:P(A;OICI;0x1f01ff;;;S-1-5-18)(A;OICI;0x1f01ff;;;S-1-5-32-544)");
}

/* The running one is stopped first: it holds the lock. */
TEST(once_more_changes_nothing_but_what_somebody_changed)
{
    build_machine();
    CHECK(install() == CORDON_OK);
    machine.settings = 0;
    machine.hidden = machine.source = false;
    (void)strcpy(machine.command_line, "C:\\elsewhere.exe");
    CHECK(install() == CORDON_OK && all_there());
    CHECK_STR(machine.command_line, "\"" PROGRAMS "\\cordond.exe\" --service");
}

TEST(what_was_installed_and_used_leaves_nothing)
{
    build_machine();
    CHECK(install() == CORDON_OK);
    leave_a_job();
    CHECK(uninstall() == CORDON_OK && nothing_there());
    CHECK_STR(strbuf_text(&notices), "");
    CHECK(uninstall() == CORDON_OK && nothing_there());
    CHECK(install() == CORDON_OK && all_there());
}

TEST(nothing_is_removed_where_nothing_was_installed)
{
    build_machine();
    CHECK(uninstall() == CORDON_OK && nothing_there());
}

TEST(only_administrators_install_and_remove)
{
    build_machine();
    machine.administrator = false;
    CHECK(install() == CORDON_E_DENIED && nothing_there() && tap.calls == 0);
    CHECK(strstr(fault.remedy, "as an administrator") != NULL);
    machine.administrator = true;
    CHECK(install() == CORDON_OK);
    machine.administrator = false;
    CHECK(uninstall() == CORDON_E_DENIED && all_there());
}

/* Whoever may exchange them, or put a library beside them, would be LocalSystem. */
TEST(programs_that_others_may_change_are_no_service)
{
    static const char *const places[] = {"C:\\Program Files\\", PROGRAMS "\\",
                                         PROGRAMS "\\cordond.exe", PROGRAMS "\\cordon-worker.exe"};
    static const char *const lists[] = {
        "O:SYG:SYD:" OF_SYSTEM "(A;;0x40;;;BU)", "O:SYG:SYD:" OF_SYSTEM "(A;;0x2;;;BU)",
        "O:SYG:SYD:" OF_SYSTEM "(A;;0x2;;;BU)", "O:" OTHER "G:SYD:" OF_SYSTEM};

    for (size_t i = 0; i < 4; i++) {
        char path[FAKE_PATH];

        build_machine();
        (void)snprintf(path, sizeof(path), "%s", places[i]);
        path[strlen(path) - (path[strlen(path) - 1] == '\\' ? 1 : 0)] = '\0';
        fake_find(&world, API_FILE, path)->path[0] = '\0';
        add(places[i], lists[i]);
        CHECK(install() == CORDON_E_DENIED && strstr(fault.text, path) != NULL);
        CHECK(!machine.service && !machine.is_account);
    }
}

/* Anybody may make a folder of that name before the service is there. */
TEST(a_folder_that_others_made_is_not_believed)
{
    static const char *const lists[] = {"O:" OTHER "G:SYD:" OF_SYSTEM,
                                        "O:SYG:SYD:" OF_SYSTEM "(A;OICI;0x2;;;BU)"};

    for (size_t i = 0; i < 2; i++) {
        build_machine();
        add(FOLDER "\\", i == 0 ? lists[0] : NULL);
        add(STATE_FOLDER "\\", lists[i]);
        CHECK(install() == CORDON_E_DENIED && !machine.service && !machine.is_account);
        CHECK(strstr(fault.text, i == 0 ? "is owned by" : "may be changed by others") != NULL);
        CHECK(fault.remedy[0] != '\0');
    }
}

TEST(somebody_elses_account_is_left)
{
    build_machine();
    machine.is_account = machine.is_others = true;
    CHECK(install() == CORDON_E_DENIED && !machine.service && !machine.hidden);
    CHECK(uninstall() == CORDON_E_DENIED && machine.is_account);
    CHECK(strstr(fault.text, "that cordon did not make") != NULL);
}

TEST(an_administrators_files_stay_and_are_told_of)
{
    build_machine();
    CHECK(install() == CORDON_OK);
    add(FOLDER "\\requirements.toml", NULL);
    CHECK(uninstall() == CORDON_OK && !machine.service);
    CHECK_STR(strbuf_text(&notices), FOLDER " is not empty and stays\n");
    CHECK(fake_find(&world, API_FILE, FOLDER "\\requirements.toml") != NULL);
    CHECK(fake_find(&world, API_FILE, STATE_FOLDER) == NULL);
}

/* The record of what is left on the disk is not thrown away, nor what could take it off. */
TEST(what_jobs_left_and_cannot_be_taken_off_keeps_the_rest)
{
    bool met = false;

    for (unsigned n = 1; n < MANY && !met; n++) {
        build_machine();
        CHECK(install() == CORDON_OK);
        leave_a_job();
        tap.fail_at = n;
        tap.fail_count = MANY;
        tap.fail_code = API_SHARING_VIOLATION;
        /* From the call on that opens the object the entry is on. */
        met = uninstall() == CORDON_E_STATE && strstr(strbuf_text(&notices), "C:\\w\\a") != NULL;
    }
    CHECK(met && strstr(fault.text, "3 access-list entries or files of jobs") != NULL);
    CHECK(machine.service && machine.is_account && machine.source && !machine.running);
    tap.fail_at = 0;
    CHECK(uninstall() == CORDON_OK && nothing_there());
}

TEST(an_entry_that_goes_later_is_no_error_but_bars_a_new_one)
{
    build_machine();
    CHECK(install() == CORDON_OK);
    machine.is_going = true;
    CHECK(uninstall() == CORDON_OK);
    CHECK(install() == CORDON_E_OS && strstr(fault.text, "1072") != NULL);
    CHECK(!machine.running);
}

TEST(every_call_of_an_installation_that_fails_leaves_what_a_second_run_finishes)
{
    unsigned n = 1, failed = 0;

    for (; n < MANY; n++) {
        enum cordon_err err;

        build_machine();
        tap.fail_at = n;
        tap.fail_code = 1450;
        err = install();
        if (tap.calls < n) {
            break;
        }
        failed += err != CORDON_OK;
        /* What starts with the system is whole. */
        CHECK(err == CORDON_OK ? all_there()
                               : !machine.service || machine.settings == (1U << SCM_SETTINGS) - 1U);
        CHECK(err == CORDON_OK || fault.text[0] != '\0');
        tap.fail_at = 0;
        CHECK(n % 2 == 0 ? install() == CORDON_OK && all_there()
                         : uninstall() == CORDON_OK && nothing_there());
    }
    CHECK(n > 40 && n < MANY && failed > 30);
}

TEST(every_call_of_a_removal_that_fails_leaves_what_a_second_run_finishes)
{
    unsigned n = 1, failed = 0;

    for (; n < MANY; n++) {
        enum cordon_err err;

        build_machine();
        CHECK(install() == CORDON_OK);
        leave_a_job();
        tap.fail_at = n;
        tap.fail_code = 1450;
        err = uninstall();
        if (tap.calls < n) {
            break;
        }
        failed += err != CORDON_OK;
        CHECK(err == CORDON_OK ? nothing_there() : fault.text[0] != '\0');
        tap.fail_at = 0;
        CHECK(uninstall() == CORDON_OK && nothing_there());
    }
    CHECK(n > 40 && n < MANY && failed > 20);
}

TEST_MAIN()
