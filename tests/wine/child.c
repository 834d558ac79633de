/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/child.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/sid.h"
#include "platform/windows/win32.h"

#include <shellapi.h>

static void put_line(const WCHAR *text)
{
    char narrow[1024];

    if (WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, sizeof(narrow), NULL, NULL) > 0) {
        (void)printf("%s\n", narrow);
    }
}

static int tell_all(void)
{
    static const WCHAR *const names[] = {L"A", L"CODEX_SANDBOX"};
    WCHAR text[512], line[600];
    int argc;
    WCHAR **argv = CommandLineToArgvW(GetCommandLineW(), &argc);

    (void)_setmode(1, _O_BINARY);
    for (int i = 2; argv != NULL && i < argc; i++) {
        put_line(argv[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        if (GetEnvironmentVariableW(names[i], text, 512) > 0) {
            (void)swprintf(line, 600, L"%ls=%ls", names[i], text);
            put_line(line);
        }
    }
    (void)GetCurrentDirectoryW(512, text);
    put_line(text);
    return 0;
}

/* The SID of who runs this, as a line. */
static int who(void)
{
    _Alignas(TOKEN_USER) BYTE info[256];
    HANDLE token;
    struct sid user;
    char text[SID_TEXT_MAX] = "?";
    DWORD len;

    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
        GetTokenInformation(token, TokenUser, info, sizeof(info), &len) &&
        sid_parse(((TOKEN_USER *)(void *)info)->User.Sid, SID_BYTES_MAX, &user) == CORDON_OK) {
        sid_text(&user, text);
    }
    (void)printf("%s\n", text);
    return 0;
}

bool child_be(int argc, char **argv, int *ret_status)
{
    if (argc > 2 && strcmp(argv[1], "--exit") == 0) {
        *ret_status = (int)strtoul(argv[2], NULL, 10);
    } else if (argc == 3 && strcmp(argv[1], "--sleep") == 0) {
        Sleep((DWORD)strtoul(argv[2], NULL, 10) * 1000);
        *ret_status = 0;
    } else if (argc > 1 && strcmp(argv[1], "--tell") == 0) {
        *ret_status = tell_all();
    } else if (argc > 1 && strcmp(argv[1], "--who") == 0) {
        *ret_status = who();
    } else {
        return false;
    }
    return true;
}

/* Reads @from until its end. */
void child_read(HANDLE from, char *text, size_t size)
{
    size_t used = 0;
    DWORD len = 0;

    while (used + 1 < size && ReadFile(from, text + used, (DWORD)(size - used - 1), &len, NULL) &&
           len > 0) {
        used += len;
    }
    text[used] = '\0';
}
