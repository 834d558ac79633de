/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/broker.h"

#include <stdlib.h>
#include <string.h>

#include <tlhelp32.h>

#define MUST_TELL broker_text(BROKER_FOLDER "\\log")
#include "tests/wine/must.h"

void broker_path(const char *name, char *ret_path, size_t size)
{
    char self[MAX_PATH];
    char *end;

    CHECK(GetModuleFileNameA(NULL, self, sizeof(self)) != 0);
    end = strstr(self, "\\tests\\wine\\");
    CHECK(end != NULL);
    *end = '\0';
    CHECK((size_t)snprintf(ret_path, size, "%s\\%s", self, name) < size);
}

char *broker_text(const char *path)
{
    const HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                    OPEN_EXISTING, 0, NULL);
    char *text = calloc(1, 65536);
    DWORD len;

    if (file != INVALID_HANDLE_VALUE) {
        (void)ReadFile(file, text, 65535, &len, NULL);
        (void)CloseHandle(file);
    }
    return text;
}

HANDLE broker_run(const char *pipe, const char *options)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    STARTUPINFOA start = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION made;
    char path[MAX_PATH];
    char line[MAX_PATH + 256];

    (void)CreateDirectoryA(BROKER_FOLDER, NULL);
    (void)CreateDirectoryA(BROKER_FOLDER "\\managed", NULL);
    broker_path("broker\\cordond-test.exe", path, sizeof(path));
    (void)snprintf(line, sizeof(line),
                   "cordond --socket %s --managed-root %s\\managed --audit %s\\audit.jsonl %s",
                   pipe, BROKER_FOLDER, BROKER_FOLDER, options);
    start.hStdError =
        CreateFileA(BROKER_FOLDER "\\log", FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    &inherited, OPEN_ALWAYS, 0, NULL);
    CHECK(start.hStdError != INVALID_HANDLE_VALUE);
    CHECK(CreateProcessA(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &made));
    (void)CloseHandle(start.hStdError);
    (void)CloseHandle(made.hThread);
    return made.hProcess;
}

void broker_await(HANDLE broker, const char *pipe)
{
    for (unsigned i = 0; i < 400 && !WaitNamedPipeA(pipe, 50); i++) {
        CHECK(WaitForSingleObject(broker, 50) == WAIT_TIMEOUT);
    }
}

HANDLE broker_start(void)
{
    const HANDLE broker = broker_run(BROKER_PIPE, "--null");

    broker_await(broker, BROKER_PIPE);
    return broker;
}

void broker_end(HANDLE broker)
{
    CHECK(TerminateProcess(broker, 1));
    CHECK(WaitForSingleObject(broker, BROKER_WAIT_MS) == WAIT_OBJECT_0);
    (void)CloseHandle(broker);
}

HANDLE broker_child(HANDLE broker, const char *name)
{
    const HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    const DWORD parent = GetProcessId(broker);
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE child = NULL;

    for (BOOL more = Process32First(all, &entry); more && child == NULL;
         more = Process32Next(all, &entry)) {
        if (entry.th32ParentProcessID == parent && strcmp(entry.szExeFile, name) == 0) {
            child = OpenProcess(PROCESS_TERMINATE | PROCESS_QUERY_INFORMATION, FALSE,
                                entry.th32ProcessID);
        }
    }
    (void)CloseHandle(all);
    return child;
}
