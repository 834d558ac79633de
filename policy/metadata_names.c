/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/metadata_names.h"

#include <string.h>

const char *const metadata_names[METADATA_COUNT] = {".git", ".codex", ".agents", ".aws", ".cordon"};

static bool is_one(const char *name, size_t len)
{
    for (size_t i = 0; i < METADATA_COUNT; i++) {
        if (strlen(metadata_names[i]) == len && memcmp(metadata_names[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

bool metadata_named(const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");

        if (is_one(path, len)) {
            return true;
        }
        path += len;
        path += *path == '/';
    }
    return false;
}
