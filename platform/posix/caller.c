/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/caller.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUPS_MAX 256

enum cordon_err caller_enter(const char *folder, struct arena *arena, const char **ret_cwd,
                             struct cordon_fault *fault)
{
    char cwd[PATH_MAX];
    const char *copy;

    if (folder != NULL && chdir(folder) != 0) {
        return fault_os(fault, errno, NULL, "working directory %s", folder);
    }
    if (getcwd(cwd, sizeof(cwd)) == NULL || cwd[0] != '/') {
        return fault_os(fault, errno, NULL, "working directory");
    }
    copy = arena_strdup(arena, cwd);
    if (copy == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    *ret_cwd = copy;
    return CORDON_OK;
}

void caller_user(struct arena *arena, struct policy_context *context)
{
    const struct passwd *user = getpwuid(getuid());
    gid_t groups[GROUPS_MAX];
    int count = getgroups(GROUPS_MAX, groups);
    const char **names;

    if (user != NULL) {
        context->home = user->pw_dir[0] == '/' ? arena_strdup(arena, user->pw_dir) : NULL;
        context->user = arena_strdup(arena, user->pw_name);
    }
    names = arena_array(arena, GROUPS_MAX + 1, sizeof(*names));
    if (names == NULL || count < 0) {
        return;
    }
    for (int i = -1; i < count; i++) {
        const struct group *group = getgrgid(i < 0 ? getgid() : groups[i]);

        if (group != NULL) {
            names[context->group_count] = arena_strdup(arena, group->gr_name);
            context->group_count += names[context->group_count] != NULL ? 1U : 0U;
        }
    }
    context->groups = names;
}

const char *caller_place(const char *variable, struct arena *arena)
{
    const char *value = getenv(variable);

    (void)arena;
    return value != NULL && value[0] == '/' ? value : NULL;
}

/* Removes "//", "." and "..", the last against its name, as a policy's spellings are. */
static void normalise(char *path)
{
    char *to = path;
    const char *from = path;

    while (*from != '\0') {
        size_t len;

        while (*from == '/') {
            from++;
        }
        len = strcspn(from, "/");
        if (len == 2 && memcmp(from, "..", 2) == 0) {
            while (to > path && *--to != '/') {
            }
        } else if (len > 0 && !(len == 1 && *from == '.')) {
            *to++ = '/';
            memmove(to, from, len);
            to += len;
        }
        from += len;
    }
    if (to == path) {
        *to++ = '/';
    }
    *to = '\0';
}

const char *caller_absolute(const struct policy_context *context, const char *path,
                            struct arena *arena)
{
    char *absolute;

    if (path[0] == '/') {
        absolute = arena_strdup(arena, path);
    } else if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && context->home != NULL) {
        absolute = arena_printf(arena, "%s%s", context->home, path + 1);
    } else {
        absolute = arena_printf(arena, "%s/%s", context->cwd, path);
    }
    if (absolute != NULL) {
        normalise(absolute);
    }
    return absolute;
}

const char *caller_leads(const char *path, struct arena *arena)
{
    char real[PATH_MAX];
    size_t len = strlen(path);

    for (;;) {
        char *head = arena_strndup(arena, path, len);

        if (head == NULL) {
            return NULL;
        }
        if (realpath(len == 0 ? "/" : head, real) != NULL) {
            char *joined = arena_printf(
                arena, "%s%s", strcmp(real, "/") == 0 && path[len] == '/' ? "" : real, path + len);

            return joined == NULL || strcmp(joined, path) == 0 ? NULL : joined;
        }
        if (len == 0) {
            return NULL;
        }
        while (len > 0 && path[--len] != '/') {
        }
    }
}

/* The socket and its unit say it all. */
size_t caller_findings(struct arena *arena, struct caller_finding findings[CALLER_FINDINGS_MAX])
{
    (void)arena;
    (void)findings;
    return 0;
}
