/* SPDX-License-Identifier: Apache-2.0 */
/* The table of api.h with the system behind it: objects. Nothing is decided here. */
#include "platform/windows/win32.h"

#include <aclapi.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/sd.h"

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE file, HANDLE event, void *apc, void *context,
                                    IO_STATUS_BLOCK *status, void *info, ULONG len, int class,
                                    BOOLEAN single, UNICODE_STRING *pattern, BOOLEAN restart);
#define FILE_NAMES_INFORMATION 12
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define WHO (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION)

/* ---- text ---- */

uint32_t win32_wide(const char *prefix, const char *text, WCHAR **ret_wide)
{
    const size_t before = strlen(prefix), len = before + strlen(text) + 1;
    char *whole = len > API_PATH_MAX ? NULL : malloc(len);
    WCHAR *wide = malloc(len * sizeof(*wide));
    uint32_t code = API_OK;

    if (whole == NULL || wide == NULL) {
        code = ERROR_NOT_ENOUGH_MEMORY;
    } else {
        memcpy(whole, prefix, before);
        memcpy(whole + before, text, len - before);
        if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, whole, (int)len, wide, (int)len) ==
            0) {
            code = GetLastError();
        }
    }
    free(whole);
    if (code != API_OK) {
        free(wide);
        return code;
    }
    *ret_wide = wide;
    return API_OK;
}

uint32_t win32_narrow(const WCHAR *wide, size_t units, char *text, size_t size)
{
    const int len = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, (int)units, text,
                                        (int)size - 1, NULL, NULL);

    if (len <= 0) {
        return units == 0 ? (uint32_t)ERROR_INVALID_NAME : GetLastError();
    }
    text[len] = '\0';
    return API_OK;
}

/* A path as the system's own calls take it: no drive letter or dot is looked at again. */
uint32_t win32_path(const char *prefix, const char *path, WCHAR **ret_wide)
{
    char lead[16];

    if (strncmp(path, "\\\\", 2) != 0) {
        return win32_wide(prefix, path, ret_wide);
    }
    (void)snprintf(lead, sizeof(lead), "%sUNC\\", prefix);
    return win32_wide(lead, path + 2, ret_wide);
}

/* ---- files ---- */

/* NtCreateFile by a whole path, or by a name below @parent. */
static uint32_t create(api_handle parent, const char *name, uint32_t access, ULONG disposition,
                       ULONG options, api_handle *ret_handle)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK done;
    UNICODE_STRING text;
    WCHAR *wide = NULL;
    HANDLE handle;
    NTSTATUS status;
    const uint32_t code =
        parent == 0 ? win32_path("\\??\\", name, &wide) : win32_wide("", name, &wide);

    if (code != API_OK) {
        return code;
    }
    text.Buffer = wide;
    text.Length = (USHORT)(wcslen(wide) * sizeof(*wide));
    text.MaximumLength = text.Length;
    if (wcslen(wide) > 0x7ffe) {
        free(wide);
        return ERROR_FILENAME_EXCED_RANGE;
    }
    InitializeObjectAttributes(&attributes, &text, OBJ_CASE_INSENSITIVE, (HANDLE)parent, NULL);
    status = NtCreateFile(
        &handle, access | SYNCHRONIZE, &attributes, &done, NULL, FILE_ATTRIBUTE_NORMAL, SHARE_ALL,
        disposition, options | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0);
    free(wide);
    if (status < 0) {
        return RtlNtStatusToDosError(status);
    }
    *ret_handle = (api_handle)handle;
    return API_OK;
}

static uint32_t w_open_id(void *self, const char *beside, const struct api_id *id, uint32_t access,
                          api_handle *ret_handle)
{
    FILE_ID_DESCRIPTOR which = {.dwSize = sizeof(which), .Type = FileIdType};
    const char *root_end = strchr(beside + (strncmp(beside, "\\\\", 2) == 0 ? 2 : 0), '\\');
    char root[512];
    api_handle volume = 0;
    HANDLE handle;
    uint32_t code;

    (void)self;
    if (root_end != NULL && beside[0] == '\\') {
        root_end = strchr(root_end + 1, '\\'); /* behind the share */
    }
    if (root_end == NULL || (size_t)(root_end - beside) + 2 > sizeof(root)) {
        return ERROR_INVALID_NAME;
    }
    (void)snprintf(root, sizeof(root), "%.*s", (int)(root_end - beside) + 1, beside);
    code = create(0, root, FILE_READ_ATTRIBUTES, FILE_OPEN, FILE_OPEN_REPARSE_POINT, &volume);
    if (code != API_OK) {
        return ERROR_PATH_NOT_FOUND;
    }
    which.FileId.QuadPart = (LONGLONG)id->file;
    handle = OpenFileById((HANDLE)volume, &which, access, SHARE_ALL, NULL,
                          FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT);
    code = handle == INVALID_HANDLE_VALUE ? GetLastError() : API_OK;
    (void)CloseHandle((HANDLE)volume);
    if (code == API_OK) {
        *ret_handle = (api_handle)handle;
    }
    return code;
}

static uint32_t file_info(api_handle handle, struct api_info *ret_info)
{
    BY_HANDLE_FILE_INFORMATION info;

    if (!GetFileInformationByHandle((HANDLE)handle, &info)) {
        return GetLastError();
    }
    *ret_info =
        (struct api_info){.container = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0,
                          .reparse = (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0,
                          .links = info.nNumberOfLinks,
                          .id = {info.dwVolumeSerialNumber,
                                 (uint64_t)info.nFileIndexHigh << 32U | info.nFileIndexLow}};
    ret_info->empty = ret_info->container || (info.nFileSizeHigh == 0 && info.nFileSizeLow == 0);
    return API_OK;
}

static uint32_t file_path(api_handle handle, char *ret_path, size_t size)
{
    const DWORD room = 0x8000;
    WCHAR *wide = malloc(room * sizeof(*wide));
    uint32_t code = ERROR_NOT_ENOUGH_MEMORY;
    DWORD len;

    if (wide == NULL) {
        return code;
    }
    len = GetFinalPathNameByHandleW((HANDLE)handle, wide, room, VOLUME_NAME_DOS);
    if (len == 0 || len >= room) {
        code = len == 0 ? GetLastError() : (uint32_t)API_INSUFFICIENT_BUFFER;
    } else if (wcsncmp(wide, L"\\\\?\\UNC\\", 8) == 0) {
        wide[6] = L'\\';
        code = win32_narrow(wide + 6, len - 6, ret_path, size);
    } else {
        const DWORD skip = wcsncmp(wide, L"\\\\?\\", 4) == 0 ? 4 : 0;

        code = win32_narrow(wide + skip, len - skip, ret_path, size);
    }
    free(wide);
    return code;
}

static uint32_t file_next(api_handle handle, bool first, char ret_name[API_NAME_MAX])
{
    struct {
        ULONG next, index, len;
        WCHAR name[512];
    } entry;
    IO_STATUS_BLOCK done;

    do {
        const NTSTATUS status =
            NtQueryDirectoryFile((HANDLE)handle, NULL, NULL, NULL, &done, &entry, sizeof(entry),
                                 FILE_NAMES_INFORMATION, TRUE, NULL, (BOOLEAN)first);

        if (status < 0) {
            const uint32_t code = RtlNtStatusToDosError(status);

            /* An empty folder without even "." says that there is no such file. */
            return first && code == API_FILE_NOT_FOUND ? (uint32_t)API_NO_MORE_FILES : code;
        }
        first = false;
    } while ((entry.len == 2 && entry.name[0] == L'.') ||
             (entry.len == 4 && entry.name[0] == L'.' && entry.name[1] == L'.'));
    return win32_narrow(entry.name, entry.len / sizeof(WCHAR), ret_name, API_NAME_MAX);
}

static uint32_t file_erase(api_handle handle)
{
    FILE_DISPOSITION_INFO erase = {TRUE};

    return SetFileInformationByHandle((HANDLE)handle, FileDispositionInfo, &erase, sizeof(erase))
               ? API_OK
               : GetLastError();
}

/* ---- both ---- */

static uint32_t w_open(void *self, const struct api_open *how, api_handle *ret_handle)
{
    (void)self;
    return how->object == API_KEY ? win32_key_open(how->parent, how->name, how->access, ret_handle)
                                  : create(how->parent, how->name, how->access, FILE_OPEN,
                                           how->follow ? 0 : FILE_OPEN_REPARSE_POINT, ret_handle);
}

static uint32_t w_make(void *self, enum api_object object, const char *path, bool container,
                       api_handle *ret_handle)
{
    (void)self;
    return object == API_KEY
               ? win32_key_make(path, ret_handle)
               : create(0, path, READ_CONTROL | WRITE_DAC | DELETE | FILE_READ_ATTRIBUTES,
                        FILE_CREATE,
                        FILE_OPEN_REPARSE_POINT |
                            (container ? FILE_DIRECTORY_FILE : FILE_NON_DIRECTORY_FILE),
                        ret_handle);
}

/* A key's handle is a handle like another, but for the predefined ones, which are not handed out.
 */
static uint32_t w_close(void *self, api_handle handle)
{
    (void)self;
    return CloseHandle((HANDLE)handle) ? API_OK : GetLastError();
}

static uint32_t w_info(void *self, enum api_object object, api_handle handle,
                       struct api_info *ret_info)
{
    (void)self;
    return object == API_KEY ? win32_key_info(handle, ret_info) : file_info(handle, ret_info);
}

static uint32_t w_path(void *self, enum api_object object, api_handle handle, char *ret_path,
                       size_t size)
{
    (void)self;
    return object == API_KEY ? win32_key_path(handle, ret_path, size)
                             : file_path(handle, ret_path, size);
}

static uint32_t w_next(void *self, enum api_object object, api_handle handle, uint32_t index,
                       char ret_name[API_NAME_MAX])
{
    (void)self;
    return object == API_KEY ? win32_key_next(handle, index, ret_name)
                             : file_next(handle, index == 0, ret_name);
}

static uint32_t w_get_security(void *self, api_handle handle, uint8_t *bytes, size_t size,
                               size_t *ret_len)
{
    DWORD len = 0;

    (void)self;
    if (!GetKernelObjectSecurity((HANDLE)handle, WHO, bytes, (DWORD)size, &len)) {
        return GetLastError();
    }
    *ret_len = len;
    return API_OK;
}

/* As it is: not even the entries that the system calls inherited are made anew. */
static uint32_t set_alone(HANDLE handle, uint8_t *descriptor)
{
    /* The bit "inherits automatically" is kept only if it is asked for (SE_DACL_AUTO_INHERIT_REQ).
     */
    descriptor[3] |= (descriptor[3] & (SD_DACL_AUTO_INHERITED >> 8U)) != 0 ? 0x01U : 0U;
    return SetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION, descriptor) ? API_OK
                                                                                  : GetLastError();
}

static uint32_t set_tree(enum api_object object, HANDLE handle, uint8_t *descriptor)
{
    SECURITY_DESCRIPTOR_CONTROL control;
    BOOL present, defaulted;
    DWORD revision;
    ACL *list = NULL;

    if (!GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted) ||
        !GetSecurityDescriptorControl(descriptor, &control, &revision)) {
        return GetLastError();
    }
    return SetSecurityInfo(
        handle, object == API_KEY ? SE_REGISTRY_KEY : SE_FILE_OBJECT,
        DACL_SECURITY_INFORMATION |
            ((control & SE_DACL_PROTECTED) != 0 ? PROTECTED_DACL_SECURITY_INFORMATION : 0),
        NULL, NULL, list, NULL);
}

static uint32_t w_set_security(void *self, enum api_object object, api_handle handle,
                               const uint8_t *bytes, size_t len, bool below)
{
    uint8_t *copy = malloc(len);
    uint32_t code = API_NO_MEMORY;

    (void)self;
    if (copy != NULL) {
        memcpy(copy, bytes, len);
        code = below ? set_tree(object, (HANDLE)handle, copy) : set_alone((HANDLE)handle, copy);
    }
    free(copy);
    return code;
}

static uint32_t w_set_owner(void *self, enum api_object object, api_handle handle,
                            const struct sid *sid)
{
    (void)self;
    return SetSecurityInfo((HANDLE)handle, object == API_KEY ? SE_REGISTRY_KEY : SE_FILE_OBJECT,
                           OWNER_SECURITY_INFORMATION, (PSID)(uintptr_t)sid->bytes, NULL, NULL,
                           NULL);
}

static uint32_t w_granted(void *self, api_handle token, enum api_object object,
                          const uint8_t *bytes, size_t len, uint32_t *ret_mask)
{
    const struct sd_mapping *mapping = object == API_KEY ? &sd_mapping_key : &sd_mapping_file;
    GENERIC_MAPPING rights = {mapping->read, mapping->write, mapping->execute, mapping->all};
    uint8_t *copy = malloc(len);
    PRIVILEGE_SET used[4];
    DWORD used_len = sizeof(used), granted = 0;
    HANDLE own = NULL;
    BOOL status = FALSE;
    uint32_t code = API_OK;

    (void)self;
    if (copy == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    memcpy(copy, bytes, len);
    if (!DuplicateToken((HANDLE)token, SecurityIdentification, &own) ||
        !AccessCheck(copy, own, MAXIMUM_ALLOWED, &rights, used, &used_len, &granted, &status)) {
        code = GetLastError();
    }
    if (own != NULL) {
        (void)CloseHandle(own);
    }
    free(copy);
    if (code == API_OK) {
        *ret_mask = status ? granted : 0;
    }
    return code;
}

static uint32_t w_erase(void *self, enum api_object object, api_handle handle)
{
    (void)self;
    return object == API_KEY ? win32_key_erase(handle) : file_erase(handle);
}

static uint32_t w_impersonate(void *self, api_handle token)
{
    (void)self;
    return ImpersonateLoggedOnUser((HANDLE)token) ? API_OK : GetLastError();
}

static uint32_t w_revert(void *self)
{
    (void)self;
    return RevertToSelf() ? API_OK : GetLastError();
}

const struct api *api_win32(void)
{
    static struct api api = {.impersonate = w_impersonate,
                             .revert = w_revert,
                             .open = w_open,
                             .open_id = w_open_id,
                             .make = w_make,
                             .close = w_close,
                             .info = w_info,
                             .path = w_path,
                             .next = w_next,
                             .get_security = w_get_security,
                             .set_security = w_set_security,
                             .set_owner = w_set_owner,
                             .granted = w_granted,
                             .erase = w_erase};

    win32_files(&api);
    return &api;
}
