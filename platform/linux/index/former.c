/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/former.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/index/begun.h"
#include "platform/linux/index/table.h"

#define STORE_MAGIC 0x464f524dU
#define AREA_BYTES (32U * 1024U * 1024U)
#define MARKED_MAX 1024U
#define DIED "they ran when cordon-index died"

/* In the memfd, behind struct begun. Whatever is added or replaced counts from one store on, so a
 * death in between leaves it as it was before. */
struct store_head {
    uint32_t magic;
    uint32_t active; /* which of the two areas */
    uint64_t used[2];
    uint32_t marked_count; /* beyond MARKED_MAX: everybody is */
    uint32_t marked[MARKED_MAX];
    uint32_t live_count;
    uint32_t live[HOLD_MAX];
};
#define HEAD_BYTES (16U * 1024U)
_Static_assert(sizeof(struct store_head) <= HEAD_BYTES, "the areas begin behind it");

struct known {
    struct node node;
    uint64_t offset;
};

struct usage {
    uint32_t uid;
    size_t count, bytes;
};

static struct begun *begun;
static struct store_head *head;
static struct table known; /* by object and path */
static struct usage *users;
static size_t user_count;
static int answer = -1; /* a memfd of what is there; -1: none, or older */

static char *area(uint32_t which)
{
    return (char *)head + HEAD_BYTES + (size_t)which * AREA_BYTES;
}

static uint64_t hash_of(const struct former *former)
{
    uint64_t hash = object_hash(&former->object) ^ former->dev;

    for (const char *at = former->path; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * 1099511628211ULL;
    }
    return hash;
}

static bool is_same(const struct former *a, const struct former *b)
{
    return a->uid == b->uid && a->dev == b->dev && object_same(&a->object, &b->object) &&
           strcmp(a->path, b->path) == 0;
}

/* The record of @node. */
static bool record_of(const struct node *node, struct former *ret_former)
{
    const char *end = area(head->active) + head->used[head->active];
    const char *at = area(head->active) + ((const struct known *)(const void *)node)->offset;

    return record_get(&at, end, ret_former);
}

static bool is_known(const struct former *former)
{
    uint64_t hash = hash_of(former);
    struct former other;

    for (const struct node *node = table_first(&known, hash); node != NULL; node = node->next) {
        if (node->hash == hash && record_of(node, &other) && is_same(former, &other)) {
            return true;
        }
    }
    return false;
}

/* NULL: out of memory. */
static struct usage *usage_of(uint32_t uid)
{
    struct usage *grown;

    for (size_t i = 0; i < user_count; i++) {
        if (users[i].uid == uid) {
            return &users[i];
        }
    }
    grown = realloc(users, (user_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return NULL;
    }
    users = grown;
    users[user_count] = (struct usage){.uid = uid};
    return &users[user_count++];
}

/* Of a record that is, or will be, in the active area. False: out of memory. */
static bool know(const struct former *former, uint64_t offset)
{
    struct usage *usage = usage_of(former->uid);
    struct known *entry = usage == NULL ? NULL : malloc(sizeof(*entry));

    if (entry == NULL || !table_add(&known, &entry->node, hash_of(former))) {
        free(entry);
        return false;
    }
    entry->offset = offset;
    usage->count++;
    usage->bytes += record_size(former);
    return true;
}

static void known_free(struct node *node)
{
    free(node);
}

static bool know_all(void)
{
    const char *start = area(head->active);
    const char *end = start + head->used[head->active];
    const char *at = start;
    struct former former;
    bool ok = true;

    table_clear(&known, known_free);
    user_count = 0;
    while (ok && at < end) {
        uint64_t offset = (uint64_t)(at - start);

        ok = record_get(&at, end, &former) && know(&former, offset);
    }
    return ok;
}

/* Whose jobs ran when our predecessor died. */
static void live_mark(void)
{
    for (size_t i = 0; i < head->live_count && i < HOLD_MAX; i++) {
        if (head->live[i] != FORMER_NOBODY) {
            former_mark(head->live[i], DIED);
        }
    }
    head->live_count = 0;
    for (size_t i = 0; i < HOLD_MAX; i++) {
        const pid_t pid = (pid_t)begun->jobs[i].pid;

        if (pid > 0 && begun->jobs[i].lost != 0) {
            former_mark(begun->jobs[i].uid, DIED);
            begun_remove(begun, pid);
        }
    }
}

bool former_open(int fd)
{
    const size_t size = BEGUN_BYTES + HEAD_BYTES + 2 * (size_t)AREA_BYTES;
    char *map = MAP_FAILED;

    if (head == NULL && ftruncate(fd, (off_t)size) == 0) {
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    (void)close(fd);
    if (map == MAP_FAILED) {
        return false;
    }
    begun = (struct begun *)(void *)map;
    head = (struct store_head *)(void *)(map + BEGUN_BYTES);
    if (head->magic != STORE_MAGIC) {
        memset(head, 0, sizeof(*head));
        head->magic = STORE_MAGIC;
    }
    head->active &= 1;
    if (head->used[head->active] > AREA_BYTES || !know_all()) {
        (void)munmap(map, size);
        head = NULL;
        begun = NULL;
        return false;
    }
    live_mark();
    return true;
}

void former_live(size_t at, uint32_t uid, size_t count)
{
    if (head != NULL) {
        head->live[at] = uid;
        head->live_count = (uint32_t)count;
    }
}

bool former_has_begun(pid_t pid)
{
    return begun == NULL || begun_has(begun, pid);
}

void former_is_taken_in(pid_t pid)
{
    if (begun != NULL) {
        begun_remove(begun, pid);
    }
}

static bool is_marked(uint32_t uid)
{
    bool marked = head->marked_count > MARKED_MAX;

    for (size_t i = 0; !marked && i < head->marked_count; i++) {
        marked = head->marked[i] == uid;
    }
    return marked;
}

void former_mark(uint32_t uid, const char *why)
{
    if (head == NULL || is_marked(uid)) {
        return;
    }
    if (head->marked_count < MARKED_MAX) {
        head->marked[head->marked_count] = uid;
    }
    head->marked_count++;
    (void)fprintf(stderr,
                  "cordon-index: former names of what is denied were lost in jobs of user %u (%s); "
                  "until the service is restarted his jobs with deny rules are refused\n",
                  uid, why);
}

/* ---- room ---- */

static bool fits(const struct former *former)
{
    const struct usage *usage = usage_of(former->uid);
    size_t size = record_size(former);

    return usage != NULL && usage->count < FORMER_USER_MAX &&
           usage->bytes + size <= FORMER_USER_BYTES && known.count < FORMER_MAX &&
           head->used[head->active] + size <= AREA_BYTES;
}

/* Without @uid's that are over. False: too few were; the next time would come at once. */
static bool sweep(uint32_t uid)
{
    const char *at = area(head->active);
    const char *end = at + head->used[head->active];
    uint32_t other = 1 - head->active;
    size_t before = known.count;
    const char *record = at;
    struct former former;

    head->used[other] = 0;
    while (record_get(&at, end, &former)) {
        if (former.uid != uid || !former_is_over(&former)) {
            memcpy(area(other) + head->used[other], record, (size_t)(at - record));
            head->used[other] += (uint64_t)(at - record);
        }
        record = at;
    }
    former_systems_close();
    __atomic_store_n(&head->active, other, __ATOMIC_RELEASE);
    return know_all() && before - known.count >= FORMER_USER_MAX / 8;
}

void former_add(const struct former *former)
{
    uint32_t active;
    uint64_t offset;

    if (head == NULL || is_known(former)) {
        return;
    }
    if (!fits(former) && (is_marked(former->uid) || !sweep(former->uid) || !fits(former))) {
        former_mark(former->uid, "there are too many");
        return;
    }
    active = head->active;
    offset = head->used[active];
    record_put(area(active) + offset, former);
    if (!know(former, offset)) {
        former_mark(former->uid, "out of memory");
    }
    __atomic_store_n(&head->used[active], offset + record_size(former), __ATOMIC_RELEASE);
    if (answer >= 0) {
        (void)close(answer);
        answer = -1;
    }
}

/* ---- answers ---- */

static bool answer_make(void)
{
    const char *at = area(head->active);
    size_t left = head->used[head->active];
    int fd = (int)syscall(SYS_memfd_create, "cordon-former", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    while (fd >= 0 && left > 0) {
        ssize_t len = write(fd, at, left);

        if (len <= 0 && errno != EINTR) {
            break;
        }
        at += len > 0 ? len : 0;
        left -= len > 0 ? (size_t)len : 0;
    }
    if (fd < 0 || left > 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    answer = fd;
    return true;
}

bool former_records(int *ret_fd)
{
    *ret_fd = -1;
    if (head == NULL || (head->used[head->active] > 0 && answer < 0 && !answer_make())) {
        return false;
    }
    *ret_fd = answer;
    return true;
}

enum index_status former_answer(uint32_t uid, int *ret_fd)
{
    if (!former_records(ret_fd)) {
        return INDEX_FAILED;
    }
    if (is_marked(uid)) {
        *ret_fd = -1;
        return INDEX_FULL;
    }
    return INDEX_OK;
}
