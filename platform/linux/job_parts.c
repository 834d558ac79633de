/* SPDX-License-Identifier: Apache-2.0 */
/* What a job is made of, and what is between it and its cordon-init. */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "platform/host.h"
#include "platform/linux/blank.h"
#include "platform/linux/job.h"

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
    free(parts->remains);
    parts->remains = NULL;
    launch_close(&parts->launch);
    host_close(parts->control);
    host_close(parts->report);
    parts->control = parts->report = -1;
    denials_close(&parts->denials);
    bpf_job_close(&parts->bpf);
    barren_keep_end(&parts->barren);
    (void)cgroup_remove(&parts->cgroup); /* nothing is in it */
}

bool job_init_is_quiet(int pidfd, int report)
{
    struct pollfd polls[] = {{.fd = pidfd, .events = POLLIN}, {.fd = report, .events = POLLIN}};

    return pidfd >= 0 && poll(polls, 2, 0) == 0;
}

bool job_parts_take_back(const struct job_parts *parts, bool *ret_told)
{
    struct init_go go;
    bool taken = false;

    *ret_told = true;
    _Static_assert(sizeof(go) == sizeof(struct init_parts), "either is read whole");
    while (recv(parts->launch.fds[INIT_FD_CHANNEL], &go, sizeof(go), MSG_DONTWAIT) ==
           (ssize_t)sizeof(go)) {
        taken = go.magic == INIT_GO_MAGIC;
        *ret_told = *ret_told && go.magic != INIT_PARTS_MAGIC;
    }
    return taken;
}
