/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/metadata_names.h"

#include <string.h>

#include "platform/base/ascii.h"

const char *const metadata_names[METADATA_COUNT] = {".git", ".codex", ".agents", ".aws", ".cordon"};

static bool equals(const char *name, const char *other, size_t len, bool fold_case)
{
    return fold_case ? ascii_equal(name, other, len) : memcmp(name, other, len) == 0;
}

static bool is_one(const char *name, size_t len, bool fold_case)
{
    for (size_t i = 0; i < METADATA_COUNT; i++) {
        if (strlen(metadata_names[i]) == len && equals(metadata_names[i], name, len, fold_case)) {
            return true;
        }
    }
    return false;
}

bool metadata_named(const char *path, bool fold_case)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");

        if (is_one(path, len, fold_case)) {
            return true;
        }
        path += len;
        path += *path == '/';
    }
    return false;
}
