/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/barren_keep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/ipc.h"
#include "platform/linux/barren_place.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/secret.h"
#include "policy/dfa.h"
#include "policy/signature.h"

#define FILES_MAX 8U
#define LOOKED_MAX 100U /* names; a job may have left more */
#define PLACES_BYTES_MAX (BARREN_PLACES_MAX * sizeof(struct barren_place))
/* Of a file, the signature, then the places. */
#define FILE_BYTES_MAX (DIGEST_BYTES + PLACES_BYTES_MAX)

/* ---- where, and about what ---- */

/* Not on another file system, which might be anybody's, and never answer. */
static int directory_open(void)
{
    char path[64];
    struct stat st;
    int above;
    int dir = -1;

    (void)snprintf(path, sizeof(path), "/run/user/%u", (unsigned)geteuid());
    above = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (above >= 0) {
        (void)mkdirat(above, "cordon-walked", 0700); /* or it is there, or cannot be */
        dir = sys_openat2(above, "cordon-walked", O_RDONLY | O_DIRECTORY,
                          RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
        (void)close(above);
    }
    if (dir >= 0 && (fstat(dir, &st) != 0 || st.st_uid != geteuid())) {
        (void)close(dir);
        dir = -1;
    }
    return dir;
}

/* All that decides what a walk finds in a directory; and where walks begin, so that each workspace
 * of a policy has a file of its own. */
static bool subject_make(const struct order_head *order, int table, struct barren_keep *keep)
{
    const struct order_step *steps = order_steps(order);
    struct strbuf places = STRBUF_INIT;
    struct cordon_fault ignored;
    const void *data;
    size_t len;

    if (ipc_map(table, DFA_BYTES_MAX + 4096, &data, &len, &ignored) != CORDON_OK) {
        return false;
    }
    for (uint32_t i = 0; i < order->step_count; i++) {
        if (steps[i].op == ORDER_SCAN) {
            const char *path = order_text(order, steps[i].text);

            strbuf_add(&places, path, strlen(path) + 1);
        }
    }
    if (!places.failed) {
        const struct digest_part parts[] = {
            {data, len},
            {order_access(order, ORDER_SET_OWN), order->rule_count[ORDER_SET_OWN]},
            {strbuf_text(&places), places.len}};

        digest_keyed(&keep->secret, parts, sizeof(parts) / sizeof(parts[0]), &keep->subject);
    }
    ipc_unmap(data, len);
    strbuf_deinit(&places);
    return !places.failed;
}

static void sign(const struct barren_keep *keep, const void *places, size_t len, struct digest *ret)
{
    const struct digest_part parts[] = {{keep->subject.bytes, sizeof(keep->subject.bytes)},
                                        {places, len}};

    digest_keyed(&keep->secret, parts, sizeof(parts) / sizeof(parts[0]), ret);
}

static void name_of(const struct barren_keep *keep, char ret_name[BARREN_KEEP_NAME])
{
    signature_to_hex(keep->subject.bytes, sizeof(keep->subject.bytes), ret_name);
    memcpy(ret_name + 2 * DIGEST_BYTES, BARREN_KEEP_SUFFIX, sizeof(BARREN_KEEP_SUFFIX));
}

/* ---- reading ---- */

/* All of @fd, a file of at most @max bytes, to be freed; NULL: it is none, or there is no memory.
 */
static char *read_whole(int fd, size_t max, size_t *ret_size)
{
    struct stat st;
    size_t done = 0;
    char *data;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
        (uint64_t)st.st_size > max) {
        return NULL;
    }
    data = malloc((size_t)st.st_size);
    while (data != NULL && done < (size_t)st.st_size) {
        const ssize_t len = pread(fd, data + done, (size_t)st.st_size - done, (off_t)done);

        if (len <= 0) {
            free(data);
            return NULL;
        }
        done += (size_t)len;
    }
    *ret_size = done;
    return data;
}

static int kept_read(const struct barren_keep *keep)
{
    char name[BARREN_KEEP_NAME];
    struct cordon_fault ignored;
    struct digest right;
    struct digest claimed;
    size_t size = 0;
    int kept = -1;
    char *data;
    int fd;

    name_of(keep, name);
    fd = openat(keep->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    data = fd < 0 ? NULL : read_whole(fd, FILE_BYTES_MAX, &size);
    if (data != NULL && size > sizeof(claimed)) {
        memcpy(&claimed, data, sizeof(claimed));
        sign(keep, data + sizeof(claimed), size - sizeof(claimed), &right);
        if (digest_same(&right, &claimed) &&
            ipc_memfd("cordon-walked", data + sizeof(claimed), size - sizeof(claimed), &kept,
                      &ignored) != CORDON_OK) {
            kept = -1;
        }
    }
    free(data);
    if (fd >= 0) {
        (void)close(fd);
    }
    return kept;
}

void barren_keep_begin(const struct order_head *order, int table, struct barren_keep *ret,
                       int *ret_kept)
{
    struct barren_keep keep = {.dir = directory_open(), .found = -1};

    *ret_kept = -1;
    if (keep.dir >= 0 && secret_get(&keep.secret) && subject_make(order, table, &keep)) {
        keep.found = memfd_create("cordon-walked", MFD_CLOEXEC);
    }
    if (keep.found >= 0) {
        *ret_kept = kept_read(&keep);
    }
    *ret = keep;
}

/* ---- writing ---- */

struct oldest {
    char name[BARREN_KEEP_NAME];
    int64_t written_ns;
    unsigned count; /* of all files */
};

/* What has a date that is yet to come has it from somebody else: it goes first. */
static int64_t written_ns(const struct stat *st)
{
    const int64_t ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    struct timespec now;

    return clock_gettime(CLOCK_REALTIME, &now) == 0 && st->st_mtim.tv_sec <= now.tv_sec ? ns : 0;
}

static void oldest_add(struct oldest *oldest, int dir, const char *name, const char *spared)
{
    const char *suffix = name + 2 * (size_t)DIGEST_BYTES;
    struct stat st;

    if (strlen(name) != BARREN_KEEP_NAME - 1 || strcmp(suffix, BARREN_KEEP_SUFFIX) != 0 ||
        fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return;
    }
    oldest->count++;
    if (strcmp(name, spared) != 0 &&
        (oldest->name[0] == '\0' || written_ns(&st) < oldest->written_ns)) {
        oldest->written_ns = written_ns(&st);
        memcpy(oldest->name, name, BARREN_KEEP_NAME);
    }
}

/* Of too many files, as far as they are looked at, the one that was written the longest ago goes.
 */
static void files_bound(int at, const char *spared)
{
    const int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct oldest oldest = {.count = 0};
    const struct dirent *entry;

    if (dir == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    for (unsigned looked = 0; looked < LOOKED_MAX && (entry = readdir(dir)) != NULL; looked++) {
        oldest_add(&oldest, at, entry->d_name, spared);
    }
    (void)closedir(dir);
    if (oldest.count > FILES_MAX) {
        (void)unlinkat(at, oldest.name, 0);
    }
}

static bool write_whole(int fd, const void *data, size_t size)
{
    const char *bytes = data;
    size_t done = 0;

    while (done < size) {
        const ssize_t len = write(fd, bytes + done, size - done);

        if (len <= 0) {
            return false;
        }
        done += (size_t)len;
    }
    return true;
}

/* Never into a file that somebody else has made there. Two who write at once may leave one that its
 * signature does not fit; it is written again then. */
static void file_write(const struct barren_keep *keep, const char *places, size_t len)
{
    char name[BARREN_KEEP_NAME];
    char next[BARREN_KEEP_NAME + 4];
    struct digest signature;
    int fd;

    sign(keep, places, len, &signature);
    name_of(keep, name);
    (void)snprintf(next, sizeof(next), "%s.new", name);
    (void)unlinkat(keep->dir, next, 0);
    fd = openat(keep->dir, next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    if (!write_whole(fd, signature.bytes, sizeof(signature.bytes)) ||
        !write_whole(fd, places, len) || renameat(keep->dir, next, keep->dir, name) != 0) {
        (void)unlinkat(keep->dir, next, 0);
    }
    files_bound(keep->dir, name);
    (void)close(fd);
}

void barren_keep_save(struct barren_keep *keep)
{
    size_t len = 0;
    char *places = keep->found < 0 ? NULL : read_whole(keep->found, PLACES_BYTES_MAX, &len);

    if (len >= sizeof(struct barren_place)) {
        file_write(keep, places, len - len % sizeof(struct barren_place));
    }
    free(places);
}

void barren_keep_end(struct barren_keep *keep)
{
    if (keep->dir >= 0) {
        (void)close(keep->dir);
    }
    if (keep->found >= 0) {
        (void)close(keep->found);
    }
    keep->dir = keep->found = -1;
}
