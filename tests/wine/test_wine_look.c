/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of real disks on a real one: what is there, what is not, and a plan made from it. Wine
 * makes no reparse points, so where links lead is tested over the disk in memory alone.
 */
#include "platform/windows/look.h"

#include <windows.h>

#include "platform/windows/plan_windows.h"
#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

#define TOP "C:\\look"
#define JOB "S-1-5-21-1-2-3-1001"

static struct look look;
static struct plan_case c;
static struct cordon_fault fault;
static char listed[4096];

static void make_file(const char *path)
{
    const HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);

    CHECK(file != INVALID_HANDLE_VALUE);
    (void)CloseHandle(file);
}

static void begin(void)
{
    (void)CreateDirectoryA(TOP, NULL);
    (void)CreateDirectoryA(TOP "\\sub", NULL);
    make_file(TOP "\\Big.TXT");
    make_file(TOP "\\sub\\k.pem");
    look_init(&look, api_win32(), 0, 60000);
}

static enum cordon_err collect(void *context, const struct win_entry *entry)
{
    char *at = listed + strlen(listed);

    (void)context;
    (void)snprintf(at, sizeof(listed) - (size_t)(at - listed), "%s%s%s ", entry->name,
                   entry->object == PLAN_DIRECTORY ? "\\" : "", entry->link ? ">" : "");
    return CORDON_OK;
}

static enum cordon_err list_of(const char *path)
{
    listed[0] = '\0';
    return look.tree.list(look.tree.context, path, collect, NULL, &fault);
}

TEST(a_directory_is_listed)
{
    begin();
    CHECK(list_of(TOP) == CORDON_OK);
    CHECK(strstr(listed, "Big.TXT ") != NULL && strstr(listed, "sub\\ ") != NULL);
    CHECK(strlen(listed) == strlen("Big.TXT sub\\ "));
    CHECK(list_of(TOP "\\gone") == CORDON_E_NOT_FOUND);
    CHECK(list_of(TOP "\\Big.TXT") == CORDON_E_NOT_FOUND);
    CHECK(list_of("") == CORDON_OK && strncmp(listed, "C:\\ ", 4) == 0);
}

TEST(a_place_is_told_as_the_volume_spells_it)
{
    struct win_entry entry;
    struct arena arena;

    begin();
    arena_init(&arena, 1U << 20U);
    CHECK(look.tree.look(&look, "c:\\LOOK\\big.txt", &arena, &entry, &fault) == CORDON_OK);
    CHECK(entry.object == PLAN_FILE && entry.file != 0);
    CHECK_STR(entry.target, TOP "\\Big.TXT");
    arena_deinit(&arena);
}

TEST(a_plan_is_made_from_what_is_there)
{
    const struct look_order order = {
        .cwd = TOP, .privileged = true, .principal = JOB, .names = 1000};
    struct strbuf text = STRBUF_INIT;
    struct plan *plan = NULL;

    begin();
    CHECK(plan_case_parse(&c, "profile dev\nwindows\ncwd " TOP "\nworkspace /C:/look\nnetwork\n"
                              "own read / spelled=:root\nown write /C:/look\n"
                              "own deny /C:/look/**/*.pem\nown deny /C:/look/new/.env\n"));
    c.policy.os = POLICY_OS_WINDOWS;
    if (look_facts(&look, &c.policy, &order, &c.arena, &c.facts, &fault) != CORDON_OK ||
        plan_windows(&c.policy, &c.facts, &c.arena, &plan, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "  %s\n", fault.text);
        CHECK(false);
    }
    plan_print(plan, &c.policy, false, &text);
    CHECK(strstr(strbuf_text(&text), "deny             C:\\\\look\\\\sub\\\\k.pem file") != NULL);
    CHECK(strstr(strbuf_text(&text), "materialise      C:\\\\look\\\\new\\\\.env file") != NULL);
    strbuf_deinit(&text);
    plan_case_deinit(&c);
}

TEST(directories_that_others_placed_are_found)
{
    const struct api *api = api_win32();
    char path[512];

    CHECK(api->folder(api->self, API_FOLDER_WINDOWS, 0, path, sizeof(path)) == API_OK);
    CHECK(_stricmp(path, "C:\\windows") == 0);
    CHECK(api->folder(api->self, API_FOLDER_PROGRAMS, 0, path, sizeof(path)) == API_OK);
    CHECK(api->folder(api->self, API_FOLDER_PROFILE, 0, path, sizeof(path)) == API_OK);
    CHECK(strncmp(path, "C:\\users\\", 9) == 0);
}

TEST_MAIN()
