/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/bpf_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/bpf/call.h"
#include "platform/linux/bpf/shape.h"

#define PAGE 4096U
#define CELLS_OF_PAGE (PAGE / 8U)

/* The maps, open as long as this process lives. */
static struct {
    int tags, jobs, cells, rings, places, summary;
    struct shape_job *job;    /* mapped */
    bool used[SHAPE_JOBS];    /* the last one is the canary's */
    unsigned char *page_used; /* of the map of tables */
    uint32_t pages;
} maps = {.tags = -1, .jobs = -1, .cells = -1, .rings = -1, .places = -1, .summary = -1};

static int map_open(const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", BPF_FOLDER, name);
    return sys_bpf_get(path);
}

static bool pages_make(void)
{
    struct bpf_map_info info;
    union bpf_attr attr;

    memset(&info, 0, sizeof(info));
    memset(&attr, 0, sizeof(attr));
    attr.info.bpf_fd = (uint32_t)maps.cells;
    attr.info.info_len = sizeof(info);
    attr.info.info = sys_bpf_pointer(&info);
    if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) != 0) {
        return false;
    }
    maps.pages = info.max_entries / CELLS_OF_PAGE;
    maps.page_used = calloc(maps.pages + 1, 1);
    return maps.page_used != NULL;
}

/* Forgets the jobs of a predecessor; they ended with it. */
static void maps_clear(void)
{
    const uint32_t zero = 0;
    struct shape_summary summary;
    uint32_t tag;

    while (sys_bpf_next(maps.tags, NULL, &tag) == 0 && sys_bpf_delete(maps.tags, &tag) == 0) {
    }
    for (uint32_t i = 0; i < SHAPE_JOBS; i++) {
        maps.job[i].state = SHAPE_FREE;
    }
    if (sys_bpf_lookup(maps.summary, &zero, &summary) == 0) {
        summary.high = 0;
        (void)sys_bpf_update(maps.summary, &zero, &summary);
    }
}

bool bpf_maps_open(void)
{
    void *jobs;

    maps.tags = map_open("tags");
    maps.jobs = map_open("jobs");
    maps.cells = map_open("cells");
    maps.rings = map_open("rings");
    maps.places = map_open("places");
    maps.summary = map_open("summary");
    if (maps.tags < 0 || maps.jobs < 0 || maps.cells < 0 || maps.rings < 0 || maps.places < 0 ||
        maps.summary < 0 || !pages_make()) {
        return false;
    }
    jobs = mmap(NULL, sizeof(struct shape_job) * SHAPE_JOBS, PROT_READ | PROT_WRITE, MAP_SHARED,
                maps.jobs, 0);
    if (jobs == MAP_FAILED) {
        return false;
    }
    maps.job = jobs;
    maps_clear();
    return true;
}

/* ---- tables ---- */

/* The first of @count free pages in a row; maps.pages: there are none. */
static uint32_t pages_find(uint32_t count)
{
    uint32_t row = 0;

    for (uint32_t i = 0; i < maps.pages; i++) {
        row = maps.page_used[i] ? 0 : row + 1;
        if (row == count) {
            return i + 1 - count;
        }
    }
    return maps.pages;
}

static size_t access_offset(const struct bpf_table *table)
{
    return (table->len + 7) / 8 * 8;
}

static enum cordon_err table_put(const struct bpf_table *table, uint32_t *ret_first,
                                 uint32_t *ret_count, struct cordon_fault *fault)
{
    const size_t len = access_offset(table) + table->rules + 8;
    const uint32_t count = (uint32_t)((len + PAGE - 1) / PAGE);
    const uint32_t first = pages_find(count);
    unsigned char *to;

    if (first == maps.pages) {
        return fault_set(fault, CORDON_E_LIMIT, "use fewer rules, or end other jobs",
                         "the rule tables of all jobs together are larger than %u KiB",
                         maps.pages * 4);
    }
    to = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, maps.cells,
              (off_t)first * PAGE);
    if (to == MAP_FAILED) {
        return fault_os(fault, errno, NULL, "cannot hand the rules to the kernel");
    }
    memcpy(to, table->block, table->len);
    memcpy(to + access_offset(table), table->access, table->rules);
    (void)munmap(to, (size_t)count * PAGE);
    memset(maps.page_used + first, 1, count);
    *ret_first = first;
    *ret_count = count;
    return CORDON_OK;
}

/* ---- jobs ---- */

/* No job at or above it: what looks at every job looks no further. */
static void high_set(void)
{
    const uint32_t zero = 0;
    struct shape_summary summary;
    uint32_t high = SHAPE_JOBS - 1;

    while (high > 0 && !maps.used[high - 1]) {
        high--;
    }
    if (sys_bpf_lookup(maps.summary, &zero, &summary) == 0) {
        summary.high = high;
        (void)sys_bpf_update(maps.summary, &zero, &summary);
    }
}

/* What was kept of the last job in it is old. */
static void slot_clear(uint32_t slot)
{
    struct shape_job *job = &maps.job[slot];
    const uint32_t epoch = job->epoch + 1;

    memset(job, 0, sizeof(*job));
    job->epoch = epoch;
}

static uint32_t slot_take(void)
{
    for (uint32_t slot = 0; slot < SHAPE_JOBS - 1; slot++) {
        if (!maps.used[slot]) {
            slot_clear(slot);
            maps.used[slot] = true;
            high_set();
            return slot;
        }
    }
    return ORDER_NO_SLOT;
}

/* What is known of its objects' names: nothing. A map of the job's own, which goes with it. */
static int places_give(const struct bpf_job *job)
{
    int places = sys_bpf_map(BPF_MAP_TYPE_HASH, SHAPE_PLACES, sizeof(struct shape_place_key),
                             sizeof(struct shape_place), BPF_F_NO_PREALLOC);
    int code = places < 0 ? -1 : sys_bpf_update(maps.places, &job->slot, &places);

    if (places >= 0) {
        (void)close(places);
    }
    return code;
}

static enum cordon_err maps_give(struct bpf_job *job, struct cordon_fault *fault)
{
    int code = places_give(job);

    job->ring = sys_bpf_map(BPF_MAP_TYPE_RINGBUF, SHAPE_RING_BYTES, 0, 0, 0);
    if (code != 0 || job->ring < 0 || sys_bpf_update(maps.rings, &job->slot, &job->ring) != 0) {
        return fault_os(fault, errno, NULL, "cannot give the job a part of the kernel's program");
    }
    (void)fcntl(job->ring, F_SETFD, FD_CLOEXEC);
    return bpf_ring_map(job, fault);
}

enum cordon_err bpf_job_open(const struct bpf_table tables[ORDER_SET_COUNT],
                             struct bpf_job *ret_job, struct cordon_fault *fault)
{
    struct bpf_job job = {.slot = slot_take(), .ring = -1};
    enum cordon_err err = CORDON_OK;

    if (job.slot == ORDER_NO_SLOT) {
        return fault_set(fault, CORDON_E_LIMIT, "end other jobs",
                         "the kernel's program decides for at most %u jobs at once",
                         SHAPE_JOBS - 1);
    }
    for (uint32_t set = 0; err == CORDON_OK && set < ORDER_SET_COUNT; set++) {
        err = table_put(&tables[set], &job.first[set], &job.count[set], fault);
    }
    if (err == CORDON_OK) {
        err = maps_give(&job, fault);
    }
    if (err != CORDON_OK) {
        bpf_job_close(&job);
        return err;
    }
    *ret_job = job;
    return CORDON_OK;
}

enum cordon_err bpf_job_renew(struct bpf_job *job, struct cordon_fault *fault)
{
    if (job->slot == ORDER_NO_SLOT) {
        return CORDON_OK;
    }
    if (job->tag != 0) {
        (void)sys_bpf_delete(maps.tags, &job->tag);
        job->tag = 0;
    }
    slot_clear(job->slot);
    job->told = 0;
    return places_give(job) == 0
               ? CORDON_OK
               : fault_os(fault, errno, NULL, "cannot give the job a part of the kernel's program");
}

int bpf_tags_fd(void)
{
    return maps.tags;
}

int bpf_jobs_fd(void)
{
    return maps.jobs;
}

uint32_t bpf_job_base(const struct bpf_job *job, uint32_t set)
{
    return job->first[set] * CELLS_OF_PAGE;
}

void bpf_job_seen(struct bpf_job *job, int pid)
{
    char path[64];
    struct stat st;

    (void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
    if (job->slot != ORDER_NO_SLOT && stat(path, &st) == 0) {
        job->tag = (uint32_t)st.st_ino;
    }
}

void bpf_job_close(struct bpf_job *job)
{
    if (job->slot == ORDER_NO_SLOT) {
        return;
    }
    if (job->tag != 0) {
        (void)sys_bpf_delete(maps.tags, &job->tag);
    }
    maps.job[job->slot].state = SHAPE_FREE;
    (void)sys_bpf_delete(maps.rings, &job->slot);
    (void)sys_bpf_delete(maps.places, &job->slot);
    bpf_ring_unmap(job);
    if (job->ring >= 0) {
        (void)close(job->ring);
    }
    for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
        memset(maps.page_used + job->first[set], 0, job->count[set]);
    }
    maps.used[job->slot] = false;
    high_set();
    *job = (struct bpf_job){.slot = ORDER_NO_SLOT, .ring = -1};
}

uint64_t bpf_job_denied(const struct bpf_job *job)
{
    return __atomic_load_n(&maps.job[job->slot].denied, __ATOMIC_ACQUIRE);
}
