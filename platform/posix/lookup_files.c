/* SPDX-License-Identifier: Apache-2.0 */
/* The user database, where it is files: read by who wants to know, since these do not hang. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "platform/host.h"

#define GROUPS "group"
#define FILES "files"
#define MERGE "[SUCCESS=merge]"
#define BLANK " \t"
#define FILES_GROUPS 16U            /* each is looked for from the beginning */
#define FILE_MAX ((off_t)64 * 1024) /* more takes long to read, for whoever waits */

#ifdef __GLIBC__
static void put(struct strbuf *out, const char *text)
{
    strbuf_add(out, text, strlen(text) + 1);
}

static FILE *file_open(const char *root, const char *name)
{
    char path[512];
    const int len = snprintf(path, sizeof(path), "%s%s", root, name);
    FILE *file = len > 0 && (size_t)len < sizeof(path) ? fopen(path, "re") : NULL;
    struct stat st;

    if (file != NULL &&
        (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)) {
        (void)fclose(file);
        file = NULL;
    }
    return file;
}

/* Whether the files come first for one database: unknown until a line names it. */
enum order { ORDER_UNKNOWN, ORDER_FILES, ORDER_OTHER };

/*
 * What @line says of @database: "DATABASE: files", and nothing that is to be done with what these
 * say, but for more members of a group, who are not asked for. Named twice, it is another's to
 * read.
 */
static enum order order_of(const char *line, const char *database, enum order before)
{
    const size_t len = strlen(database);

    line += strspn(line, BLANK);
    if (strncmp(line, database, len) != 0 || strchr(BLANK ":", line[len]) == NULL) {
        return before;
    }
    line += len;
    line += strspn(line, BLANK);
    if (before != ORDER_UNKNOWN || *line++ != ':') {
        return ORDER_OTHER;
    }
    line += strspn(line, BLANK);
    if (strncmp(line, FILES, sizeof(FILES) - 1) != 0 ||
        strchr(BLANK "\n", line[sizeof(FILES) - 1]) == NULL) {
        return ORDER_OTHER;
    }
    line += sizeof(FILES) - 1;
    line += strspn(line, BLANK);
    return line[0] != '[' || (strcmp(database, GROUPS) == 0 &&
                              strncasecmp(line, MERGE, sizeof(MERGE) - 1) == 0)
               ? ORDER_FILES
               : ORDER_OTHER;
}

/* The files come first for users and for groups. */
static bool files_decide(const char *root)
{
    FILE *file = file_open(root, "/etc/nsswitch.conf");
    enum order users = ORDER_UNKNOWN;
    enum order groups = ORDER_UNKNOWN;
    char line[1024];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strchr(line, '\n') == NULL && !feof(file)) {
            users = ORDER_OTHER; /* too long a line */
        }
        users = order_of(line, "passwd", users);
        groups = order_of(line, GROUPS, groups);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return users == ORDER_FILES && groups == ORDER_FILES;
}

/* A name that stands for what another service says (compat). */
static bool is_foreign(const char *name)
{
    return name == NULL || name[0] == '+' || name[0] == '-';
}

static bool user_find(const char *root, uid_t uid, struct strbuf *out)
{
    FILE *file = file_open(root, "/etc/passwd");
    const struct passwd *user = NULL;
    bool found = false;

    while (file != NULL && !found && (user = fgetpwent(file)) != NULL &&
           !is_foreign(user->pw_name)) {
        found = user->pw_uid == uid;
    }
    if (found) {
        put(out, user->pw_dir == NULL || user->pw_dir[0] != '/' ? "" : user->pw_dir);
        put(out, user->pw_name);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static bool group_find(FILE *file, gid_t gid, struct strbuf *out)
{
    const struct group *group;

    rewind(file);
    while ((group = fgetgrent(file)) != NULL && !is_foreign(group->gr_name)) {
        if (group->gr_gid == gid) {
            put(out, group->gr_name);
            return true;
        }
    }
    return false;
}

bool host_lookup_files(char *const *words, const char *root, struct strbuf *out)
{
    bool found = words[0] != NULL && files_decide(root) &&
                 user_find(root, (uid_t)strtoul(words[0], NULL, 10), out);
    FILE *file = found ? file_open(root, "/etc/group") : NULL;

    for (size_t i = 1; found && words[i] != NULL; i++) {
        found = i <= FILES_GROUPS && file != NULL &&
                group_find(file, (gid_t)strtoul(words[i], NULL, 10), out);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found && !out->failed && out->len < HOST_USER_BYTES_MAX;
}
#else
bool host_lookup_files(char *const *words, const char *root, struct strbuf *out)
{
    (void)words;
    (void)root;
    (void)out;
    return false;
}
#endif
