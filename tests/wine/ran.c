/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/broker.h"

#include <stdlib.h>

#include "tests/wine/must.h"
#include "tests/wine/ran.h"

static void read_file(const char *path, char *text, size_t size)
{
    char *whole = broker_text(path);

    (void)snprintf(text, size, "%s", whole);
    free(whole);
}

static HANDLE make_file(const char *path)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    const HANDLE file = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                    &inherited, CREATE_ALWAYS, 0, NULL);

    CHECK(file != INVALID_HANDLE_VALUE);
    return file;
}

struct ran ran_run(const char *program, const WCHAR *args)
{
    static struct ran ran;
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    STARTUPINFOW start = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION made;
    char name[64], path[MAX_PATH];
    WCHAR line[2048], wide[MAX_PATH];

    (void)snprintf(name, sizeof(name), "%s.exe", program);
    broker_path(name, path, sizeof(path));
    (void)swprintf(wide, MAX_PATH, L"%hs", path);
    (void)swprintf(line, 2048, L"cordon %ls", args);
    start.hStdInput = CreateFileA("NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                  &inherited, OPEN_EXISTING, 0, NULL);
    start.hStdOutput = make_file("C:\\out");
    start.hStdError = make_file("C:\\err");
    CHECK(CreateProcessW(wide, line, NULL, NULL, TRUE, 0, NULL, L"C:\\", &start, &made));
    (void)CloseHandle(start.hStdInput);
    (void)CloseHandle(start.hStdOutput);
    (void)CloseHandle(start.hStdError);
    CHECK(WaitForSingleObject(made.hProcess, BROKER_WAIT_MS) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(made.hProcess, &ran.status));
    (void)CloseHandle(made.hProcess);
    (void)CloseHandle(made.hThread);
    read_file("C:\\out", ran.out, sizeof(ran.out));
    read_file("C:\\err", ran.err, sizeof(ran.err));
    return ran;
}

const WCHAR *ran_sandbox(const WCHAR *options, const WCHAR *rest)
{
    static WCHAR text[1024];
    WCHAR self[MAX_PATH];

    CHECK(GetModuleFileNameW(NULL, self, MAX_PATH) > 0);
    (void)swprintf(text, 1024, L"sandbox windows %ls -- \"%ls\" %ls", options, self, rest);
    return text;
}

bool ran_there(const char *path)
{
    return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

bool ran_says(const char *text, const char *part)
{
    const bool does = strstr(text, part) != NULL;

    if (!does) {
        (void)fprintf(stderr, "  got: %s\n", text);
    }
    return does;
}
