/* SPDX-License-Identifier: Apache-2.0 */
/* The table of install.h with the system behind it. Nothing is decided here. */
#include "platform/windows/install.h"

#include <stdlib.h>

#include "platform/host.h"
#include "platform/windows/eventlog.h"
#include "platform/windows/win32.h"

#include <sddl.h>

#define APPLICATION_LOG "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\"

static bool i_is_administrator(void *self)
{
    (void)self;
    return host_is_root();
}

static uint32_t i_make_folder(void *self, const char *path, const char *list)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
    WCHAR *wide = NULL, *wide_list = NULL;
    uint32_t code = win32_path("\\\\?\\", path, &wide);

    (void)self;
    code = code == API_OK ? win32_wide("", list, &wide_list) : code;
    if (code == API_OK &&
        (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
             wide_list, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL) ||
         !CreateDirectoryW(wide, &attributes))) {
        code = GetLastError();
    }
    if (attributes.lpSecurityDescriptor != NULL) {
        (void)LocalFree(attributes.lpSecurityDescriptor);
    }
    free(wide);
    free(wide_list);
    return code;
}

static uint32_t remove_by(const char *path, BOOL(WINAPI *call)(const WCHAR *))
{
    WCHAR *wide;
    uint32_t code = win32_path("\\\\?\\", path, &wide);

    if (code == API_OK) {
        code = call(wide) ? API_OK : GetLastError();
        free(wide);
    }
    return code;
}

static uint32_t i_remove_folder(void *self, const char *path)
{
    (void)self;
    return remove_by(path, RemoveDirectoryW);
}

static uint32_t i_remove_file(void *self, const char *path)
{
    (void)self;
    return remove_by(path, DeleteFileW);
}

/* ---- event log ---- */

/* The file by its path as it is: one with a "%" in it would be expanded as REG_EXPAND_SZ. */
static uint32_t set_values(HKEY key, const WCHAR *file)
{
    const DWORD types = EVENTS_TYPE_ERROR | EVENTS_TYPE_WARNING | EVENTS_TYPE_INFORMATION;
    LSTATUS code = RegSetValueExW(key, L"EventMessageFile", 0, REG_SZ, (const BYTE *)file,
                                  (DWORD)((wcslen(file) + 1) * sizeof(*file)));

    if (code == ERROR_SUCCESS) {
        code = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types,
                              sizeof(types));
    }
    return (uint32_t)code;
}

static uint32_t i_set_source(void *self, const char *name, const char *file)
{
    WCHAR *wide = NULL, *wide_file = NULL;
    HKEY key;
    uint32_t code = win32_wide(APPLICATION_LOG, name, &wide);

    (void)self;
    code = code == API_OK ? win32_wide("", file, &wide_file) : code;
    if (code == API_OK) {
        code = (uint32_t)RegCreateKeyExW(HKEY_LOCAL_MACHINE, wide, 0, NULL, 0,
                                         KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    }
    if (code == API_OK) {
        code = set_values(key, wide_file);
        (void)RegCloseKey(key);
    }
    free(wide);
    free(wide_file);
    return code;
}

static uint32_t i_remove_source(void *self, const char *name)
{
    WCHAR *wide;
    uint32_t code = win32_wide(APPLICATION_LOG, name, &wide);

    (void)self;
    if (code == API_OK) {
        code = (uint32_t)RegDeleteKeyExW(HKEY_LOCAL_MACHINE, wide, KEY_WOW64_64KEY, 0);
        free(wide);
    }
    return code;
}

/* ---- control manager ---- */

static uint32_t i_make_service(void *self, const struct scm_entry *entry)
{
    (void)self;
    return scm_make(entry);
}

static uint32_t i_change_service(void *self, const struct scm_entry *entry)
{
    (void)self;
    return scm_change(entry);
}

static uint32_t i_set_service(void *self, const struct scm_entry *entry, enum scm_setting setting)
{
    (void)self;
    return scm_set(entry, setting);
}

static uint32_t i_remove_service(void *self, const char *name)
{
    (void)self;
    return scm_remove(name);
}

static uint32_t i_start_service(void *self, const char *name, uint32_t wait_ms)
{
    uint32_t pid;

    (void)self;
    return scm_start(name, wait_ms, &pid);
}

static uint32_t i_stop_service(void *self, const char *name, uint32_t wait_ms)
{
    (void)self;
    return scm_stop(name, wait_ms);
}

const struct install_api *install_win32(void)
{
    static const struct install_api api = {.is_administrator = i_is_administrator,
                                           .make_folder = i_make_folder,
                                           .remove_folder = i_remove_folder,
                                           .remove_file = i_remove_file,
                                           .set_source = i_set_source,
                                           .remove_source = i_remove_source,
                                           .make_service = i_make_service,
                                           .change_service = i_change_service,
                                           .set_service = i_set_service,
                                           .remove_service = i_remove_service,
                                           .start_service = i_start_service,
                                           .stop_service = i_stop_service};

    return &api;
}
