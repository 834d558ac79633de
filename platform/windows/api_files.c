/* SPDX-License-Identifier: Apache-2.0 */
/* The table of api.h with the system behind it: the state's own files, and the clock. */
#include <stdlib.h>

#include "platform/windows/win32.h"

#include <userenv.h>

static uint32_t f_open(void *self, const char *path, enum api_mode mode, api_handle *ret_handle)
{
    static const struct {
        DWORD access, share, how;
    } modes[] = {
        [API_READ] = {GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING},
        [API_APPEND] = {FILE_APPEND_DATA | SYNCHRONIZE, FILE_SHARE_READ, OPEN_ALWAYS},
        [API_REPLACE] = {GENERIC_WRITE, 0, CREATE_ALWAYS},
        [API_LOCK] = {GENERIC_READ, 0, OPEN_ALWAYS},
    };
    WCHAR *wide;
    HANDLE handle;
    uint32_t code = win32_path("\\\\?\\", path, &wide);

    (void)self;
    if (code != API_OK) {
        return code;
    }
    handle = CreateFileW(wide, modes[mode].access, modes[mode].share, NULL, modes[mode].how,
                         FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    code = handle == INVALID_HANDLE_VALUE ? GetLastError() : API_OK;
    free(wide);
    if (code == API_OK) {
        *ret_handle = (api_handle)handle;
    }
    return code;
}

static uint32_t f_read(void *self, api_handle handle, uint8_t *bytes, size_t size, size_t *ret_len)
{
    size_t len = 0;
    DWORD got = 1;

    (void)self;
    while (len < size && got > 0) {
        const size_t room = size - len < (1U << 20U) ? size - len : 1U << 20U;

        if (!ReadFile((HANDLE)handle, bytes + len, (DWORD)room, &got, NULL)) {
            return GetLastError();
        }
        len += got;
    }
    *ret_len = len;
    return API_OK;
}

static uint32_t f_write(void *self, api_handle handle, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    DWORD written;

    (void)self;
    while (len > 0) {
        const DWORD part = len < (1U << 20U) ? (DWORD)len : 1U << 20U;

        if (!WriteFile((HANDLE)handle, at, part, &written, NULL)) {
            return GetLastError();
        }
        at += written;
        len -= written;
    }
    return API_OK;
}

static uint32_t f_flush(void *self, api_handle handle)
{
    (void)self;
    return FlushFileBuffers((HANDLE)handle) ? API_OK : GetLastError();
}

static uint32_t f_replace(void *self, const char *from, const char *to)
{
    WCHAR *source, *target;
    uint32_t code = win32_path("\\\\?\\", from, &source);

    (void)self;
    if (code != API_OK) {
        return code;
    }
    code = win32_path("\\\\?\\", to, &target);
    if (code == API_OK) {
        code = MoveFileExW(source, target, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)
                   ? API_OK
                   : GetLastError();
        free(target);
    }
    free(source);
    return code;
}

/* What a value of the registry says, which installers read as well. */
static uint32_t programs(const WCHAR *value, WCHAR *path, DWORD units)
{
    DWORD len = units * sizeof(*path);

    return (uint32_t)RegGetValueW(HKEY_LOCAL_MACHINE,
                                  L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion", value,
                                  RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, path, &len);
}

static uint32_t profile(HANDLE token, WCHAR *path, DWORD units)
{
    HANDLE own = token;
    uint32_t code = API_OK;

    if (token == NULL && !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &own)) {
        return GetLastError();
    }
    if (!GetUserProfileDirectoryW(own, path, &units)) {
        code = GetLastError();
    }
    if (token == NULL) {
        (void)CloseHandle(own);
    }
    return code;
}

static uint32_t f_folder(void *self, enum api_folder which, api_handle token, char *ret_path,
                         size_t size)
{
    WCHAR path[MAX_PATH];
    uint32_t code = API_OK;

    (void)self;
    switch (which) {
    case API_FOLDER_PROFILE:
        code = profile((HANDLE)token, path, MAX_PATH);
        break;
    case API_FOLDER_WINDOWS:
        code = GetSystemWindowsDirectoryW(path, MAX_PATH) == 0 ? GetLastError() : API_OK;
        break;
    case API_FOLDER_PROGRAMS:
        code = programs(L"ProgramFilesDir", path, MAX_PATH);
        break;
    case API_FOLDER_PROGRAMS_32:
        code = programs(L"ProgramFilesDir (x86)", path, MAX_PATH);
        break;
    }
    return code == API_OK ? win32_narrow(path, wcslen(path), ret_path, size) : code;
}

static uint64_t f_now_ms(void *self)
{
    (void)self;
    return GetTickCount64();
}

void win32_files(struct api *api)
{
    api->file_open = f_open;
    api->file_read = f_read;
    api->file_write = f_write;
    api->file_flush = f_flush;
    api->file_replace = f_replace;
    api->folder = f_folder;
    api->now_ms = f_now_ms;
}
