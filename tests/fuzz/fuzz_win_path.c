/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a Windows path: what is read has one normal form that reads as itself, in which
 * nothing is left that Windows would read in another way; what is not read says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void require_normal(const struct win_path *path, struct arena *arena)
{
    const char *rest = path->text + (path->kind == WIN_PATH_DRIVE ? 3 : 2);
    struct cordon_fault fault = {0};
    struct win_path again;
    uint32_t names = 0;

    require(win_path_read(path->text, strlen(path->text), NULL, arena, &again, &fault) ==
            CORDON_OK);
    require(strcmp(again.text, path->text) == 0 && strcmp(again.key, path->key) == 0);
    require(again.depth == path->depth && again.kind == path->kind);
    while (*rest != '\0') {
        size_t len = strcspn(rest, "\\");

        require(len > 0 && win_name_check(rest, len, &fault) == CORDON_OK);
        names++;
        rest += len;
        rest += *rest == '\\';
    }
    require(names == path->depth + (path->kind == WIN_PATH_UNC ? 2 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const bases[] = {NULL, "C:\\a\\b", "\\\\server\\share\\a"};
    struct arena arena;

    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        struct cordon_fault fault = {0};
        struct win_path path;
        enum cordon_err err;

        arena_init(&arena, (size_t)16 << 20);
        err = win_path_read((const char *)data, size, bases[i], &arena, &path, &fault);
        if (err == CORDON_OK) {
            require_normal(&path, &arena);
        } else {
            require(err == CORDON_E_INVALID && fault.text[0] != '\0' && fault.err == err);
        }
        arena_deinit(&arena);
    }
    return 0;
}
