/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The installer, by Windows Installer as Wine has it: put on, replaced by the next version, taken
 * off, and what comes of it where the service cannot be installed. Its service is that of the
 * tests (install_parts.c); the real one refuses here, and leaves nothing either.
 */
#include "platform/windows/pipe.h"
#include "platform/windows/place_win32.h"
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/install.h"
#include "tests/wine/ran.h"

#define PROGRAMS "C:\\Program Files\\cordon\\"
#define LOG "C:\\msi.log"
#define UNINSTALL "Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall"
#define ENVIRONMENT "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"

static DWORD run(const char *line)
{
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION made;
    char text[1024];
    DWORD status = 9999;

    (void)snprintf(text, sizeof(text), "%s", line);
    CHECK(CreateProcessA(NULL, text, NULL, NULL, FALSE, 0, NULL, NULL, &start, &made));
    CHECK(WaitForSingleObject(made.hProcess, 90000) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(made.hProcess, &status));
    (void)CloseHandle(made.hProcess);
    (void)CloseHandle(made.hThread);
    return status;
}

/* The status of msiexec with @option ("/i") and an installer of the build tree. */
static DWORD msiexec(const char *option, const char *name)
{
    char path[MAX_PATH], file[MAX_PATH], line[1024];

    (void)snprintf(file, sizeof(file), "packaging\\windows\\%s.msi", name);
    broker_path(file, path, sizeof(path));
    CHECK(GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES);
    (void)snprintf(line, sizeof(line), "msiexec %s \"%s\" /qn /l*v " LOG, option, path);
    return run(line);
}

static bool in_path(void)
{
    static char value[8192];
    DWORD len = sizeof(value);

    CHECK(RegGetValueA(HKEY_LOCAL_MACHINE, ENVIRONMENT, "PATH", RRF_RT_REG_SZ, NULL, value, &len) ==
          ERROR_SUCCESS);
    return strstr(value, PROGRAMS) != NULL;
}

/* Its code; 0: it runs. */
static uint32_t service_state(void)
{
    uint32_t pid;

    return scm_start(SCM_CORDON, 20000, &pid);
}

/* Whether the service's pipe is that program's. */
static bool is_served_by(const char *program)
{
    const HANDLE pipe = CreateFileA(PIPE_NAME, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    char path[MAX_PATH] = "";
    DWORD len = sizeof(path);
    ULONG pid = 0;
    HANDLE process;
    bool is;

    if (pipe == INVALID_HANDLE_VALUE || !GetNamedPipeServerProcessId(pipe, &pid)) {
        return false;
    }
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    is = process != NULL && QueryFullProcessImageNameA(process, 0, path, &len) &&
         _stricmp(path, program) == 0;
    (void)CloseHandle(process);
    (void)CloseHandle(pipe);
    return is;
}

static void check_installed(void)
{
    static const char *const programs[] = {"cordon", "cordond", "cordon-worker", "cordon-init",
                                           "cordon-policy"};
    char path[MAX_PATH], program[MAX_PATH];
    struct install what;

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        (void)snprintf(path, sizeof(path), PROGRAMS "%s.exe", programs[i]);
        CHECK(ran_there(path));
    }
    CHECK(ran_there(PROGRAMS "doc\\cordond.8.html") && ran_there(PROGRAMS "doc\\LICENSE.txt"));
    CHECK(in_path() && install_parts(&what) && ran_there(what.state->folder));
    CHECK(is_served_by(PROGRAMS "cordond.exe"));
    (void)snprintf(program, sizeof(program), "\"" PROGRAMS "cordon.exe\" version");
    CHECK(run(program) == 0);
    CHECK(run("\"" PROGRAMS "cordon.exe\" policy show") == 0); /* finds its sibling there */
}

static bool nothing_there(void)
{
    HKEY key;

    return !ran_there(PROGRAMS) && !ran_there(place_folder()) && !in_path() &&
           service_state() == SCM_NOT_THERE &&
           RegOpenKeyExA(HKEY_LOCAL_MACHINE, INSTALL_ACCOUNT, 0, KEY_QUERY_VALUE, &key) ==
               ERROR_FILE_NOT_FOUND;
}

/* Those that Windows knows as installed. */
static const char *versions(void)
{
    static char all[256];
    char product[128], version[64];
    HKEY key;

    all[0] = '\0';
    CHECK(RegOpenKeyExA(HKEY_LOCAL_MACHINE, UNINSTALL, 0, KEY_READ, &key) == ERROR_SUCCESS);
    for (DWORD i = 0; RegEnumKeyA(key, i, product, sizeof(product)) == ERROR_SUCCESS; i++) {
        DWORD len = sizeof(version);

        CHECK(RegGetValueA(key, product, "DisplayVersion", RRF_RT_REG_SZ, NULL, version, &len) ==
              ERROR_SUCCESS);
        CHECK(strlen(all) + strlen(version) + 2 < sizeof(all));
        (void)strcat(strcat(all, version), " ");
    }
    (void)RegCloseKey(key);
    return all;
}

static void show_log(void)
{
    char *text = broker_text(LOG);

    (void)fprintf(stderr, "%s\n", text);
    free(text);
}

/* ---- in this order ---- */

TEST(it_puts_programs_and_service_on)
{
    const DWORD status = msiexec("/i", "test-0.0.1");

    if (status != 0) {
        show_log();
    }
    CHECK(status == 0);
    check_installed();
}

TEST(the_next_version_takes_the_place_of_this_one)
{
    CHECK_STR(versions(), "0.0.1 ");
    CHECK(msiexec("/i", "test-0.0.2") == 0);
    CHECK_STR(versions(), "0.0.2 ");
    check_installed();
}

TEST(it_leaves_nothing_when_it_is_removed)
{
    CHECK(msiexec("/x", "test-0.0.2") == 0);
    CHECK(nothing_there());
    CHECK_STR(versions(), "");
}

/* There is an account of that name that is somebody else's: which is the service's refusal. */
TEST(what_the_service_refuses_is_not_installed)
{
    CHECK(RegSetKeyValueA(HKEY_LOCAL_MACHINE, INSTALL_ACCOUNT, ACCOUNT_NAME, REG_SZ, "mine", 5) ==
          ERROR_SUCCESS);
    CHECK(msiexec("/i", "test-0.0.1") != 0);
    CHECK(!ran_there(PROGRAMS "cordond.exe") && !in_path() && service_state() == SCM_NOT_THERE);
    CHECK(RegDeleteKeyA(HKEY_LOCAL_MACHINE, INSTALL_ACCOUNT) == ERROR_SUCCESS);
}

TEST(the_real_service_is_refused_here_and_leaves_nothing)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "cordon-%s-x64", CORDON_VERSION);
    CHECK(msiexec("/i", name) != 0);
    CHECK(!ran_there(PROGRAMS "cordond.exe") && !in_path() && service_state() == SCM_NOT_THERE);
}

TEST_MAIN()
