/* SPDX-License-Identifier: Apache-2.0 */
/* What a lookup of the user database printed: the same on every system. */
#include <stdio.h>
#include <string.h>

#include "platform/host.h"

static const char *next_string(const char **text, const char *end)
{
    const char *at = *text;
    const char *nul = at == end ? NULL : memchr(at, '\0', (size_t)(end - at));

    if (nul == NULL) {
        return NULL;
    }
    *text = nul + 1;
    return at;
}

enum cordon_err host_user_parse(const char *text, size_t len, struct arena *arena,
                                struct host_user *ret_user)
{
    const char *end = text + len;
    const char *home = next_string(&text, end);
    const char *name = next_string(&text, end);
    struct host_user user = {.group_count = 0};
    size_t room = 0;
    const char *group;

    if (home == NULL || name == NULL || strlen(home) >= sizeof(user.home) ||
        strlen(name) >= sizeof(user.user) || (len > 0 && end[-1] != '\0')) {
        return CORDON_E_INVALID;
    }
    (void)snprintf(user.home, sizeof(user.home), "%s", home);
    (void)snprintf(user.user, sizeof(user.user), "%s", name);
    for (const char *at = text; at < end; at++) {
        room += *at == '\0';
    }
    user.groups = arena_array(arena, room, sizeof(*user.groups));
    while (user.groups != NULL && (group = next_string(&text, end)) != NULL) {
        user.groups[user.group_count] = arena_strdup(arena, group);
        if (user.groups[user.group_count++] == NULL) {
            return CORDON_E_NOMEM;
        }
    }
    if (user.groups == NULL) {
        return CORDON_E_NOMEM;
    }
    *ret_user = user;
    return CORDON_OK;
}
