/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/caller.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"
#include "platform/windows/lookup_win32.h"

#define UNITS_MAX 4096U
#define BYTES_MAX (3U * UNITS_MAX)
#define GROUPS_MAX 1024U
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* NULL: no memory, or no Unicode. */
static const char *narrow(const WCHAR *wide, size_t units, struct arena *arena)
{
    char text[BYTES_MAX];

    return win32_narrow(wide, units, text, sizeof(text)) == API_OK ? arena_strdup(arena, text)
                                                                   : NULL;
}

enum cordon_err caller_enter(const char *folder, struct arena *arena, const char **ret_cwd,
                             struct cordon_fault *fault)
{
    WCHAR *wide, cwd[UNITS_MAX];
    DWORD len;
    uint32_t code = API_OK;

    if (folder != NULL) {
        code = win32_wide("", folder, &wide);
        if (code == API_OK) {
            code = SetCurrentDirectoryW(wide) ? API_OK : GetLastError();
            free(wide);
        }
        if (code != API_OK) {
            return api_fault(fault, code, NULL, "working directory %s", folder);
        }
    }
    len = GetCurrentDirectoryW(UNITS_MAX, cwd);
    if (len == 0 || len >= UNITS_MAX) {
        return api_fault(fault, len == 0 ? GetLastError() : (uint32_t)API_INSUFFICIENT_BUFFER, NULL,
                         "working directory");
    }
    *ret_cwd = narrow(cwd, len, arena);
    return *ret_cwd != NULL ? CORDON_OK
                            : fault_set(fault, CORDON_E_NOMEM, NULL,
                                        "working directory: out of memory, or no Unicode");
}

/* As the service has it looked up. */
void caller_user(struct arena *arena, struct policy_context *context)
{
    struct platform_peer self = {.uid = 0};
    struct host_user user;
    struct strbuf out = STRBUF_INIT;
    char **words = NULL;
    int count = 0;
    HANDLE token;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return;
    }
    self.token = io_fd(token);
    if (peer_words(&self, GROUPS_MAX, &words) == CORDON_OK) {
        while (words[count] != NULL) {
            count++;
        }
        if (lookup_words(count, words, &out) &&
            host_user_parse(out.data, out.len, arena, &user) == CORDON_OK) {
            context->home = user.home[0] == '\0' ? NULL : arena_strdup(arena, user.home);
            context->user = user.user[0] == '\0' ? NULL : arena_strdup(arena, user.user);
            context->groups = user.groups;
            context->group_count = user.group_count;
        }
    }
    free(words);
    strbuf_deinit(&out);
    (void)CloseHandle(token);
}

const char *caller_place(const char *variable, struct arena *arena)
{
    WCHAR *name, value[UNITS_MAX];
    const char *place = NULL;

    if (win32_wide("", variable, &name) == API_OK) {
        const DWORD len = GetEnvironmentVariableW(name, value, UNITS_MAX);

        place = len > 0 && len < UNITS_MAX ? narrow(value, len, arena) : NULL;
        free(name);
    }
    return place != NULL && host_is_absolute(place) ? place : NULL;
}

/* As the system takes it: a name's end that it drops is dropped here, too. */
static const char *full(const char *path, struct arena *arena)
{
    WCHAR *wide, out[UNITS_MAX];
    DWORD len;

    if (win32_wide("", path, &wide) != API_OK) {
        return NULL;
    }
    len = GetFullPathNameW(wide, UNITS_MAX, out, NULL);
    free(wide);
    return len > 0 && len < UNITS_MAX ? narrow(out, len, arena) : NULL;
}

static bool is_separator(char c)
{
    return c == '\\' || c == '/';
}

const char *caller_absolute(const struct policy_context *context, const char *path,
                            struct arena *arena)
{
    if (path[0] == '~' && (is_separator(path[1]) || path[1] == '\0') && context->home != NULL) {
        path = arena_printf(arena, "%s%s", context->home, path + 1);
    } else if (path[0] == '/' && path[1] != '\0' && path[2] == ':') {
        path++; /* "/C:/x", as policy has it */
    }
    return path == NULL ? NULL : full(path, arena);
}

/* "C:\x" of "\\?\C:\x", "\\server\x" of "\\?\UNC\server\x". */
static const WCHAR *plain(WCHAR *path)
{
    if (wcsncmp(path, L"\\\\?\\UNC\\", 8) == 0) {
        path[6] = L'\\';
        return path + 6;
    }
    return wcsncmp(path, L"\\\\?\\", 4) == 0 ? path + 4 : path;
}

/* NULL: it cannot be opened. */
static const char *real_path(const char *path, struct arena *arena)
{
    WCHAR *wide, out[UNITS_MAX];
    HANDLE handle;
    DWORD len;

    if (win32_path("\\\\?\\", path, &wide) != API_OK) {
        return NULL;
    }
    handle = CreateFileW(wide, 0, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    free(wide);
    if (handle == INVALID_HANDLE_VALUE) {
        return NULL;
    }
    len = GetFinalPathNameByHandleW(handle, out, UNITS_MAX, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
    (void)CloseHandle(handle);
    if (len == 0 || len >= UNITS_MAX) {
        return NULL;
    }
    return narrow(plain(out), wcslen(plain(out)), arena);
}

const char *caller_leads(const char *path, struct arena *arena)
{
    size_t len = strlen(path);

    while (len > 0) {
        char *head = arena_strndup(arena, path, len);
        const char *real = head == NULL ? NULL : real_path(head, arena);
        size_t real_len;

        if (real != NULL) {
            real_len = strlen(real);
            real_len -= is_separator(real[real_len - 1]) && is_separator(path[len]) ? 1 : 0;
            head = arena_printf(arena, "%.*s%s", (int)real_len, real, path + len);
            /* Where only the case of letters differs it is the same place. */
            return head == NULL || _stricmp(head, path) == 0 ? NULL : head;
        }
        while (len > 0 && !is_separator(path[--len])) {
        }
    }
    return NULL;
}
