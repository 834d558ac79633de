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

/*
 * In memory: for each line that it is asked for, libc asks the kernel twice where in a file it is.
 */
struct table {
    char *data;
    FILE *lines; /* NULL: it cannot be read, or nothing is in it */
};

static struct table table_open(const char *root, const char *name)
{
    struct table table = {NULL, NULL};
    char path[512];
    const int len = snprintf(path, sizeof(path), "%s%s", root, name);
    FILE *file = len > 0 && (size_t)len < sizeof(path) ? fopen(path, "re") : NULL;
    struct stat st;
    size_t size;

    if (file == NULL) {
        return table;
    }
    if (fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
        table.data = malloc((size_t)st.st_size + 1);
    }
    if (table.data != NULL) {
        /* One byte more tells of a file that grows. */
        size = fread(table.data, 1, (size_t)st.st_size + 1, file);
        if (ferror(file) == 0 && size > 0 && size <= (size_t)st.st_size) {
            table.lines = fmemopen(table.data, size, "r");
        }
    }
    (void)fclose(file);
    return table;
}

static void table_close(struct table *table)
{
    if (table->lines != NULL) {
        (void)fclose(table->lines);
    }
    free(table->data);
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
    struct table table = table_open(root, "/etc/nsswitch.conf");
    enum order users = ORDER_UNKNOWN;
    enum order groups = ORDER_UNKNOWN;
    char line[1024];

    while (table.lines != NULL && fgets(line, sizeof(line), table.lines) != NULL) {
        if (strchr(line, '\n') == NULL && !feof(table.lines)) {
            users = ORDER_OTHER; /* too long a line */
        }
        users = order_of(line, "passwd", users);
        groups = order_of(line, GROUPS, groups);
    }
    table_close(&table);
    return users == ORDER_FILES && groups == ORDER_FILES;
}

/* A name that stands for what another service says (compat). */
static bool is_foreign(const char *name)
{
    return name == NULL || name[0] == '+' || name[0] == '-';
}

static bool user_find(const char *root, uid_t uid, struct strbuf *out)
{
    struct table table = table_open(root, "/etc/passwd");
    const struct passwd *user = NULL;
    bool found = false;

    while (table.lines != NULL && !found && (user = fgetpwent(table.lines)) != NULL &&
           !is_foreign(user->pw_name)) {
        found = user->pw_uid == uid;
    }
    if (found) {
        put(out, user->pw_dir == NULL || user->pw_dir[0] != '/' ? "" : user->pw_dir);
        put(out, user->pw_name);
    }
    table_close(&table);
    return found;
}

static bool group_find(FILE *lines, gid_t gid, struct strbuf *out)
{
    const struct group *group;

    rewind(lines);
    while ((group = fgetgrent(lines)) != NULL && !is_foreign(group->gr_name)) {
        if (group->gr_gid == gid) {
            put(out, group->gr_name);
            return true;
        }
    }
    return false;
}

bool host_lookup_files(char *const *words, const char *root, struct strbuf *out)
{
    struct table table = {NULL, NULL};
    bool found = words[0] != NULL && files_decide(root) &&
                 user_find(root, (uid_t)strtoul(words[0], NULL, 10), out);

    if (found) {
        table = table_open(root, "/etc/group");
    }
    for (size_t i = 1; found && words[i] != NULL; i++) {
        found = i <= FILES_GROUPS && table.lines != NULL &&
                group_find(table.lines, (gid_t)strtoul(words[i], NULL, 10), out);
    }
    table_close(&table);
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
