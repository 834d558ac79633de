/* SPDX-License-Identifier: Apache-2.0 */
/* For a job's first process: telling the kernel's program of an object. */
#ifndef CORDON_LINUX_BPF_PLACE_H
#define CORDON_LINUX_BPF_PLACE_H

#include <errno.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "platform/linux/bpf/shape.h"

/*
 * The object behind @fd, which may be an O_PATH, gets @flags (enum shape_place_flag) and, if not
 * NULL, @name. -1 with errno.
 */
static inline int place_register(struct shape_job *job, int fd, uint32_t flags,
                                 const struct shape_name *name)
{
    char link[64];
    char value;

    job->next_flags = flags;
    job->next.sets = 0;
    if (name != NULL) {
        job->next = *name;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    __atomic_store_n(&job->armed, 1U, __ATOMIC_RELEASE);
    if (getxattr(link, SHAPE_ATTRIBUTE, &value, sizeof(value)) >= 0) {
        errno = EPROTO; /* nobody was asked */
        return -1;
    }
    return errno == SHAPE_REGISTERED ? 0 : -1;
}

#endif
