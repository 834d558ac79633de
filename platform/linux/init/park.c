/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set-up that was made ahead of time waits here. When a command is due it has
 * to be what would be set up now. What decides at each access has followed the
 * host meanwhile, as it does in any job; the mounts are the supervisor's to ask
 * for (spare.h). What is left are names that were looked up: of what a step is
 * about, and of the directories that rules lead to. Each must still lead to the
 * same object, or to nothing if it did then; and no socket of the host may have
 * been bound that a job could see. Where files were looked for by a walk, nothing can be said.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/init/notes.h"
#include "platform/linux/init/watch.h"
#include "platform/linux/pass.h"

enum cordon_err park_look(struct init *init)
{
    const struct order_step *steps = order_steps(init->order);
    enum cordon_err err = CORDON_OK;

    for (uint32_t i = 0; init->ahead && err == CORDON_OK && i < init->order->step_count; i++) {
        const char *path = order_text(init->order, steps[i].text);
        const bool follow = (steps[i].flags & ORDER_STEP_LINK) == 0;

        init->scanned = init->scanned || steps[i].op == ORDER_SCAN;
        /* What is watched was noted as it was found. */
        if (path != NULL && steps[i].op != ORDER_WATCH && steps[i].op != ORDER_LINK) {
            err = note_add(init, steps[i].set, path, follow);
        }
    }
    if (err == CORDON_OK) {
        err = notes_look(init);
    }
    if (err == CORDON_OK && init->ahead) {
        /* What it takes is in reach then: a page that the guard shares since its birth is copied
         * when it is written to first. */
        (void)((init->order->flags & ORDER_FULL_ACCESS) != 0 || sockets_are_masked(init));
        err = watch_ready(init);
        init->epoch_before = init->epoch == NULL ? 0 : *init->epoch;
    }
    return err;
}

/* Nobody has ended yet whose end would end a job. */
static bool children_live(void)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0;
}

static bool is_fresh(struct init *init)
{
    const bool full_access = (init->order->flags & ORDER_FULL_ACCESS) != 0;

    return !init->scanned && children_live() && child_is_sound() &&
           (init->epoch == NULL || *init->epoch == init->epoch_before) &&
           (full_access || sockets_are_masked(init)) && notes_hold(init) && guard_begins(init);
}

/* ---- waiting ---- */

/* The channel to the worker takes the place of that to the supervisor. */
static enum cordon_err go_receive(struct init *init, struct init_go *ret_go)
{
    struct pass pass;

    if (pass_receive(INIT_FD_CHANNEL, ret_go, sizeof(*ret_go), 0, &pass) !=
            (ssize_t)sizeof(*ret_go) ||
        ret_go->magic != INIT_GO_MAGIC || pass.count != 1) {
        return fault_set(&init->fault, CORDON_E_CLOSED, NULL, "the broker is gone");
    }
    init->control = fcntl(INIT_FD_CHANNEL, F_DUPFD_CLOEXEC, INIT_FD_COUNT);
    if (init->control < 0 || dup3(pass.fds[0], INIT_FD_CHANNEL, O_CLOEXEC) < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot take the channel of the command");
    }
    pass_close(&pass);
    return CORDON_OK;
}

enum cordon_err park_wait(struct init *init)
{
    struct init_go go;
    enum cordon_err err = go_receive(init, &go);

    child_drop(init);
    /* Only what was made ahead can be out of date. */
    if (err == CORDON_OK && init->ahead && (go.check == 0 || !is_fresh(init))) {
        init_report(IPC_REPORT_STALE, 0, init);
        _exit(0);
    }
    return err;
}
