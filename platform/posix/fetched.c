/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetched requirements as root's side sees them. The spool belongs to a user who may
 * have been taken over: nothing in it is followed, nothing beyond its file system is
 * looked at (a FUSE mount there could make us wait for ever), and what it says is
 * believed for its signature only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/posix/file.h"
#include "platform/posix/managed.h"

#define SPOOL_PATH FETCHED_ROOT "/" FETCHED_SPOOL
#define NEWEST_PATH SPOOL_PATH "/" FETCHED_NEWEST
#define KEPT_PATH FETCHED_ROOT "/" FETCHED_KEPT

/* An O_PATH descriptor of @name in the spool; -1 and errno. */
static int spool_find(const struct managed_places *places, const char *name)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                                 .resolve =
                                     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    char path[512];
    long fd;
    int root;
    int code;

    (void)snprintf(path, sizeof(path), "%s%s", places->root, FETCHED_ROOT);
    root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", FETCHED_SPOOL, name);
    fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    code = errno;
    (void)close(root);
    errno = code;
    return (int)fd;
}

void fetched_mix(const struct managed_places *places, struct managed_hash *hash)
{
    struct stat st;
    int fd = spool_find(places, FETCHED_NEWEST);

    managed_mix(hash, fd >= 0 && fstat(fd, &st) == 0 ? &st : NULL);
    host_close(fd);
}

/* At most @max bytes of an open regular file, with a NUL behind. */
static enum cordon_err read_all(int fd, const char *shown, size_t max,
                                struct fetched_document *ret_document, struct cordon_fault *fault)
{
    struct fetched_document document = {.bytes = NULL};
    enum cordon_err err = file_size(fd, shown, max, &document.len, fault);

    if (err != CORDON_OK) {
        return err;
    }
    document.bytes = malloc(document.len + 1);
    if (document.bytes == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "%s: out of memory", shown);
    }
    err = file_fill(fd, shown, document.bytes, document.len, fault);
    if (err != CORDON_OK) {
        free(document.bytes);
        return err;
    }
    *ret_document = document;
    return CORDON_OK;
}

/* What the spool has under @name. CORDON_E_NOT_FOUND, _DENIED, _LIMIT, _STATE, _NOMEM, _OS. */
static enum cordon_err spool_read(const struct managed_places *places, const char *name, size_t max,
                                  struct fetched_document *ret_document, struct cordon_fault *fault)
{
    char path[64];
    char shown[64];
    struct stat st;
    enum cordon_err err;
    int found = spool_find(places, name);
    int fd = -1;

    (void)snprintf(shown, sizeof(shown), SPOOL_PATH "/%s", name);
    if (found < 0) {
        return errno == ENOENT ? CORDON_E_NOT_FOUND
                               : fault_os(fault, errno, NULL, "%s: cannot be opened", shown);
    }
    /* The kind is known before it is opened: a device or FIFO would act on that. */
    if (fstat(found, &st) != 0 || !S_ISREG(st.st_mode)) {
        err = fault_set(fault, CORDON_E_DENIED, NULL, "%s: not a regular file", shown);
    } else {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        err = fd < 0 ? fault_os(fault, errno, NULL, "%s: cannot be opened", shown)
                     : read_all(fd, shown, max, ret_document, fault);
    }
    host_close(fd);
    (void)close(found);
    return err;
}

enum cordon_err fetched_config(const struct managed_places *places, struct arena *arena,
                               struct fetch_config *ret_config, struct cordon_fault *fault)
{
    struct fetched_document file;
    int fd = -1;
    enum cordon_err err = managed_open(places, FETCHED_CONFIG, &fd, fault);

    if (err != CORDON_OK) {
        return err;
    }
    err = read_all(fd, FETCHED_CONFIG, POLICY_FILE_MAX, &file, fault);
    (void)close(fd);
    if (err == CORDON_OK) {
        err = fetch_config_parse(FETCHED_CONFIG, file.bytes, file.len, arena, ret_config, fault);
        free(file.bytes); /* the tree has copies */
    }
    return err;
}

/*
 * The last that was in force. Its generation counts even if its key no longer does: a key
 * that was taken away must not bring back what it signed, nor what came before.
 */
static enum cordon_err read_kept(const struct managed_places *places, struct fetched *fetched,
                                 struct cordon_fault *fault)
{
    int fd = -1;
    enum cordon_err err = managed_open(places, KEPT_PATH, &fd, fault);

    if (err != CORDON_OK) {
        return err == CORDON_E_NOT_FOUND ? CORDON_OK : err;
    }
    err = read_all(fd, KEPT_PATH, ENVELOPE_MAX, &fetched->kept, fault);
    (void)close(fd);
    if (err == CORDON_OK) {
        err =
            envelope_parse(fetched->kept.bytes, fetched->kept.len, &fetched->kept.envelope, fault);
    }
    if (err != CORDON_OK) {
        fault_prefix(fault, "%s", KEPT_PATH);
    }
    return err;
}

static void drop(struct fetched_document *document)
{
    free(document->bytes);
    *document = (struct fetched_document){.bytes = NULL};
}

/* Leaves in fetched->newest what may replace fetched->kept, or nothing and the alarm. */
static void read_newest(const struct managed_places *places, const struct envelope_keys *keys,
                        struct fetched *fetched)
{
    const struct envelope_old old = {fetched->kept.envelope.generation, fetched->kept.bytes,
                                     fetched->kept.len};
    struct fetched_document *newest = &fetched->newest;
    struct cordon_fault *alarm = &fetched->alarm;
    enum cordon_err err =
        spool_read(places, FETCHED_NEWEST, fetched->config.max_bytes, newest, alarm);

    if (err == CORDON_E_NOT_FOUND) {
        if (fetched->kept.bytes != NULL) {
            (void)fault_set(alarm, CORDON_E_NOT_FOUND, "is cordon-fetch running?",
                            NEWEST_PATH ": nothing was fetched");
        }
        return;
    }
    if (err == CORDON_OK) {
        err = envelope_verify(newest->bytes, newest->len, keys, &newest->envelope, alarm);
    }
    if (err == CORDON_OK) {
        err = envelope_follows(&newest->envelope, newest->bytes, newest->len, &old, alarm);
    }
    if (err != CORDON_OK) {
        drop(newest);
    }
}

static bool still_signed(const struct fetched_document *kept, const struct envelope_keys *keys,
                         struct cordon_fault *ret_why)
{
    struct envelope envelope;

    return kept->bytes == NULL ||
           envelope_verify(kept->bytes, kept->len, keys, &envelope, ret_why) == CORDON_OK;
}

enum cordon_err fetched_read(const struct managed_places *places, struct fetched *ret_fetched,
                             struct cordon_fault *fault)
{
    struct fetched fetched = {.configured = true};
    struct envelope_keys keys;
    struct cordon_fault why;
    enum cordon_err err;

    arena_init(&fetched.arena, (size_t)16U * POLICY_FILE_MAX);
    err = fetched_config(places, &fetched.arena, &fetched.config, fault);
    if (err == CORDON_OK) {
        err = read_kept(places, &fetched, fault);
    }
    if (err != CORDON_OK) {
        fetched_deinit(&fetched);
        if (err == CORDON_E_NOT_FOUND) {
            *ret_fetched = fetched;
            return CORDON_OK;
        }
        return err;
    }
    keys = (struct envelope_keys){fetched.config.keys, fetched.config.key_count};
    read_newest(places, &keys, &fetched);
    if (!still_signed(&fetched.kept, &keys, &why)) {
        drop(&fetched.kept);
        if (fetched.newest.bytes == NULL && fetched.alarm.err == CORDON_OK) {
            fetched.alarm = why;
        }
    }
    *ret_fetched = fetched;
    return CORDON_OK;
}

const struct fetched_document *fetched_in_force(const struct fetched *fetched)
{
    if (fetched->newest.bytes != NULL) {
        return &fetched->newest;
    }
    return fetched->kept.bytes != NULL ? &fetched->kept : NULL;
}

void fetched_forget_newest(struct fetched *fetched)
{
    drop(&fetched->newest);
}

void fetched_deinit(struct fetched *fetched)
{
    drop(&fetched->newest);
    drop(&fetched->kept);
    arena_deinit(&fetched->arena);
    memset(fetched, 0, sizeof(*fetched));
}

enum cordon_err fetched_add(const struct fetched *fetched, const struct fetched_document *document,
                            struct managed_files *files, struct cordon_fault *fault)
{
    const struct envelope *envelope = &document->envelope;
    struct managed_file *item = &files->items[files->count];
    struct strbuf path = STRBUF_INIT;

    if (files->count == MANAGED_FILES_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "more than %u managed files",
                         MANAGED_FILES_MAX);
    }
    strbuf_printf(&path, FETCH_PREFIX "%s#%llu", fetched->config.source,
                  (unsigned long long)envelope->generation);
    item->layer = LAYER_MANAGED;
    item->path = strbuf_steal(&path);
    item->text = malloc(envelope->len + 1);
    item->len = envelope->len;
    files->count++;
    if (item->path == NULL || item->text == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "fetched requirements: out of memory");
    }
    memcpy(item->text, envelope->text, envelope->len);
    item->text[envelope->len] = '\0';
    return CORDON_OK;
}

enum cordon_err fetched_keep(const struct managed_places *places,
                             const struct fetched_document *document, struct cordon_fault *fault)
{
    struct cordon_fault cause = {.err = CORDON_OK};
    char path[512];
    int dir;

    (void)snprintf(path, sizeof(path), "%s%s", places->root, FETCHED_ROOT);
    if (mkdir(path, 0755) == 0) {
        (void)chmod(path, 0755); /* our umask does not count */
    }
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        (void)fault_os(&cause, errno, NULL, "cannot be opened");
    } else {
        (void)!host_replace(dir, FETCHED_KEPT, document->bytes, document->len, &cause);
    }
    host_close(dir);
    return cause.err == CORDON_OK
               ? CORDON_OK
               : fault_os(fault, cause.os_code, "make room there, or make it writable",
                          KEPT_PATH ": cannot be written, so the fetched document is not used");
}

enum cordon_err fetched_check_age(const struct managed_places *places,
                                  const struct fetched *fetched,
                                  const struct fetched_document *document,
                                  uint64_t *ret_confirmed_s, struct cordon_fault *fault)
{
    const uint64_t end = document->envelope.not_after;
    struct timespec now = {0, 0};
    struct stat st = {.st_size = 0};
    int fd = spool_find(places, FETCHED_CONFIRMED);
    uint64_t confirmed = 0;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_mtim.tv_sec > 0) {
        confirmed = (uint64_t)st.st_mtim.tv_sec;
    }
    host_close(fd);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_confirmed_s != NULL) {
        *ret_confirmed_s = confirmed;
    }
    if (end != 0 && (uint64_t)now.tv_sec > end) {
        return fault_set(fault, CORDON_E_TIMEOUT, "sign a new generation",
                         "fetched requirements: generation %llu has ended (not-after %llu)",
                         (unsigned long long)document->envelope.generation,
                         (unsigned long long)end);
    }
    if ((uint64_t)now.tv_sec > confirmed + fetched->config.max_age_s) {
        return fault_set(fault, CORDON_E_TIMEOUT, "is cordon-fetch running, and its source up?",
                         "fetched requirements: not confirmed for more than %u s (max_age_s)",
                         fetched->config.max_age_s);
    }
    return CORDON_OK;
}

void fetched_alarm(const struct managed_places *places, char *ret_text, size_t size)
{
    struct fetched_document file = {.bytes = NULL};
    struct cordon_fault fault;

    ret_text[0] = '\0';
    if (spool_read(places, FETCHED_ALARM, CORDON_FAULT_TEXT_MAX + CORDON_FAULT_REMEDY_MAX, &file,
                   &fault) == CORDON_OK) {
        file.bytes[strcspn(file.bytes, "\n")] = '\0';
        (void)snprintf(ret_text, size, "%s", file.bytes);
    }
    drop(&file);
}
