/* SPDX-License-Identifier: Apache-2.0 */
/* The table of api.h with the system behind it: the state's own files, and the clock. */
#include <stdlib.h>

#include "platform/windows/win32.h"

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
    api->now_ms = f_now_ms;
}
