/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/plan_glob.h"

#include <string.h>

size_t plan_glob_prefix(const char *pattern, size_t len)
{
    size_t end = 0;

    /* A backslash ends it as well: what it escapes is matched byte for byte all
     * the same, only from one directory further up. */
    for (size_t i = 0; i < len && strchr("*?[]{\\", pattern[i]) == NULL; i++) {
        if (pattern[i] == '/') {
            end = i;
        }
    }
    return end == 0 ? 1 : end;
}

uint32_t plan_glob_levels(const char *pattern, size_t len)
{
    uint32_t levels = 0;

    for (size_t i = plan_glob_prefix(pattern, len); i < len; i++) {
        if (pattern[i] == '*' && i + 1 < len && pattern[i + 1] == '*') {
            return 0;
        }
        levels += pattern[i] == '/';
    }
    /* After the prefix "/" its own slash is not counted, after others it is. */
    return plan_glob_prefix(pattern, len) == 1 ? levels + 1 : levels;
}
