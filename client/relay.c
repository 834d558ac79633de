/* SPDX-License-Identifier: Apache-2.0 */
#include "client/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "client/lib.h"
#include "client/output.h"
#include "client/signals.h"

#define LINES_MAX ((size_t)1024U * 1024U) /* kept for the end; what is over is counted */
#define BACKGROUND_MS 100                 /* between looks at who has the terminal */
#define DRAIN_MS 500                      /* for the last output of a job that has ended */

enum { POLL_JOB, POLL_SIGNALS, POLL_PTY, POLL_INPUT, POLL_COUNT };

struct relay {
    struct cordon_job *job;
    struct tty *tty;
    bool json, ended;
    int signals;
    int pty;          /* of the job; -1 */
    bool input_ended; /* the terminal has nothing more */
    char typed[4096]; /* read from the terminal, not yet taken by the pty */
    size_t typed_len;
    struct relay_result *result;
};

static void on_started(struct relay *relay, const struct cordon_event *event)
{
    int flags;

    /* Held back until the end: the command writes to the same stream meanwhile. */
    for (size_t i = 0; event->notices[i] != NULL; i++) {
        output_notice(event->notices[i], relay->json, &relay->result->lines);
    }
    relay->pty = cordon_job_pty(relay->job);
    if (relay->pty < 0) {
        return;
    }
    /* The master is ours alone, so the flag is nobody else's surprise. */
    flags = fcntl(relay->pty, F_GETFL);
    (void)fcntl(relay->pty, F_SETFL, flags | O_NONBLOCK);
    tty_raw(relay->tty);
    tty_copy_size(relay->tty, relay->pty);
}

/* Takes every event that has come. */
static int on_job(struct relay *relay, struct cordon_error *ret_error)
{
    for (;;) {
        struct cordon_event event;
        int status = cordon_job_wait(relay->job, 0, &event, ret_error);

        if (status != 0) {
            return status == CORDON_NOTHING_YET ? 0 : status;
        }
        switch (event.kind) {
        case CORDON_EVENT_STARTED:
            on_started(relay, &event);
            break;
        case CORDON_EVENT_VIOLATION:
            if (relay->result->lines.len < LINES_MAX) {
                output_violation(&event, relay->json, &relay->result->lines);
                relay->result->told++;
            }
            break;
        case CORDON_EVENT_TOLD: /* of cordon_violations() */
            break;
        case CORDON_EVENT_ENDED:
            relay->result->end = event;
            relay->ended = true;
            return 0;
        }
    }
}

static void on_continue(struct relay *relay)
{
    (void)cordon_job_signal(relay->job, SIGCONT, NULL);
    if (relay->pty >= 0) {
        tty_raw(relay->tty);
        tty_copy_size(relay->tty, relay->pty);
    }
}

/* The job's init makes a stop of it; @typed: others of our group were meant, too. */
static void on_stop(struct relay *relay, bool typed)
{
    (void)cordon_job_signal(relay->job, SIGTSTP, NULL);
    tty_restore(relay->tty);
    signals_stop_self(typed);
    on_continue(relay);
}

static void on_signal(struct relay *relay, int signo)
{
    if (signo == SIGTSTP) {
        on_stop(relay, false);
    } else if (signo == SIGCONT) {
        on_continue(relay);
    } else if (signo == SIGWINCH && relay->pty >= 0) {
        tty_copy_size(relay->tty, relay->pty);
    } else {
        /* A broker that is gone shows at the next read. */
        (void)cordon_job_signal(relay->job, signo, NULL);
    }
}

static void on_signals(struct relay *relay)
{
    unsigned char caught[64];
    ssize_t n = read(relay->signals, caught, sizeof(caught));

    for (ssize_t i = 0; i < n; i++) {
        on_signal(relay, caught[i]);
    }
}

/* False when the pty has no more, now or ever; then it is not polled again. */
static bool copy_output(struct relay *relay)
{
    char data[8192];
    ssize_t n = read(relay->pty, data, sizeof(data));

    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    for (ssize_t done = 0; done < n;) {
        ssize_t w = write(relay->tty->out, data + done, (size_t)(n - done));

        if (w < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = relay->tty->out, .events = POLLOUT};

            (void)poll(&room, 1, -1);
        } else if (w < 0 && errno != EINTR) {
            return true; /* a terminal that is gone: the job runs on, its output is lost */
        }
        done += w > 0 ? w : 0;
    }
    return true;
}

static void drop_typed(struct relay *relay, size_t len)
{
    relay->typed_len -= len;
    memmove(relay->typed, relay->typed + len, relay->typed_len);
}

static void write_typed(struct relay *relay)
{
    ssize_t n = write(relay->pty, relay->typed, relay->typed_len);

    if (n > 0) {
        drop_typed(relay, (size_t)n);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        relay->typed_len = 0;
    }
}

/*
 * The job's terminal cannot stop the command: its process group is orphaned in
 * a session of its own. Like a terminal does, the key takes with it what was
 * typed before.
 */
static void suspend_key(struct relay *relay)
{
    size_t at = tty_suspend_key(relay->pty, relay->typed, relay->typed_len);

    if (at < relay->typed_len) {
        drop_typed(relay, at + 1);
        on_stop(relay, true);
    }
}

static void read_typed(struct relay *relay)
{
    ssize_t n = read(relay->tty->in, relay->typed, sizeof(relay->typed));

    if (n > 0) {
        relay->typed_len = (size_t)n;
        suspend_key(relay);
        write_typed(relay);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        relay->input_ended = true;
    }
}

/* A shell's `fg` of what runs in the background comes without a signal. */
static bool in_background(const struct relay *relay)
{
    return relay->pty >= 0 && relay->tty->in >= 0 && !relay->tty->raw;
}

static int step(struct relay *relay, struct cordon_error *ret_error)
{
    struct pollfd fds[POLL_COUNT] = {
        [POLL_JOB] = {.fd = cordon_job_fd(relay->job), .events = POLLIN},
        [POLL_SIGNALS] = {.fd = relay->signals, .events = POLLIN},
        [POLL_PTY] = {.fd = relay->pty, .events = POLLIN},
        [POLL_INPUT] = {.fd = -1, .events = POLLIN},
    };

    if (relay->typed_len > 0) {
        fds[POLL_PTY].events |= POLLOUT;
    } else if (relay->pty >= 0 && relay->tty->raw && !relay->input_ended) {
        fds[POLL_INPUT].fd = relay->tty->in;
    }
    if (poll(fds, POLL_COUNT, in_background(relay) ? BACKGROUND_MS : -1) < 0) {
        return 0;
    }
    if (in_background(relay) && tty_foreground(relay->tty)) {
        tty_raw(relay->tty);
        tty_copy_size(relay->tty, relay->pty);
    }
    if (fds[POLL_SIGNALS].revents != 0) {
        on_signals(relay);
    }
    if ((fds[POLL_PTY].revents & POLLOUT) != 0) {
        write_typed(relay);
    }
    if ((fds[POLL_PTY].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !copy_output(relay)) {
        relay->pty = -1;
    }
    if (fds[POLL_INPUT].revents != 0) {
        read_typed(relay);
    }
    return fds[POLL_JOB].revents != 0 ? on_job(relay, ret_error) : 0;
}

/* Nobody has the other end any more, so this ends by itself; the time is a net. */
static void drain(struct relay *relay)
{
    struct pollfd fd = {.fd = relay->pty, .events = POLLIN};

    while (relay->pty >= 0 && poll(&fd, 1, DRAIN_MS) > 0 && copy_output(relay)) {
    }
}

int relay_run(struct cordon_job *job, struct tty *tty, bool json, struct relay_result *ret_result,
              struct cordon_error *ret_error)
{
    struct relay relay = {.job = job, .tty = tty, .json = json, .pty = -1, .result = ret_result};
    struct cordon_fault fault = {0};
    int status = 0;

    memset(ret_result, 0, sizeof(*ret_result));
    if (signals_catch(tty, &relay.signals, &fault) != CORDON_OK) {
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    while (status == 0 && !relay.ended) {
        status = step(&relay, ret_error);
    }
    drain(&relay);
    tty_restore(tty);
    return status;
}
