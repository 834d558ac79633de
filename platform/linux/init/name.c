/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of an open file. Links below /proc/self/fd end at PATH_MAX, names do
 * not: a file's can be read where it is mapped, a directory's level by level,
 * from the place of its parent. Only the guard comes here: it moves its root.
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

#define LEVELS_MAX 65536U

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

/* Appends the components in @names, which are innermost first. */
static void append_reversed(struct strbuf *out, const struct strbuf *names)
{
    size_t end = names->len;

    for (size_t at = end; at-- > 0;) {
        if (names->data[at] == '/') {
            strbuf_add(out, names->data + at, end - at);
            end = at;
        }
    }
}

static bool name_of_directory(const struct watch *watch, int fd, struct strbuf *ret_name)
{
    struct strbuf names = STRBUF_INIT;
    char text[PATH_MAX];
    int at = fcntl(fd, F_DUPFD_CLOEXEC, WATCH_FD_BASE);
    ssize_t base = -1;

    for (size_t level = 0; at >= 0 && base < 0 && level < LEVELS_MAX; level++) {
        int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ssize_t len = up < 0 ? -1 : link_read_from(watch, at, up, text);

        (void)close(at);
        at = up;
        if (len <= 1 || text[0] != '/') {
            break;
        }
        strbuf_add(&names, text, (size_t)len);
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

bool name_of(const struct watch *watch, int fd, struct strbuf *ret_name)
{
    char text[PATH_MAX];
    ssize_t len = link_read(watch, fd, text);
    bool named = len > 0 && len < PATH_MAX;
    struct stat st;

    ret_name->len = 0;
    if (named) {
        strbuf_add(ret_name, text, (size_t)len);
    } else if (len < 0 && errno == ENAMETOOLONG && fstat(fd, &st) == 0) {
        named = (S_ISREG(st.st_mode) && name_of_mapped(watch, fd, ret_name)) ||
                (S_ISDIR(st.st_mode) && name_of_directory(watch, fd, ret_name));
    }
    return named && !ret_name->failed && ret_name->len > 0 && ret_name->data[0] == '/';
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
