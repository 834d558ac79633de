/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command cannot start without: the program, the interpreter that its
 * first line names, and the loader of whichever is an ELF file. Only for the
 * message: a plan whose rules deny one of them is refused with the rule's name
 * instead of an exec error. Whatever this misses is still denied.
 */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/backend.h"

#define NEEDED_MAX 6U
#define HEAD_BYTES 4096U

struct needed {
    struct arena *arena;
    const char *paths[NEEDED_MAX];
    size_t count;
};

/* Adds @path as it is called and as it resolves. */
static void needed_add(struct needed *needed, const char *path)
{
    char real[PATH_MAX];
    const char *copy;

    if (needed->count < NEEDED_MAX && realpath(path, real) != NULL) {
        copy = arena_strdup(needed->arena, real);
        if (copy != NULL) {
            needed->paths[needed->count++] = copy;
        }
    }
}

static bool find_program(const struct platform_start *start, char *out, size_t size)
{
    const char *path = start->search == NULL ? "/usr/bin:/bin" : start->search;

    if (strchr(start->program, '/') != NULL) {
        bool absolute = start->program[0] == '/';

        return (size_t)snprintf(out, size, "%s%s%s", absolute ? "" : start->cwd,
                                absolute ? "" : "/", start->program) < size;
    }
    while (*path != '\0') {
        size_t len = strcspn(path, ":");

        if (len > 0 &&
            (size_t)snprintf(out, size, "%.*s/%s", (int)len, path, start->program) < size &&
            access(out, X_OK) == 0) {
            return true;
        }
        path += len + (path[len] == ':');
    }
    return false;
}

/* Copies the loader's name of a 64-bit ELF head; false when it names none. */
static bool elf_loader(const char *head, size_t len, char *out, size_t size)
{
    Elf64_Ehdr file;

    if (len < sizeof(file) || memcmp(head, ELFMAG, SELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64) {
        return false;
    }
    memcpy(&file, head, sizeof(file));
    for (size_t i = 0; i < file.e_phnum; i++) {
        size_t at = (size_t)file.e_phoff + i * sizeof(Elf64_Phdr);
        Elf64_Phdr part;

        if (file.e_phoff > len || at > len - sizeof(part) || len < sizeof(part)) {
            return false;
        }
        memcpy(&part, head + at, sizeof(part));
        if (part.p_type == PT_INTERP && part.p_offset < len &&
            part.p_filesz <= len - part.p_offset && part.p_filesz < size && part.p_filesz > 0) {
            memcpy(out, head + part.p_offset, part.p_filesz);
            out[part.p_filesz - 1] = '\0';
            return true;
        }
    }
    return false;
}

static bool script_interpreter(const char *head, size_t len, char *out, size_t size)
{
    size_t start = 2;
    size_t end;

    if (len < 3 || head[0] != '#' || head[1] != '!') {
        return false;
    }
    while (start < len && head[start] == ' ') {
        start++;
    }
    end = start;
    while (end < len && head[end] != ' ' && head[end] != '\n' && head[end] != '\t') {
        end++;
    }
    if (end == start || end - start >= size) {
        return false;
    }
    memcpy(out, head + start, end - start);
    out[end - start] = '\0';
    return true;
}

enum cordon_err linux_needed(const struct platform_start *start, struct arena *arena,
                             struct plan_facts *facts)
{
    struct needed needed = {.arena = arena};
    char path[PATH_MAX];
    const char **paths;
    bool more = find_program(start, path, sizeof(path));

    /* A script of a script of a script is as deep as the kernel goes, nearly. */
    for (int depth = 0; more && depth < 4; depth++) {
        char head[HEAD_BYTES];
        char next[PATH_MAX];
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        ssize_t len = fd < 0 ? -1 : read(fd, head, sizeof(head));

        if (fd >= 0) {
            (void)close(fd);
        }
        needed_add(&needed, path);
        more = len > 0 && (elf_loader(head, (size_t)len, next, sizeof(next)) ||
                           script_interpreter(head, (size_t)len, next, sizeof(next)));
        if (more) {
            (void)snprintf(path, sizeof(path), "%s", next);
        }
    }
    paths = arena_array(arena, needed.count, sizeof(*paths));
    if (paths == NULL) {
        return CORDON_E_NOMEM;
    }
    memcpy(paths, needed.paths, needed.count * sizeof(*paths));
    facts->needed = paths;
    facts->needed_count = needed.count;
    return CORDON_OK;
}
