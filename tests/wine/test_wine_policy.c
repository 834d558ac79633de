/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that read policy, of the real programs, on a disk and for a user that are there. */
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/ran.h"

static struct ran cordon(const WCHAR *args)
{
    return ran_run("client\\cordon", args);
}

static void write(const char *path, const char *text)
{
    DWORD written;
    const HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);

    CHECK(file != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(file, text, (DWORD)strlen(text), &written, NULL));
    CHECK(CloseHandle(file));
}

/* One's own configuration, in a folder that the environment names. */
TEST(why_names_the_rule_of_a_path_however_it_is_spelled)
{
    static const WCHAR *const spelled[] = {
        L"why C:\\ws\\secret\\x.txt", L"why c:/WS/secret/x.txt", L"why -C C:\\ws secret\\x.txt",
        L"why C:\\ws\\a\\..\\secret\\x.txt", L"why \"C:\\ws\\secret. \""};

    CHECK(CreateDirectoryA("C:\\ws", NULL) && CreateDirectoryA("C:\\ws\\secret", NULL));
    CHECK(CreateDirectoryA("C:\\own", NULL));
    write("C:\\own\\config.toml", "default_permissions = \"dev\"\n"
                                  "[permissions.dev.filesystem]\n\":root\" = \"read\"\n"
                                  "\"C:\\\\ws\\\\secret\" = \"deny\"\n");
    CHECK(SetEnvironmentVariableA("CODEX_HOME", "C:\\own"));
    for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++) {
        const struct ran ran = cordon(spelled[i]);

        CHECK_STR(ran.err, "");
        CHECK(ran.status == 0);
        SAYS(ran.out, "denied: read ");
        SAYS(ran.out, "rule:      deny \"C:");
        SAYS(ran.out, "config.toml:4");
    }
}

TEST(why_tells_what_is_allowed_and_where_links_lead)
{
    struct ran ran = cordon(L"why C:\\ws\\other --json");

    CHECK(ran.status == 0);
    SAYS(ran.out, "\"path\":\"C:\\\\ws\\\\other\"");
    SAYS(ran.out, "\"verdict\":\"allow\"");
    SAYS(ran.out, "\"resolved\":null");
    ran = cordon(L"why --write C:\\ws\\other");
    CHECK(ran.status == 0);
    SAYS(ran.out, "denied: write C:");
}

TEST(show_check_and_test_read_what_they_are_given)
{
    struct ran ran = cordon(L"policy show");

    CHECK(ran.status == 0);
    SAYS(ran.out, "dev");
    SAYS(ran.out, "C:");
    write("C:\\ws\\requirements.toml", "[nothing]\n");
    ran = cordon(L"policy check C:\\ws\\requirements.toml");
    CHECK(ran.status == 1);
    SAYS(ran.err, "requirements.toml:1:");
    write("C:\\ws\\cases.toml", "[[case]]\npath = \"C:\\\\ws\\\\secret\\\\x\"\nexpect = \"deny\"\n"
                                "[[case]]\npath = \"C:\\\\ws\\\\y\"\nexpect = \"allow\"\n");
    ran = cordon(L"policy test C:\\ws\\cases.toml");
    CHECK_STR(ran.err, "");
    CHECK(ran.status == 0);
    SAYS(ran.out, "2 passed, 0 failed");
}

TEST(keys_and_signatures_are_made_elsewhere)
{
    const struct ran ran = cordon(L"policy keygen C:\\key");

    CHECK(ran.status == 1 && GetFileAttributesA("C:\\key") == INVALID_FILE_ATTRIBUTES);
    SAYS(ran.err, "make keys and sign on Linux");
}

/* Without a service, and with managed files that nobody can believe here. */
TEST(doctor_says_what_is_missing_and_what_to_do)
{
    struct ran ran = cordon(L"doctor");

    SAYS(ran.out, "layers");
    SAYS(ran.out, "note  cordond            embedded mode");
    CHECK(strstr(ran.out, "  entry  ") == NULL);
    CHECK(CreateDirectoryA("C:\\ProgramData\\cordon", NULL));
    write("C:\\ProgramData\\cordon\\requirements.toml", "");
    ran = cordon(L"doctor");
    CHECK(ran.status == 1);
    SAYS(ran.out, "bad   files              C:");
    SAYS(ran.out, "remedy: let only SYSTEM and Administrators own and change it");
    ran = cordon(L"doctor --json");
    CHECK(ran.status == 1);
    SAYS(ran.out, "\"ok\":false");
}

TEST_MAIN()
