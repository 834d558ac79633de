/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/posix/file.h"

void host_close(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

bool host_is_absolute(const char *path)
{
    return path[0] == '/';
}

bool host_is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum cordon_err host_directory_name(int fd, struct arena *arena, const char **ret_name,
                                    struct cordon_fault *fault)
{
    char link[64];
    char path[PATH_MAX];
    struct stat st;
    struct stat named;
    ssize_t len;
    const char *name;

    if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "working directory: not a directory");
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    if (len <= 0) {
        return fault_os(fault, errno, "mount /proc", "working directory: its name is unknown");
    }
    path[len] = '\0';
    /* A removed one is called "NAME (deleted)", and somebody may have made a directory so named. */
    if (path[0] != '/' || st.st_nlink == 0 ||
        (stat(path, &named) == 0 && (named.st_dev != st.st_dev || named.st_ino != st.st_ino))) {
        return fault_set(fault, CORDON_E_NOT_FOUND, "change to a directory that exists",
                         "working directory: removed or out of reach");
    }
    name = arena_strdup(arena, path);
    if (name == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "working directory: out of memory");
    }
    *ret_name = name;
    return CORDON_OK;
}

enum cordon_err host_check_stream(int fd, struct cordon_fault *fault)
{
    struct stat st;

    /* O_PATH first: fstat() of such a descriptor asks no server. */
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        return fault_set(fault, CORDON_E_DENIED, "redirect the stream from or to a file",
                         "a directory is given as a standard stream of the command");
    }
    return CORDON_OK;
}

/* Reads the rest of regular file @fd into ret_text (room for size + 1). */
enum cordon_err file_fill(int fd, const char *path, char *ret_text, size_t size,
                          struct cordon_fault *fault)
{
    size_t used = 0;

    while (used < size) {
        ssize_t len = read(fd, ret_text + used, size - used);

        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len < 0) {
            return fault_os(fault, errno, NULL, "%s: cannot be read", path);
        }
        if (len == 0) {
            return fault_set(fault, CORDON_E_STATE, "try again", "%s: changed while being read",
                             path);
        }
        used += (size_t)len;
    }
    ret_text[size] = '\0';
    return CORDON_OK;
}

enum cordon_err file_size(int fd, const char *path, size_t max, size_t *ret_size,
                          struct cordon_fault *fault)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return fault_os(fault, errno, NULL, "%s: cannot be examined", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return fault_set(fault, CORDON_E_DENIED, NULL, "%s: not a regular file", path);
    }
    if ((uint64_t)st.st_size > max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: larger than %zu bytes", path, max);
    }
    *ret_size = (size_t)st.st_size;
    return CORDON_OK;
}

enum cordon_err host_read_file(const char *path, size_t max, struct arena *arena,
                               const char **ret_text, size_t *ret_len, struct cordon_fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum cordon_err err;
    char *text = NULL;
    size_t len = 0;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return fault_set(fault, CORDON_E_NOT_FOUND, NULL, "%s: not there", path);
    }
    if (fd < 0) {
        return fault_os(fault, errno, NULL, "%s: cannot be opened", path);
    }
    err = file_size(fd, path, max, &len, fault);
    if (err == CORDON_OK) {
        text = arena_room(arena, len + 1);
        err = text == NULL ? fault_set(fault, CORDON_E_NOMEM, NULL, "%s: out of memory", path)
                           : file_fill(fd, path, text, len, fault);
    }
    (void)close(fd);
    if (err == CORDON_OK) {
        *ret_text = text;
        *ret_len = len;
    }
    return err;
}

enum cordon_err host_open_log(const char *path, int *ret_fd, struct cordon_fault *fault)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

    if (fd < 0) {
        return fault_os(fault, errno, NULL, "%s: cannot be opened", path);
    }
    *ret_fd = fd;
    return CORDON_OK;
}

enum cordon_err host_replace(int dir, const char *name, const char *bytes, size_t len,
                             struct cordon_fault *fault)
{
    char fresh[NAME_MAX + 1];
    int code;
    int fd;
    bool done;

    (void)snprintf(fresh, sizeof(fresh), ".%s", name);
    fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    done = fd >= 0 && fchmod(fd, 0644) == 0; /* our umask does not count */
    while (done && len > 0) {
        ssize_t written = write(fd, bytes, len);

        done = written > 0;
        bytes += done ? written : 0;
        len -= done ? (size_t)written : 0;
    }
    done = done && fsync(fd) == 0 && renameat(dir, fresh, dir, name) == 0 && fsync(dir) == 0;
    code = errno;
    host_close(fd);
    return done ? CORDON_OK : fault_os(fault, code, NULL, "%s: cannot be written", name);
}

bool host_write(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, text, len);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        text += done;
        len -= (size_t)done;
    }
    return true;
}

enum cordon_err host_read(int fd, void *buf, size_t size, size_t *ret_len)
{
    ssize_t len = read(fd, buf, size);

    if (len > 0) {
        *ret_len = (size_t)len;
        return CORDON_OK;
    }
    if (len == 0) {
        return CORDON_E_CLOSED;
    }
    return errno == EAGAIN || errno == EINTR ? CORDON_E_AGAIN : CORDON_E_OS;
}

enum cordon_err host_pipe(int ret_fds[2], struct cordon_fault *fault)
{
    if (pipe2(ret_fds, O_CLOEXEC) != 0) {
        return fault_os(fault, errno, NULL, "cannot make a pipe");
    }
    (void)fcntl(ret_fds[0], F_SETFL, O_NONBLOCK);
    return CORDON_OK;
}
