/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/init/watch.h"

/* Of the one guard that this process is. */
static struct {
    uint64_t *tally;
    uint64_t lost; /* since the last record that could be sent */
    int proc;      /* of the watch */
} reports;

bool violation_prepare(const struct watch *watch)
{
    void *page = mmap(NULL, sizeof(*reports.tally), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_POPULATE, INIT_FD_TALLY, 0);

    if (page == MAP_FAILED) {
        return false;
    }
    reports.tally = page;
    reports.proc = watch->proc;
    return true;
}

/* The process waits for its answer meanwhile: it is still the one that was denied. */
static void name_process(int pid, char comm[16])
{
    char path[32];
    ssize_t len = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "%d/comm", pid);
    fd = pid <= 0 ? -1 : openat(reports.proc, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        len = read(fd, comm, 16);
        (void)close(fd);
    }
    /* A newline ends it. */
    comm[len > 0 ? len - 1 : 0] = '\0';
}

void violation_report(const struct denial *denial)
{
    static struct ipc_violation record;
    struct timespec now;
    size_t room = sizeof(record.path) - 1;
    size_t len = denial->path_len < room ? denial->path_len : room;

    /* First of all: what is answered has been counted, whenever this process is killed. */
    (void)__atomic_add_fetch(reports.tally, 1, __ATOMIC_RELEASE);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    memset(&record, 0, IPC_VIOLATION_HEAD);
    record.time_ms = (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
    record.lost = reports.lost;
    record.pid = denial->pid > 0 ? (uint32_t)denial->pid : 0;
    record.set = denial->why.set;
    record.rule = denial->why.rule;
    record.operation = denial->operation;
    record.mechanism = IPC_MECHANISM_FANOTIFY;
    record.path_len = (uint16_t)len;
    name_process(denial->pid, record.comm);
    memcpy(record.path, denial->path, len);
    if (send(INIT_FD_VIOLATIONS, &record, IPC_VIOLATION_HEAD + len, MSG_DONTWAIT | MSG_NOSIGNAL) <
        0) {
        reports.lost++;
    } else {
        reports.lost = 0;
    }
}
