/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fanotify.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/init/sys.h"

#define EVENTS_MASK (FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR)
#define TRIES_MAX 3U
#define BUILD_MAX_US 45000000U /* within what an asker waits */
#define MOVED_ROUNDS_MAX 8U
#define DIRTY_MAX 1024U /* then they are looked up without a question */

uint64_t kept_now_us(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000U + (uint64_t)at.tv_nsec / 1000U;
}

static bool mark_all(const struct kept *kept)
{
    char link[32];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", kept->roots[0].fd);
    return sys_fanotify_mark_at(kept->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, EVENTS_MASK,
                                link) == 0;
}

static bool is_nameless(int code)
{
    return code == EOPNOTSUPP || code == ENODEV || code == EXDEV;
}

struct kept *kept_new(uint64_t dev, enum index_status *ret_status)
{
    struct kept *kept = calloc(1, sizeof(*kept));

    *ret_status = INDEX_FAILED;
    if (kept == NULL) {
        return NULL;
    }
    kept->dev = dev;
    kept->answer = -1;
    kept->batch = batch_new();
    kept->group = sys_fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK |
                                        FAN_UNLIMITED_QUEUE | FAN_REPORT_DFID_NAME_TARGET,
                                    O_RDONLY | O_CLOEXEC);
    if (kept->batch == NULL || kept->group < 0) {
        kept_free(kept);
        return NULL;
    }
    if (!roots_open(kept) || !mark_all(kept)) {
        *ret_status = kept->root_count == 0 || is_nameless(errno) ? INDEX_UNKEPT : INDEX_FAILED;
        kept_free(kept);
        return NULL;
    }
    roots_close(kept);
    return kept;
}

void kept_free(struct kept *kept)
{
    if (kept == NULL) {
        return;
    }
    roots_close(kept);
    settle_forget(kept);
    store_clear(&kept->store);
    table_clear(&kept->dirty, NULL);
    batch_free(kept->batch);
    if (kept->group >= 0) {
        closer_take(kept->group); /* an asker may be deciding an open just now */
    }
    if (kept->answer >= 0) {
        (void)close(kept->answer);
    }
    free(kept->seen);
    free(kept);
}

/* proc(5), fdinfo: one line "fanotify sdev:…" for a mark on a file system. */
bool kept_is_alive(const struct kept *kept)
{
    char path[40];
    char line[256];
    bool alive = false;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", kept->group);
    file = fopen(path, "re");
    while (file != NULL && !alive && fgets(line, sizeof(line), file) != NULL) {
        alive = strncmp(line, "fanotify sdev:", 14) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return alive;
}

/* ---- building ---- */

static bool root_walk(struct kept *kept, const struct root *root)
{
    struct directory *top = store_directory_put(&kept->store, &root->top, NULL, root->path);
    int fd = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (top == NULL || fd < 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    top->refs++; /* for as long as the index */
    return walk_below(kept, fd, top, true);
}

static bool build_once(struct kept *kept)
{
    bool ok = true;

    settle_forget(kept);
    store_clear(&kept->store);
    kept->walked = 0;
    for (size_t i = 0; ok && i < kept->root_count; i++) {
        ok = root_walk(kept, &kept->roots[i]);
    }
    ok = ok && settle_drain(kept);
    for (unsigned i = 0; ok && kept->moved != NULL; i++) {
        ok = i < MOVED_ROUNDS_MAX && settle_moved_walk(kept) && settle_drain(kept);
    }
    return ok && settle(kept);
}

static bool build(struct kept *kept)
{
    bool ok = false;

    kept->building = true;
    kept->stop_us = kept_now_us() + BUILD_MAX_US;
    for (unsigned i = 0; !ok && i < TRIES_MAX && !batch_is_lost(kept->batch); i++) {
        ok = build_once(kept);
    }
    kept->building = false;
    free(kept->seen);
    kept->seen = roots_text(kept);
    return ok && kept->seen != NULL;
}

/* ---- answering ---- */

/* A place that was not shown when we walked may be by now. */
static bool roots_same(const struct kept *kept)
{
    char *text;
    bool same;

    if (kept->seen[0] == '\0') {
        return true;
    }
    text = roots_text(kept);
    same = text != NULL && strcmp(text, kept->seen) == 0;
    free(text);
    return same;
}

static bool write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, at, len);

        if (done <= 0 && errno != EINTR) {
            return false;
        }
        at += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool answer_make(struct kept *kept)
{
    struct strbuf text = STRBUF_INIT;
    int fd = -1;
    bool ok = store_write(&kept->store, &text) && text.len <= INDEX_BYTES_MAX;

    if (ok) {
        fd = (int)syscall(SYS_memfd_create, "cordon-index", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        ok = fd >= 0 && write_all(fd, text.data, text.len) &&
             fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
    }
    strbuf_deinit(&text);
    if (!ok) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    if (kept->answer >= 0) {
        (void)close(kept->answer);
    }
    kept->answer = fd;
    kept->changes = kept->store.changes;
    return true;
}

/* What is queued is taken in. False: the file system must be walked. */
static bool refresh(struct kept *kept)
{
    if (!kept->built || !settle_drain(kept)) {
        return false;
    }
    if (kept->dirty.count == 0 && kept->moved == NULL && kept->seen[0] == '\0') {
        return true;
    }
    return roots_open(kept) && roots_same(kept) && settle(kept);
}

enum index_status kept_ask(struct kept *kept, int *ret_fd, uint64_t *ret_build_us)
{
    uint64_t began = kept_now_us();

    *ret_build_us = 0;
    if (!refresh(kept)) {
        kept->built = roots_open(kept) && build(kept);
        *ret_build_us = kept_now_us() - began;
    }
    if (!kept->built ||
        ((kept->answer < 0 || kept->changes != kept->store.changes) && !answer_make(kept))) {
        return INDEX_FAILED;
    }
    *ret_fd = kept->answer;
    return INDEX_OK;
}

void kept_idle(struct kept *kept)
{
    if (!settle_drain(kept)) {
        kept->built = false;
    }
    if (!kept->built) {
        settle_forget(kept);
    } else if (kept->dirty.count > DIRTY_MAX) {
        kept->built = roots_open(kept) && settle(kept);
        roots_close(kept);
    }
}
