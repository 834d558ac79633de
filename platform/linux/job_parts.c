/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "platform/linux/blank.h"
#include "platform/linux/job.h"

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

void job_parts_init(struct job_parts *parts)
{
    *parts = (struct job_parts){.control = -1,
                                .report = -1,
                                .pidfd = -1,
                                .pid = -1,
                                .cgroup = {.dir = -1},
                                .denials = {.channel = -1},
                                .bpf = {.slot = ORDER_NO_SLOT, .ring = -1},
                                .barren = {.dir = -1, .found = -1}};
    launch_init(&parts->launch);
}

void job_parts_close(struct job_parts *parts)
{
    blank_end(parts);
    launch_close(&parts->launch);
    close_fd(&parts->control);
    close_fd(&parts->report);
    denials_close(&parts->denials);
    bpf_job_close(&parts->bpf);
    barren_keep_end(&parts->barren);
    (void)cgroup_remove(&parts->cgroup); /* nothing is in it */
}
