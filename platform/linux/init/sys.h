/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that the C libraries of our floor do not wrap, under the names
 * of their man pages. All return -1 with errno set, as syscall(2) does.
 */
#ifndef CORDON_LINUX_INIT_SYS_H
#define CORDON_LINUX_INIT_SYS_H

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, dir, path, flags);
}

static inline int sys_move_mount(int from, int to, const char *to_path, unsigned flags)
{
    return (int)syscall(SYS_move_mount, from, "", to, to_path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}

static inline int sys_mount_setattr(int dir, unsigned flags, const struct mount_attr *attr)
{
    return (int)syscall(SYS_mount_setattr, dir, "", flags | (unsigned)AT_EMPTY_PATH, attr,
                        sizeof(*attr));
}

static inline int sys_fsopen(const char *type)
{
    return (int)syscall(SYS_fsopen, type, (unsigned)FSOPEN_CLOEXEC);
}

static inline int sys_fsconfig(int fs, unsigned command, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, fs, command, key, value, 0);
}

static inline int sys_fsmount(int fs, unsigned attr)
{
    return (int)syscall(SYS_fsmount, fs, (unsigned)FSMOUNT_CLOEXEC, attr);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* @flags are open flags; O_CLOEXEC is added. */
static inline int sys_openat2(int dir, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .resolve = resolve};

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static inline int sys_fanotify_init(unsigned flags, unsigned file_flags)
{
    return (int)syscall(SYS_fanotify_init, flags, file_flags);
}

/* Of what @fd, which is open for reading, lies on. 64-bit: the mask is one argument. */
static inline int sys_fanotify_mark(int group, unsigned flags, uint64_t mask, int fd)
{
    return (int)syscall(SYS_fanotify_mark, group, flags, mask, fd, NULL);
}

/* The same by a name, its links followed. */
static inline int sys_fanotify_mark_in(int group, unsigned flags, uint64_t mask, int dir,
                                       const char *path)
{
    return (int)syscall(SYS_fanotify_mark, group, flags, mask, dir, path);
}

static inline int sys_fanotify_mark_at(int group, unsigned flags, uint64_t mask, const char *path)
{
    return sys_fanotify_mark_in(group, flags, mask, AT_FDCWD, path);
}

/* As struct statx of the kernel; the smaller C library has none. */
struct sys_place {
    uint8_t before[0x08];
    uint64_t attributes; /* STATX_ATTR_* */
    uint8_t owner[0x0c];
    uint16_t mode;
    uint8_t pad[2];
    uint64_t ino;
    uint64_t size;
    uint8_t between[0x30];
    struct sys_date {
        int64_t s;
        uint32_t ns;
        int32_t pad;
    } ctime;
    uint8_t further[0x18];
    uint32_t dev_major, dev_minor;
    uint64_t mount_id;
    uint8_t after[0x68];
};

#define SYS_PLACE_DONT_SYNC 0x4000U   /* AT_STATX_DONT_SYNC */
#define SYS_PLACE_ENCRYPTED 0x0800ULL /* STATX_ATTR_ENCRYPTED */

/* What is at @path, from @dir on. */
static inline int sys_place_in(int dir, const char *path, unsigned flags, struct sys_place *ret)
{
    /* STATX_TYPE, _CTIME, _INO, _SIZE, _MNT_ID */
    const unsigned wanted = 0x0001U | 0x0080U | 0x0100U | 0x0200U | 0x1000U;

    return (int)syscall(SYS_statx, dir, path, flags | SYS_PLACE_DONT_SYNC, wanted, ret);
}

static inline int sys_place_at(const char *path, unsigned flags, struct sys_place *ret)
{
    return sys_place_in(AT_FDCWD, path, flags, ret);
}

/* Where @fd lies. Nothing is asked of the file system, so nothing is refused or waited for. */
static inline int sys_place_of(int fd, struct sys_place *ret)
{
    return (int)syscall(SYS_statx, fd, "", (unsigned)AT_EMPTY_PATH | SYS_PLACE_DONT_SYNC, 0, ret);
}

/* The mount that @fd lies on, as mountinfo numbers it. */
static inline int sys_mount_id(int fd, uint64_t *ret_id)
{
    struct sys_place place;
    int code = sys_place_of(fd, &place);

    if (code == 0) {
        *ret_id = place.mount_id;
    }
    return code;
}

/* As getdents64(2) writes it; the C library's may differ. */
struct sys_entry {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

#endif
