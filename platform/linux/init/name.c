/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of an open file. Links below /proc/self/fd end at PATH_MAX, names do
 * not: a file's can be read where it is mapped, a directory's in parts, each
 * from a place above it. Only the guard comes here: it moves its root.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"
#include "platform/linux/init/watch.h"

#define LEVELS_AT_ONCE 240U
#define LEVELS_SAFE 15U /* their names fit whatever they are */
#define STEPS_MAX 4400U /* 65536 levels and some */

static ssize_t link_read(const struct watch *watch, int fd, char out[PATH_MAX])
{
    char number[16];

    (void)snprintf(number, sizeof(number), "%d", fd);
    return readlinkat(watch->links, number, out, PATH_MAX);
}

/* "START-END MODE OFFSET DEVICE INODE NAME"; @start is where the file is mapped. */
static bool line_name(const char *line, const void *start, struct strbuf *ret_name)
{
    const char *name = strchr(line, '/');

    if (strtoull(line, NULL, 16) != (uintptr_t)start || name == NULL) {
        return false;
    }
    strbuf_add(ret_name, name, strcspn(name, "\n"));
    return true;
}

static bool mapping_find(const struct watch *watch, const void *start, struct strbuf *ret_name)
{
    int fd = openat(watch->proc, "self/maps", O_RDONLY | O_CLOEXEC);
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    if (maps == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    while (!found && getline(&line, &size, maps) > 0) {
        found = line_name(line, start, ret_name);
    }
    free(line);
    (void)fclose(maps);
    return found;
}

static bool name_of_mapped(const struct watch *watch, int fd, struct strbuf *ret_name)
{
    void *start = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    bool found;

    if (start == MAP_FAILED) {
        return false;
    }
    found = mapping_find(watch, start, ret_name);
    (void)munmap(start, 1);
    /* A line end is written as that, and so is the same text in a name: nobody can tell. */
    return found && strstr(strbuf_text(ret_name), "\\012") == NULL;
}

static bool root_move(int directory)
{
    return fchdir(directory) == 0 && chroot(".") == 0;
}

/* "/NAME" of @fd as seen from its parent @up. */
static ssize_t link_read_from(const struct watch *watch, int fd, int up, char out[PATH_MAX])
{
    ssize_t len = root_move(up) ? link_read(watch, fd, out) : -1;

    if (!root_move(watch->root)) {
        _exit(1); /* no name is right from here */
    }
    return len;
}

/* Appends what is in @names, each with its NUL and the innermost first. */
static void append_reversed(struct strbuf *out, const struct strbuf *names)
{
    size_t end = names->len;

    while (end > 0) {
        size_t start = end - 1;

        while (start > 0 && names->data[start - 1] != '\0') {
            start--;
        }
        strbuf_add(out, names->data + start, end - 1 - start);
        end = start;
    }
}

/* So many levels above @fd, or the top. */
static int go_up(int fd, size_t levels)
{
    char text[3 * LEVELS_AT_ONCE + 1];

    for (size_t i = 0; i < levels; i++) {
        memcpy(text + 3 * i, "../", 3);
    }
    text[3 * levels] = '\0';
    return openat(fd, text, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The name of @fd from so many levels above it, to @text, and those to *ret_up. */
static ssize_t name_from_above(const struct watch *watch, int fd, size_t levels, int *ret_up,
                               char text[PATH_MAX])
{
    *ret_up = go_up(fd, levels);
    return *ret_up < 0 ? -1 : link_read_from(watch, fd, *ret_up, text);
}

static bool name_of_directory(const struct watch *watch, int fd, struct strbuf *ret_name)
{
    struct strbuf names = STRBUF_INIT;
    char text[PATH_MAX];
    int at = fcntl(fd, F_DUPFD_CLOEXEC, WATCH_FD_BASE);
    ssize_t base = -1;

    for (size_t steps = 0; at >= 0 && base < 0 && steps < STEPS_MAX; steps++) {
        int up;
        ssize_t len = name_from_above(watch, at, LEVELS_AT_ONCE, &up, text);

        if (len < 0 && up >= 0 && errno == ENAMETOOLONG) {
            (void)close(up);
            len = name_from_above(watch, at, LEVELS_SAFE, &up, text);
        }
        (void)close(at);
        at = up;
        if (len <= 1 || text[0] != '/') {
            break;
        }
        strbuf_add(&names, text, (size_t)len);
        strbuf_add(&names, "", 1);
        base = link_read(watch, at, text);
    }
    if (at >= 0) {
        (void)close(at);
    }
    if (base > 0) {
        strbuf_add(ret_name, text, base == 1 ? 0 : (size_t)base);
        append_reversed(ret_name, &names);
    }
    base = names.failed ? -1 : base;
    strbuf_deinit(&names);
    return base > 0;
}

bool name_by_link(const struct watch *watch, int fd, struct strbuf *ret_name)
{
    char text[PATH_MAX];
    const ssize_t len = link_read(watch, fd, text);

    ret_name->len = 0;
    if (len > 0 && len < PATH_MAX && text[0] == '/') {
        strbuf_add(ret_name, text, (size_t)len);
    }
    return ret_name->len > 0 && !ret_name->failed;
}

bool name_of(const struct watch *watch, int fd, struct strbuf *ret_name)
{
    struct stat st;
    bool named = name_by_link(watch, fd, ret_name);

    if (!named && errno == ENAMETOOLONG && fstat(fd, &st) == 0) {
        named = (S_ISREG(st.st_mode) && name_of_mapped(watch, fd, ret_name)) ||
                (S_ISDIR(st.st_mode) && name_of_directory(watch, fd, ret_name));
    }
    return named && !ret_name->failed && ret_name->len > 0 && ret_name->data[0] == '/';
}

bool name_from(const struct watch *watch, int fd, int up, struct strbuf *ret_name)
{
    char text[PATH_MAX];
    const ssize_t len = link_read_from(watch, fd, up, text);
    const bool named = len > 1 && len < PATH_MAX && text[0] == '/';

    if (named) {
        strbuf_add(ret_name, text, (size_t)len);
    }
    return named;
}

bool name_last(const struct watch *watch, int fd, int up, char ret_name[NAME_MAX + 1])
{
    char text[PATH_MAX];
    ssize_t len = link_read(watch, fd, text);
    const char *slash;

    if (len < 0 && errno == ENAMETOOLONG) {
        len = link_read_from(watch, fd, up, text);
    }
    if (len <= 0 || len >= PATH_MAX) {
        return false;
    }
    text[len] = '\0';
    slash = strrchr(text, '/');
    return slash != NULL && snprintf(ret_name, NAME_MAX + 1, "%s", slash + 1) <= NAME_MAX;
}
