/* SPDX-License-Identifier: Apache-2.0 */
/* host.h on Windows: files and directories. */
#include <stdlib.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "platform/windows/io.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static bool is_separator(char c)
{
    return c == '\\' || c == '/';
}

/* A drive with its root, or a share. */
bool host_is_absolute(const char *path)
{
    const char letter = ascii_upper(path[0]);

    if (is_separator(path[0])) {
        return is_separator(path[1]);
    }
    return letter >= 'A' && letter <= 'Z' && path[1] == ':' && is_separator(path[2]);
}

bool host_is_directory(const char *path)
{
    WCHAR *wide;
    DWORD found;

    if (!host_is_absolute(path) || win32_wide("", path, &wide) != API_OK) {
        return false;
    }
    found = GetFileAttributesW(wide);
    free(wide);
    return found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

static bool is_directory_handle(int fd)
{
    FILE_BASIC_INFO info;

    return GetFileType(io_handle(fd)) == FILE_TYPE_DISK &&
           GetFileInformationByHandleEx(io_handle(fd), FileBasicInfo, &info, sizeof(info)) &&
           (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* "\\?\C:\x" and "\\?\UNC\server\share" as people write them. */
static const char *plain_name(char *name)
{
    if (strncmp(name, "\\\\?\\UNC\\", 8) == 0) {
        name[6] = '\\';
        return name + 6;
    }
    return strncmp(name, "\\\\?\\", 4) == 0 ? name + 4 : name;
}

enum cordon_err host_directory_name(int fd, struct arena *arena, const char **ret_name,
                                    struct cordon_fault *fault)
{
    static WCHAR wide[API_PATH_MAX];
    static char text[API_PATH_MAX];
    DWORD len;

    if (!is_directory_handle(fd)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "working directory: not a directory");
    }
    len = GetFinalPathNameByHandleW(io_handle(fd), wide, API_PATH_MAX, FILE_NAME_NORMALIZED);
    if (len == 0 || len >= API_PATH_MAX || win32_narrow(wide, len, text, sizeof(text)) != API_OK) {
        return fault_set(fault, CORDON_E_NOT_FOUND, "change to a directory that exists",
                         "working directory: its name is unknown");
    }
    *ret_name = arena_strdup(arena, plain_name(text));
    return *ret_name != NULL
               ? CORDON_OK
               : fault_set(fault, CORDON_E_NOMEM, NULL, "working directory: out of memory");
}

enum cordon_err host_check_stream(int fd, struct cordon_fault *fault)
{
    return is_directory_handle(fd)
               ? fault_set(fault, CORDON_E_DENIED, "redirect the stream from or to a file",
                           "a directory is given as a standard stream of the command")
               : CORDON_OK;
}

/* The text is the arena's, with a NUL behind its *ret_len bytes. NULL: @fault says why. */
static const char *read_whole(HANDLE file, const char *path, size_t max, struct arena *arena,
                              size_t *ret_len, struct cordon_fault *fault)
{
    LARGE_INTEGER size;
    DWORD len = 0;
    char *text;

    if (GetFileType(file) != FILE_TYPE_DISK || !GetFileSizeEx(file, &size)) {
        (void)fault_set(fault, CORDON_E_DENIED, NULL, "%s: not a regular file", path);
        return NULL;
    }
    if ((uint64_t)size.QuadPart > max || (uint64_t)size.QuadPart > UINT32_MAX - 1U) {
        (void)fault_set(fault, CORDON_E_LIMIT, NULL, "%s: larger than %zu bytes", path, max);
        return NULL;
    }
    text = arena_alloc(arena, (size_t)size.QuadPart + 1);
    if (text == NULL) {
        (void)fault_set(fault, CORDON_E_NOMEM, NULL, "%s: out of memory", path);
        return NULL;
    }
    if (!ReadFile(file, text, (DWORD)size.QuadPart, &len, NULL)) {
        (void)api_fault(fault, GetLastError(), NULL, "reading %s", path);
        return NULL;
    }
    if (len != (DWORD)size.QuadPart) {
        (void)fault_set(fault, CORDON_E_STATE, "try again", "%s: changed while being read", path);
        return NULL;
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

enum cordon_err host_read_file(const char *path, size_t max, struct arena *arena,
                               const char **ret_text, size_t *ret_len, struct cordon_fault *fault)
{
    WCHAR *wide = NULL;
    uint32_t code = win32_wide("", path, &wide);
    HANDLE file = INVALID_HANDLE_VALUE;
    struct cordon_fault why;
    const char *text;

    if (code == API_OK) {
        file = CreateFileW(wide, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
        code = file == INVALID_HANDLE_VALUE ? GetLastError() : API_OK;
        free(wide);
    }
    if (api_is_absent(code)) {
        return fault_set(fault, CORDON_E_NOT_FOUND, NULL, "%s: not there", path);
    }
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "opening %s", path);
    }
    text = read_whole(file, path, max, arena, ret_len, &why);
    (void)CloseHandle(file);
    if (text == NULL) {
        if (fault != NULL) {
            *fault = why;
        }
        return why.err;
    }
    *ret_text = text;
    return CORDON_OK;
}

/* Made with the list of its folder. */
enum cordon_err host_open_log(const char *path, int *ret_fd, struct cordon_fault *fault)
{
    WCHAR *wide = NULL;
    uint32_t code = win32_wide("", path, &wide);
    HANDLE file = INVALID_HANDLE_VALUE;

    if (code == API_OK) {
        file = CreateFileW(wide, FILE_APPEND_DATA | SYNCHRONIZE, SHARE_ALL, NULL, OPEN_ALWAYS,
                           FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        code = file == INVALID_HANDLE_VALUE ? GetLastError() : API_OK;
        free(wide);
    }
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "opening %s", path);
    }
    *ret_fd = io_fd(file);
    return CORDON_OK;
}

bool host_write(int fd, const char *text, size_t len)
{
    DWORD done = 0;

    while (len > 0 && WriteFile(io_handle(fd), text, (DWORD)len, &done, NULL) && done > 0) {
        text += done;
        len -= done;
    }
    return len == 0;
}

/* The way to it would have to be judged as that to a managed file, and it be kept open. */
enum cordon_err host_open_sink(const struct managed_places *places, const char *path, int *ret_fd,
                               struct cordon_fault *fault)
{
    (void)places;
    (void)ret_fd;
    return fault_set(fault, CORDON_E_UNSUPPORTED, "leave cordon.audit.sink out",
                     "%s: no records are written to a file on Windows yet", path);
}

enum cordon_err host_pipe(int ret_fds[2], struct cordon_fault *fault)
{
    return io_pair(false, ret_fds, fault);
}

enum cordon_err host_read(int fd, void *buf, size_t size, size_t *ret_len)
{
    return io_read(fd, buf, size, ret_len);
}
