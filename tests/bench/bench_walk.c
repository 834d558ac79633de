/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What expanding a pattern costs at least: two threads that take directories from one stack, read
 * each in large pieces, and look at the end of every name. Ends with 1 if not MATCHES files match.
 *
 *   bench_walk DIR SUFFIX MATCHES
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 2
#define PIECE (256U * 1024U)

struct entry { /* linux_dirent64 of getdents(2) */
    unsigned long long ino;
    long long off;
    unsigned short len;
    unsigned char type;
    char name[];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    char **folders; /* owned: not read yet */
    size_t count, room;
    unsigned busy;
    unsigned long matches;
    const char *suffix;
    size_t suffix_len;
} walk = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void push(char *folder)
{
    if (folder == NULL) {
        fail("bench_walk");
    }
    (void)pthread_mutex_lock(&walk.lock);
    if (walk.count == walk.room) {
        walk.room = walk.room == 0 ? 1024 : walk.room * 2;
        walk.folders = realloc(walk.folders, walk.room * sizeof(*walk.folders));
        if (walk.folders == NULL) {
            fail("bench_walk");
        }
    }
    walk.folders[walk.count++] = folder;
    (void)pthread_cond_signal(&walk.more);
    (void)pthread_mutex_unlock(&walk.lock);
}

/* NULL: everything is read. */
static char *pop(void)
{
    char *folder = NULL;

    (void)pthread_mutex_lock(&walk.lock);
    while (walk.count == 0 && walk.busy > 0) {
        (void)pthread_cond_wait(&walk.more, &walk.lock);
    }
    if (walk.count > 0) {
        folder = walk.folders[--walk.count];
        walk.busy++;
    }
    (void)pthread_mutex_unlock(&walk.lock);
    return folder;
}

static void done(void)
{
    (void)pthread_mutex_lock(&walk.lock);
    if (--walk.busy == 0) {
        (void)pthread_cond_broadcast(&walk.more);
    }
    (void)pthread_mutex_unlock(&walk.lock);
}

static char *below(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);

    if (path != NULL) {
        (void)snprintf(path, size, "%s/%s", folder, name);
    }
    return path;
}

static unsigned long take(const char *folder, const struct entry *entry)
{
    const size_t len = strlen(entry->name);

    if (entry->type == DT_DIR && strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0) {
        push(below(folder, entry->name));
    }
    return entry->type == DT_REG && len >= walk.suffix_len &&
           memcmp(entry->name + len - walk.suffix_len, walk.suffix, walk.suffix_len) == 0;
}

static unsigned long read_folder(const char *folder, char *piece)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unsigned long matches = 0;
    long len;

    if (fd < 0) {
        fail(folder);
    }
    while ((len = syscall(SYS_getdents64, fd, piece, PIECE)) > 0) {
        for (long at = 0; at < len;) {
            const struct entry *entry = (const struct entry *)(const void *)(piece + at);

            matches += take(folder, entry);
            at += entry->len;
        }
    }
    if (len < 0) {
        fail(folder);
    }
    (void)close(fd);
    return matches;
}

static void *work(void *context)
{
    char *piece = malloc(PIECE);
    unsigned long matches = 0;
    char *folder;

    (void)context;
    if (piece == NULL) {
        fail("bench_walk");
    }
    while ((folder = pop()) != NULL) {
        matches += read_folder(folder, piece);
        free(folder);
        done();
    }
    free(piece);
    (void)pthread_mutex_lock(&walk.lock);
    walk.matches += matches;
    (void)pthread_mutex_unlock(&walk.lock);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_walk DIR SUFFIX MATCHES\n");
        return 2;
    }
    walk.suffix = argv[2];
    walk.suffix_len = strlen(argv[2]);
    push(strdup(argv[1]));
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, work, NULL) != 0) {
            fail("pthread_create");
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    free(walk.folders);
    return walk.matches != strtoul(argv[3], NULL, 10);
}
