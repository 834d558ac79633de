/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/heir.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/index/former.h"
#include "platform/linux/init/files.h"
#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"

#define SECONDS_MAX 10 /* guards that begin wait for it, and HEIRS_MAX times if need be */

/* The host's tree instead of a view. */
static bool tree_open(struct watch *watch)
{
    struct init *init = watch->init;

    watch->clone = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    watch->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    watch->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    watch->links = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return watch->clone >= 0 && watch->root >= 0 && watch->proc >= 0 && watch->links >= 0 &&
           mounts_read(&init->host, &init->fault) == CORDON_OK &&
           alias_find(&init->host, &init->aliases, &init->fault) == CORDON_OK;
}

/* False: nobody can tell what names went. */
static bool take_all(const struct held *held, int life, int records)
{
    static struct init init;
    struct watch watch = {.init = &init,
                          .decide = -1,
                          .events = held->fds[HELD_EVENTS],
                          .life = life,
                          .batch = held->fds[HELD_BATCH],
                          .finish = -1,
                          .index = -1};
    struct names names;
    bool ready = rules_load(&init, held->fds[HELD_ORDER], &held->fds[HELD_OWN]) == CORDON_OK &&
                 tree_open(&watch) && rules_find(&watch) == CORDON_OK &&
                 names_init(&names, &watch, &init.fault) == CORDON_OK &&
                 batch_share(names.batch, watch.batch);

    if (ready && former_take(&names, records) && names_drain(&names)) {
        return true;
    }
    (void)fprintf(stderr, "cordon-index: what a guard left cannot be taken in: %s\n",
                  ready ? "something was lost" : init.fault.text);
    return false;
}

/* Of what cordon-index has it keeps nothing open that others wait for the end of. */
static _Noreturn void heir_main(const struct held *held, int life, int records)
{
    int kept[] = {0,
                  1,
                  2,
                  life,
                  records,
                  held->fds[HELD_EVENTS],
                  held->fds[HELD_BATCH],
                  held->fds[HELD_ORDER],
                  held->fds[HELD_OWN],
                  held->fds[HELD_MANAGED]};

    (void)prctl(PR_SET_NAME, "cordon-heir", 0, 0, 0);
    (void)alarm(SECONDS_MAX);
    _exit(files_close_but(kept, sizeof(kept) / sizeof(kept[0])) && take_all(held, life, records)
              ? 0
              : 1);
}

bool heir_start(const struct held *held, struct heir *ret_heir)
{
    int records;
    int pair[2];

    if (!former_records(&records) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return false;
    }
    *ret_heir = (struct heir){.life = pair[0], .pid = fork()};
    if (ret_heir->pid == 0) {
        heir_main(held, pair[1], records);
    }
    (void)close(pair[1]);
    ret_heir->pidfd = ret_heir->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, ret_heir->pid, 0);
    if (ret_heir->pid > 0 && ret_heir->pidfd < 0) {
        (void)kill(ret_heir->pid, SIGKILL);
        (void)waitpid(ret_heir->pid, NULL, 0);
    }
    if (ret_heir->pidfd < 0) {
        (void)close(pair[0]);
    }
    return ret_heir->pidfd >= 0;
}
