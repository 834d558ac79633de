/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job's denials as the kernel's program writes them. The ring is the kernel's (Documentation/
 * bpf/ringbuf.rst): a page with the reader's position, a page with the writer's, and the bytes,
 * mapped twice in a row, so that no record is cut.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "platform/linux/bpf/shape.h"
#include "platform/linux/bpf_jobs.h"
#include "platform/platform.h"

#define PAGE 4096U
#define GIVEN_BYTES (PAGE + 2U * SHAPE_RING_BYTES)

_Static_assert(SHAPE_RING_BYTES / (BPF_RINGBUF_HDR_SZ + offsetof(struct shape_record, path)) <=
                   PLATFORM_DENIALS_MAX,
               "all that the ring holds is taken at a job's end");

enum cordon_err bpf_ring_map(struct bpf_job *job, struct cordon_fault *fault)
{
    void *taken = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, job->ring, 0);
    void *given = mmap(NULL, GIVEN_BYTES, PROT_READ, MAP_SHARED, job->ring, PAGE);

    job->taken = taken == MAP_FAILED ? NULL : taken;
    job->given = given == MAP_FAILED ? NULL : given;
    return job->taken != NULL && job->given != NULL
               ? CORDON_OK
               : fault_os(fault, errno, NULL, "cannot read reports of denials");
}

void bpf_ring_unmap(struct bpf_job *job)
{
    if (job->taken != NULL) {
        (void)munmap(job->taken, PAGE);
    }
    if (job->given != NULL) {
        (void)munmap(job->given, GIVEN_BYTES);
    }
    job->taken = NULL;
    job->given = NULL;
}

/* ---- names of what is not opened: as a file system has them, below where it is mounted ---- */

/* The kernel's number of a device, which mountinfo writes as two. */
#define DEVICE_MAJOR(dev) ((dev) >> 20)
#define DEVICE_MINOR(dev) ((dev)&0xfffffU)

/* "ID PARENT MAJOR:MINOR ROOT POINT ...": the mount point of a whole file system. */
static bool line_point(const char *line, uint32_t dev, char *ret_point, size_t size)
{
    unsigned major;
    unsigned minor;
    int used = 0;
    size_t len;

    if (sscanf(line, "%*u %*u %u:%u / %n", &major, &minor, &used) < 2 || used == 0 ||
        major != DEVICE_MAJOR(dev) || minor != DEVICE_MINOR(dev)) {
        return false;
    }
    len = strcspn(line + used, " \n");
    if (len >= size) {
        return false;
    }
    memcpy(ret_point, line + used, len);
    ret_point[len] = '\0';
    return true;
}

/* Looked up once for a run of denials on one file system, since there may be many. */
static const char *mount_point(uint32_t dev)
{
    static char point[1024];
    static uint32_t known;
    char line[4096];
    FILE *file;

    if (dev == 0 || dev == known) {
        return dev == 0 ? "" : point;
    }
    point[0] = '\0';
    known = dev;
    file = fopen("/proc/self/mountinfo", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (line_point(line, dev, point, sizeof(point))) {
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (strcmp(point, "/") == 0) {
        point[0] = '\0';
    }
    return point;
}

static void path_put(const struct shape_record *record, size_t len, struct ipc_violation *ret)
{
    const char *point = mount_point(record->dev);
    size_t prefix = strlen(point);
    size_t room = sizeof(ret->path) - 1 - prefix;

    len = len < room ? len : room;
    memcpy(ret->path, point, prefix);
    memcpy(ret->path + prefix, record->path, len);
    ret->path_len = (uint16_t)(prefix + len);
    ret->path[ret->path_len] = '\0';
}

static void translate(const struct shape_record *record, size_t len, struct ipc_violation *ret)
{
    const size_t head = offsetof(struct shape_record, path);
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    memset(ret, 0, IPC_VIOLATION_HEAD);
    ret->time_ms = (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
    ret->lost = record->lost;
    ret->pid = record->pid;
    ret->set = record->set < ORDER_SET_COUNT ? record->set : IPC_SET_NONE;
    ret->rule = record->rule;
    ret->operation = record->operation;
    ret->mechanism = IPC_MECHANISM_BPF;
    memcpy(ret->comm, record->comm, sizeof(ret->comm));
    ret->comm[sizeof(ret->comm) - 1] = '\0';
    path_put(record, len - head, ret);
}

enum cordon_err bpf_job_receive(struct bpf_job *job, struct ipc_violation *ret_violation)
{
    const uint64_t *written = (const uint64_t *)(const void *)job->given;
    const unsigned char *bytes = job->given + PAGE;
    uint64_t at = *job->taken;
    enum cordon_err err = CORDON_E_AGAIN;

    while (err != CORDON_OK && at < __atomic_load_n(written, __ATOMIC_ACQUIRE)) {
        const unsigned char *record = bytes + at % SHAPE_RING_BYTES;
        const uint32_t head =
            __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
        const uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

        if ((head & BPF_RINGBUF_BUSY_BIT) != 0) {
            break; /* being written */
        }
        if ((head & BPF_RINGBUF_DISCARD_BIT) == 0 && len >= offsetof(struct shape_record, path) &&
            len < sizeof(struct shape_record)) {
            translate((const struct shape_record *)(const void *)(record + BPF_RINGBUF_HDR_SZ), len,
                      ret_violation);
            job->told += 1 + ret_violation->lost;
            err = CORDON_OK;
        }
        at += (len + BPF_RINGBUF_HDR_SZ + 7U) / 8U * 8U;
        __atomic_store_n(job->taken, at, __ATOMIC_RELEASE);
    }
    return err;
}
