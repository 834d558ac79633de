/* SPDX-License-Identifier: Apache-2.0 */
/* The table of api.h with the system behind it: keys of the registry. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/win32.h"

NTSTATUS NTAPI NtDeleteKey(HANDLE key);
NTSTATUS NTAPI NtQueryKey(HANDLE key, int class, void *info, ULONG len, ULONG *ret_len);
#define KEY_NAME_INFORMATION 3

static const struct {
    const char *name;
    HKEY key;
    const char *native; /* what NtQueryKey calls it */
} hives[] = {{"HKLM\\", HKEY_LOCAL_MACHINE, "\\REGISTRY\\MACHINE\\"},
             {"HKU\\", HKEY_USERS, "\\REGISTRY\\USER\\"}};

uint32_t win32_key_open(api_handle parent, const char *name, uint32_t access,
                        api_handle *ret_handle)
{
    HKEY from = (HKEY)parent, key;
    WCHAR *wide;
    uint32_t code;

    for (size_t i = 0; from == NULL && i < sizeof(hives) / sizeof(hives[0]); i++) {
        const size_t len = strlen(hives[i].name);

        if (strncmp(name, hives[i].name, len) == 0) {
            from = hives[i].key;
            name += len;
        } else if (strncmp(name, hives[i].name, len - 1) == 0 && name[len - 1] == '\0') {
            from = hives[i].key;
            name += len - 1;
        }
    }
    if (from == NULL) {
        return ERROR_INVALID_NAME;
    }
    code = win32_wide("", name, &wide);
    if (code != API_OK) {
        return code;
    }
    code =
        (uint32_t)RegOpenKeyExW(from, wide, REG_OPTION_OPEN_LINK, access | KEY_WOW64_64KEY, &key);
    free(wide);
    if (code == API_OK) {
        *ret_handle = (api_handle)key;
    }
    return code;
}

/* RegCreateKeyExW alone would make what is missing above, too. */
uint32_t win32_key_make(const char *path, api_handle *ret_handle)
{
    const char *cut = strrchr(path, '\\');
    char *parent = cut == NULL ? NULL : malloc((size_t)(cut - path) + 1);
    api_handle above = 0;
    WCHAR *wide = NULL;
    DWORD how = 0;
    HKEY key;
    uint32_t code;

    if (parent == NULL) {
        return ERROR_INVALID_NAME;
    }
    memcpy(parent, path, (size_t)(cut - path));
    parent[cut - path] = '\0';
    code = win32_key_open(0, parent, KEY_CREATE_SUB_KEY, &above);
    free(parent);
    if (code == API_OK) {
        code = win32_wide("", cut + 1, &wide);
    } else if (code == API_FILE_NOT_FOUND) {
        code = API_PATH_NOT_FOUND;
    }
    if (code == API_OK) {
        code = (uint32_t)RegCreateKeyExW((HKEY)above, wide, 0, NULL, 0,
                                         READ_CONTROL | WRITE_DAC | DELETE | KEY_QUERY_VALUE, NULL,
                                         &key, &how);
    }
    if (code == API_OK && how == REG_OPENED_EXISTING_KEY) {
        (void)RegCloseKey(key);
        code = API_ALREADY_EXISTS;
    }
    if (above != 0) {
        (void)RegCloseKey((HKEY)above);
    }
    free(wide);
    if (code == API_OK) {
        *ret_handle = (api_handle)key;
    }
    return code;
}

uint32_t win32_key_info(api_handle handle, struct api_info *ret_info)
{
    DWORD keys = 0, values = 0, type = 0;
    uint32_t code = (uint32_t)RegQueryInfoKeyW((HKEY)handle, NULL, NULL, NULL, &keys, NULL, NULL,
                                               &values, NULL, NULL, NULL, NULL);

    if (code != API_OK) {
        return code;
    }
    code = (uint32_t)RegQueryValueExW((HKEY)handle, L"SymbolicLinkValue", NULL, &type, NULL, NULL);
    *ret_info = (struct api_info){.container = true,
                                  .reparse = code == API_OK && type == REG_LINK,
                                  .links = 1,
                                  .empty = keys == 0 && values == 0};
    return API_OK;
}

uint32_t win32_key_path(api_handle handle, char *ret_path, size_t size)
{
    struct {
        ULONG len;
        WCHAR name[4096];
    } info;
    char native[4096 * 3];
    ULONG used;
    const NTSTATUS status =
        NtQueryKey((HANDLE)handle, KEY_NAME_INFORMATION, &info, sizeof(info), &used);
    uint32_t code = status < 0
                        ? RtlNtStatusToDosError(status)
                        : win32_narrow(info.name, info.len / sizeof(WCHAR), native, sizeof(native));

    for (size_t i = 0; code == API_OK && i < sizeof(hives) / sizeof(hives[0]); i++) {
        const size_t len = strlen(hives[i].native);

        if (_strnicmp(native, hives[i].native, len) == 0) {
            (void)snprintf(ret_path, size, "%s%s", hives[i].name, native + len);
            return API_OK;
        }
    }
    return code == API_OK ? (uint32_t)ERROR_INVALID_NAME : code;
}

uint32_t win32_key_next(api_handle handle, uint32_t index, char ret_name[API_NAME_MAX])
{
    WCHAR name[256];
    DWORD len = 256;
    const uint32_t code =
        (uint32_t)RegEnumKeyExW((HKEY)handle, index, name, &len, NULL, NULL, NULL, NULL);

    if (code == ERROR_NO_MORE_ITEMS) {
        return API_NO_MORE_FILES;
    }
    return code == API_OK ? win32_narrow(name, len, ret_name, API_NAME_MAX) : code;
}

uint32_t win32_key_erase(api_handle handle)
{
    const NTSTATUS status = NtDeleteKey((HANDLE)handle);

    return status < 0 ? RtlNtStatusToDosError(status) : API_OK;
}
