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
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"

struct park_note {
    char *path;
    uint32_t set; /* enum order_set: with whose rights it is looked up */
    bool follow;
    int code; /* errno; 0: it is there */
    struct sys_place place;
};

enum cordon_err park_begin(struct init *init)
{
    struct pollfd channel = {.fd = INIT_FD_CHANNEL, .events = POLLIN};

    init->ahead = poll(&channel, 1, 0) == 0;
    return CORDON_OK;
}

/* ---- what was found ---- */

enum cordon_err park_note(struct init *init, uint32_t set, const char *path, bool follow)
{
    struct park_note *note;

    if (!init->ahead) {
        return CORDON_OK;
    }
    if ((init->note_count & (init->note_count - 1)) == 0) {
        const size_t room = init->note_count == 0 ? 1 : init->note_count * 2;
        struct park_note *grown = realloc(init->notes, room * sizeof(*grown));

        if (grown == NULL) {
            return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory");
        }
        init->notes = grown;
    }
    note = &init->notes[init->note_count];
    memset(note, 0, sizeof(*note));
    note->path = strdup(path);
    if (note->path == NULL) {
        return fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    note->set = set;
    note->follow = follow;
    init->note_count++;
    return CORDON_OK;
}

static void look_at(struct park_note *note)
{
    const unsigned flags = AT_NO_AUTOMOUNT | (note->follow ? 0U : (unsigned)AT_SYMLINK_NOFOLLOW);

    note->code = sys_place_at(note->path, flags, &note->place) == 0 ? 0 : errno;
}

/* As the set-up does: what is managed is looked up for root where the caller may not. */
static void look(const struct init *init, struct park_note *note)
{
    look_at(note);
    if (note->code == EACCES && note->set == ORDER_SET_MANAGED) {
        identity_as_setup(init);
        look_at(note);
        identity_as_caller(init);
    }
}

static bool is_same(const struct park_note *a, const struct park_note *b)
{
    return a->code == b->code &&
           (a->code != 0 ||
            (a->place.ino == b->place.ino && a->place.dev_major == b->place.dev_major &&
             a->place.dev_minor == b->place.dev_minor && a->place.mode == b->place.mode &&
             a->place.mount_id == b->place.mount_id));
}

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
            err = park_note(init, steps[i].set, path, follow);
        }
    }
    identity_as_caller(init);
    for (size_t i = 0; i < init->note_count; i++) {
        look(init, &init->notes[i]);
    }
    identity_as_setup(init);
    return err;
}

static bool notes_hold(const struct init *init)
{
    bool hold = true;

    identity_as_caller(init);
    for (size_t i = 0; hold && i < init->note_count; i++) {
        struct park_note now = init->notes[i];

        look(init, &now);
        hold = is_same(&now, &init->notes[i]);
    }
    identity_as_setup(init);
    return hold;
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

    return init->ahead && !init->scanned && children_live() &&
           (full_access || sockets_are_masked(init)) && notes_hold(init);
}

/* ---- waiting ---- */

/* The channel to the worker takes the place of that to the supervisor. */
static enum cordon_err go_receive(struct init *init, struct init_go *ret_go)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {ret_go, sizeof(*ret_go)};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control.space)};
    int channel;
    ssize_t len;

    do {
        len = recvmsg(INIT_FD_CHANNEL, &msg, MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    if (len != (ssize_t)sizeof(*ret_go) || ret_go->magic != INIT_GO_MAGIC ||
        control_fds(&msg, &channel, 1) != 1) {
        return fault_set(&init->fault, CORDON_E_CLOSED, NULL, "the broker is gone");
    }
    if (dup3(channel, INIT_FD_CHANNEL, O_CLOEXEC) < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot take the channel of the command");
    }
    (void)close(channel);
    return CORDON_OK;
}

enum cordon_err park_wait(struct init *init)
{
    struct init_go go;
    enum cordon_err err = go_receive(init, &go);

    if (err == CORDON_OK && go.check != 0 && !is_fresh(init)) {
        init_report(IPC_REPORT_STALE, 0, init);
        _exit(0);
    }
    return err;
}
