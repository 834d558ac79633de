/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user database is asked in a process of its own: a name service may hang,
 * and its modules have no business in root's memory, nor in a broker's that lives on.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "platform/host.h"

#define NOBODY 65534U

/*
 * Root's, after execve() on purpose: a process that gives up root itself is not
 * dumpable from that moment on, so no other process of that uid can reach it
 * and forge an answer.
 */
static bool give_up_root(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (geteuid() != 0) {
        return true;
    }
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static void put(struct strbuf *out, const char *text)
{
    strbuf_add(out, text, strlen(text) + 1);
}

int host_lookup_main(int argc, char **argv)
{
    struct strbuf out = STRBUF_INIT;
    const struct passwd *user;
    bool ok;

    if (argc < 1 || !give_up_root()) {
        return 1;
    }
    user = getpwuid((uid_t)strtoul(argv[0], NULL, 10));
    put(&out, user == NULL || user->pw_dir == NULL || user->pw_dir[0] != '/' ? "" : user->pw_dir);
    put(&out, user == NULL || user->pw_name == NULL ? "" : user->pw_name);
    for (int i = 1; i < argc; i++) {
        const struct group *group = getgrgid((gid_t)strtoul(argv[i], NULL, 10));

        if (group != NULL && group->gr_name != NULL && group->gr_name[0] != '\0') {
            put(&out, group->gr_name);
        }
    }
    ok = !out.failed && out.len < HOST_USER_BYTES_MAX;
    if (ok) {
        host_write(STDOUT_FILENO, out.data, out.len);
    }
    strbuf_deinit(&out);
    return ok ? 0 : 1;
}
