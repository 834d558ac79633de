/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ID-23: stands in for cordon-worker and sends the supervisor orders that no
 * worker of ours would make. Each order that is accepted gets a command that
 * looks for a gain. HOME/hostile/log has one line a row:
 *   NAME: refused (TEXT) | died | ran STATUS, then what the command printed
 */
#include "hostile_worker.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/identity.h"
#include "platform/platform.h"

#define CHANNEL 3
#define ANSWER_MS 5000

/* Prints one word for each thing gained; the script judges them. */
static const char command[] =
    "cd /; cat \"$H/secret.txt\" 2>/dev/null && echo GAIN-secret;"
    "cat \"$H/vault/inner.txt\" 2>/dev/null && echo GAIN-vault;"
    "t=$(head -n1 /etc/passwd 2>/dev/null);" /* a job that hides it from itself gains nothing */
    "case $t in ''|root:x:0:0*) ;; *) echo GAIN-target;; esac;"
    "[ \"$(id -u)\" = 0 ] && echo GAIN-root;"
    "touch /etc/cordon-evil 2>/dev/null && echo GAIN-etc;"
    "touch \"$H/hostile/written\" 2>/dev/null && echo wrote-home;"
    "grep -q 'NoNewPrivs:.1' /proc/self/status || echo GAIN-privileges;"
    "grep -q 'CapEff:.0000000000000000' /proc/self/status || echo GAIN-capabilities;"
    "grep -q 'Seccomp:.2' /proc/self/status || echo GAIN-calls;"
    "[ $$ -lt 100 ] || echo GAIN-pids; echo looked";

static FILE *log_file;
static uint64_t generation; /* of the managed policy, as the supervisor said */
static uint32_t session;    /* the caller's that woke us */

static void take_generation(const struct ipc_packet *packet)
{
    struct ipc_managed_head head;

    if (packet->fd_count == 1 && pread(packet->fds[0], &head, sizeof(head), 0) == sizeof(head)) {
        generation = head.generation;
    }
}

/* As the real one does before it is its caller's, who takes it over then. */
static bool become(void)
{
    static struct ipc_packet packet;
    struct pollfd wait = {.fd = CHANNEL, .events = POLLIN};

    return poll(&wait, 1, -1) == 1 && ipc_recv(CHANNEL, &packet) == CORDON_OK &&
           packet.message.type == IPC_IDENTITY && packet.fd_count == 1 &&
           identity_take(packet.fds[0]) == CORDON_OK && getuid() != 0;
}

static bool answer(uint16_t wanted_a, uint16_t wanted_b, struct ipc_packet *ret)
{
    struct pollfd wait = {.fd = CHANNEL, .events = POLLIN};

    while (poll(&wait, 1, ANSWER_MS) == 1) {
        enum cordon_err err = ipc_recv(CHANNEL, ret);

        if (err == CORDON_E_AGAIN) {
            continue;
        }
        if (err != CORDON_OK) {
            return false;
        }
        if (ret->message.type == IPC_MANAGED) {
            take_generation(ret);
        }
        ipc_packet_close(ret);
        if (ret->message.type == wanted_a || ret->message.type == wanted_b) {
            return true;
        }
    }
    return false;
}

/* argv and environment as NUL-terminated strings in a memfd, then one stream: the log. */
static bool send_command(int channel, const char *home)
{
    char text[4096];
    struct channel_command head = {.magic = CHANNEL_MAGIC, .argc = 3, .envc = 2, .stdio_mask = 2};
    struct iovec part = {.iov_base = &head, .iov_len = sizeof(head)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {.head = {.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(2 * sizeof(int))}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    struct cordon_fault fault;
    int fds[2] = {-1, fileno(log_file)};
    int len = snprintf(text, sizeof(text), "/bin/sh%c-c%c%s%cPATH=/usr/bin:/bin%cH=%s%c", 0, 0,
                       command, 0, 0, home, 0);

    head.strings_len = (uint32_t)len;
    if (ipc_memfd("strings", text, (size_t)len, &fds[0], &fault) != CORDON_OK) {
        return false;
    }
    memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
    return sendmsg(channel, &message, MSG_NOSIGNAL) > 0;
}

static void try_order(size_t index, struct hostile *order, const char *home)
{
    struct ipc_message message = {.magic = IPC_MAGIC,
                                  .version = IPC_VERSION,
                                  .type = IPC_SPAWN,
                                  .session = session,
                                  .request = (uint32_t)index + 1};
    static struct ipc_packet packet;
    int channel[2];

    message.u.spawn.argc = 1;
    message.u.spawn.generation = generation;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) {
        exit(70);
    }
    order->fds[IPC_SPAWN_CHANNEL] = channel[1];
    if (ipc_send(CHANNEL, &message, order->fds, order->fd_count) != CORDON_OK ||
        !answer(IPC_STARTED, IPC_REFUSED, &packet)) {
        (void)fprintf(log_file, "%s: no answer\n", order->name);
        return;
    }
    if (packet.message.type == IPC_REFUSED) {
        (void)fprintf(log_file, "%s: refused (%s)\n", order->name, packet.message.u.fault.text);
    } else {
        (void)send_command(channel[0], home);
        do {
            if (!answer(IPC_REPORT, IPC_REPORT, &packet)) {
                (void)fprintf(log_file, "%s: no report\n", order->name);
                return;
            }
        } while (packet.message.u.report.kind == IPC_REPORT_RUNNING);
        (void)fprintf(log_file, "%s: %s kind %u code %u (%s)\n", order->name,
                      order->harmless ? "ran" : "RAN", packet.message.u.report.kind,
                      packet.message.u.report.code, packet.message.u.report.fault.text);
    }
    (void)close(channel[0]);
}

/* What only its caller could ask for, and nothing more. */
static void try_query(const char *name, const struct ipc_query *query, uint64_t job)
{
    struct ipc_message message = {.magic = IPC_MAGIC,
                                  .version = IPC_VERSION,
                                  .type = IPC_QUERY,
                                  .session = session,
                                  .request = 9000,
                                  .job = job};
    static struct ipc_packet packet;

    message.u.query = *query;
    if (ipc_send(CHANNEL, &message, NULL, 0) != CORDON_OK ||
        !answer(IPC_ANSWER, IPC_ANSWER, &packet)) {
        (void)fprintf(log_file, "%s: no answer\n", name);
        return;
    }
    (void)fprintf(log_file, "%s: %s (%s)\n", name,
                  packet.message.u.fault.err == CORDON_OK ? "GAIN" : "refused",
                  packet.message.u.fault.text);
}

static void try_queries(void)
{
    static const struct {
        const char *name;
        struct ipc_query query;
        uint64_t job;
    } rows[] = {
        {"query: reload", {IPC_QUERY_RELOAD, 0}, 0},
        {"query: an unknown question", {IPC_QUERY_COUNT, 0}, 0},
        {"query: a question far out of range", {UINT32_MAX, 0}, 0},
        {"query: kill no job", {IPC_QUERY_KILL, 9}, 0},
        {"query: kill a job to come", {IPC_QUERY_KILL, 9}, 1U << 30},
        {"query: kill a job of all ones", {IPC_QUERY_KILL, UINT32_MAX}, UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        try_query(rows[i].name, &rows[i].query, rows[i].job);
    }
}

int main(void)
{
    static struct ipc_packet packet;
    const struct passwd *user = become() ? getpwuid(getuid()) : NULL;
    static struct hostile order;
    char path[PATH_MAX];

    if (user == NULL) {
        return 70;
    }
    (void)snprintf(path, sizeof(path), "%s/hostile/log", user->pw_dir);
    log_file = fopen(path, "ae");
    if (log_file == NULL || !answer(IPC_SESSION, IPC_SESSION, &packet)) {
        return 70;
    }
    (void)setvbuf(log_file, NULL, _IONBF, 0);
    session = packet.message.session;
    for (size_t i = 0; hostile_order(i, user->pw_dir, &order); i++) {
        try_order(i, &order, user->pw_dir);
        for (size_t n = 0; n < order.fd_count; n++) {
            (void)close(order.fds[n]);
        }
    }
    try_queries();
    (void)fprintf(log_file, "done\n");
    return 0;
}
