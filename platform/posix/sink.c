/* SPDX-License-Identifier: Apache-2.0 */
/* The file that the administrator wants records in. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/posix/managed.h"

/* A name that a user made for a file of root's would let him choose what records go into. */
static enum cordon_err check(const struct managed_places *places, const char *path, int fd,
                             struct cordon_fault *fault)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return fault_os(fault, errno, NULL, "%s: cannot be examined", path);
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
        return fault_set(fault, CORDON_E_DENIED, "remove it",
                         "%s: not a regular file with one name", path);
    }
    if (st.st_uid != places->owner || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fault_set(fault, CORDON_E_DENIED, "chown root:root, chmod 600",
                         "%s: it may be changed by others than root", path);
    }
    return CORDON_OK;
}

/* Where it is to be, by the rules for managed files. */
static enum cordon_err open_folder(const struct managed_places *places, const char *path,
                                   int *ret_fd, struct cordon_fault *fault)
{
    const char *name = strrchr(path, '/');
    const size_t len = name == NULL ? 0 : (size_t)(name - path);
    char folder[PATH_MAX];
    enum cordon_err err;

    if (len == 0 || name[1] == '\0' || len >= sizeof(folder)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "%s: no file in a directory", path);
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    err = managed_find(places, folder, ret_fd, fault);
    return err == CORDON_E_NOT_FOUND
               ? fault_set(fault, err, "make the directory", "%s: not there", folder)
               : err;
}

enum cordon_err host_open_sink(const struct managed_places *places, const char *path, int *ret_fd,
                               struct cordon_fault *fault)
{
    int folder = -1;
    int fd;
    enum cordon_err err = open_folder(places, path, &folder, fault);

    if (err != CORDON_OK) {
        return err;
    }
    fd = openat(folder, strrchr(path, '/') + 1,
                O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                0600);
    if (fd < 0) {
        err = fault_os(fault, errno, NULL, "%s: cannot be opened", path);
    } else {
        err = check(places, path, fd, fault);
    }
    (void)close(folder);
    if (err != CORDON_OK) {
        host_close(fd);
        return err;
    }
    *ret_fd = fd;
    return CORDON_OK;
}
