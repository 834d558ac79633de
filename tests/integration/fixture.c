/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/host.h"
#include "proto/codec.h"

#define WAIT_MS 10000

/* The jump of CHECK() belongs to the test's own file. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);          \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Exits 77 with the reason where the service would refuse this very process. */
static void skip_if_confined(void)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
        (void)printf("SKIP: this process has no_new_privs set; the service refuses it\n");
        exit(77);
    }
}

int eventually(int (*holds)(const void *context), const void *context)
{
    for (int i = 0; i < 500; i++) {
        if (holds(context)) {
            return 1;
        }
        (void)usleep(10000);
    }
    return 0;
}

int is_gone(const void *pid)
{
    char path[64];
    char state[256] = "";
    const char *at;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", *(const pid_t *)pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return 1;
    }
    at = fgets(state, sizeof(state), file) == NULL ? NULL : strrchr(state, ')');
    (void)fclose(file);
    return at != NULL && (at[2] == 'Z' || at[2] == 'X');
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

/* ---- what a test that failed leaves ---- */

#define LEFT_MAX 8U

static struct broker left[LEFT_MAX]; /* as they were started last; dir "": a free place */
static pid_t left_owner;

static void left_end(struct broker *broker)
{
    if (broker->pid > 0) {
        (void)kill(broker->pid, SIGKILL);
        (void)waitpid(broker->pid, NULL, 0);
    }
    (void)nftw(broker->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    broker->dir[0] = '\0';
}

/* Not of what a test has forked. */
static void left_end_all(void)
{
    for (size_t i = 0; getpid() == left_owner && i < LEFT_MAX; i++) {
        if (left[i].dir[0] != '\0') {
            left_end(&left[i]);
        }
    }
}

/* The place of @dir, or a free one for "". */
static struct broker *left_place(const char *dir)
{
    for (size_t i = 0; i < LEFT_MAX; i++) {
        if (strcmp(left[i].dir, dir) == 0) {
            return &left[i];
        }
    }
    (void)fprintf(stderr, "more brokers at once than the fixture keeps in mind\n");
    exit(1);
}

static void in_dir(const struct broker *broker, const char *name, char ret_path[256])
{
    (void)snprintf(ret_path, 256, "%s%s", broker->dir, name);
}

static void make_dir(struct broker *broker)
{
    static const char *const folders[] = {
        "/r", "/m", "/m/etc", "/m/etc/codex", "/m/etc/cordon", "/m/etc/cordon/requirements.d"};
    char path[256];

    (void)snprintf(broker->dir, sizeof(broker->dir), "/tmp/cordon-int-XXXXXX");
    CHECK(mkdtemp(broker->dir) != NULL);
    if (left_owner == 0) {
        left_owner = getpid();
        CHECK(atexit(left_end_all) == 0);
    }
    *left_place("") = *broker;
    CHECK(chmod(broker->dir, 0755) == 0);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        in_dir(broker, folders[i], path);
        CHECK(mkdir(path, 0755) == 0);
    }
}

static void exec_broker(const struct broker *broker)
{
    char socket[256];
    char managed[256];
    char audit[256];
    char log[256];
    int fd;

    in_dir(broker, "/r/s", socket);
    in_dir(broker, "/m", managed);
    in_dir(broker, "/a", audit);
    in_dir(broker, "/log", log);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    (void)dup2(fd, 2);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)execl(CORDOND_TEST, "cordond-test", "--null", "--socket", socket, "--managed-root",
                managed, "--audit", audit, (char *)NULL);
    _exit(127);
}

static int try_connect(const struct broker *broker)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/r/s", broker->dir);
    if (connect(fd, (const void *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static int is_listening(const void *context)
{
    int fd = try_connect(context);

    host_close(fd);
    return fd >= 0;
}

void broker_start(struct broker *broker)
{
    if (broker->dir[0] == '\0') {
        make_dir(broker);
    }
    broker->pid = fork();
    CHECK(broker->pid >= 0);
    if (broker->pid == 0) {
        exec_broker(broker);
    }
    left_place(broker->dir)->pid = broker->pid;
    CHECK(eventually(is_listening, broker));
}

void broker_begin(struct broker *broker)
{
    skip_if_confined();
    if (broker->pid != 0) {
        (void)kill(broker->pid, SIGKILL);
        (void)waitpid(broker->pid, NULL, 0);
        broker_remove(broker);
    }
    broker_start(broker);
}

void broker_stop(struct broker *broker)
{
    int status = -1;

    CHECK(kill(broker->pid, SIGTERM) == 0);
    CHECK(waitpid(broker->pid, &status, 0) == broker->pid);
    broker->pid = left_place(broker->dir)->pid = 0;
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void broker_remove(struct broker *broker)
{
    struct broker *place = left_place(broker->dir);

    place->pid = 0;
    left_end(place);
    broker->dir[0] = '\0';
}

void broker_end(struct broker *broker)
{
    broker_stop(broker);
    broker_remove(broker);
}

void broker_managed(const struct broker *broker, const char *path, const char *text)
{
    char full[512];
    char fresh[520];
    int fd;

    (void)snprintf(full, sizeof(full), "%s/m%s", broker->dir, path);
    (void)snprintf(fresh, sizeof(fresh), "%s.new", full);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(fd) == 0 && rename(fresh, full) == 0);
}

int broker_fds(const struct broker *broker)
{
    char path[64];
    int count = 0;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", broker->pid);
    dir = opendir(path);
    if (dir == NULL && geteuid() != 0) {
        return 0; /* a broker is closed to its own user too: only root may count */
    }
    CHECK(dir != NULL);
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

static bool is_named(pid_t pid, const char *name)
{
    char path[64];
    char comm[32] = "";
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(comm, sizeof(comm), file) == NULL) {
            comm[0] = '\0';
        }
        (void)fclose(file);
    }
    return strncmp(comm, name, strlen(name)) == 0 && !is_gone(&pid);
}

pid_t broker_child(const struct broker *broker, const char *name)
{
    char path[64];
    FILE *file;
    int pid = 0;
    int found = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", broker->pid, broker->pid);
    file = fopen(path, "re");
    while (file != NULL && found == 0 && fscanf(file, "%d", &pid) == 1) {
        found = is_named(pid, name) ? pid : 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

char *broker_text(const struct broker *broker, const char *name)
{
    char *text = calloc(1, 1 << 20);
    char path[256];
    FILE *file;

    in_dir(broker, name, path);
    file = fopen(path, "re");
    CHECK(text != NULL && file != NULL);
    (void)!fread(text, 1, (1 << 20) - 1, file);
    (void)fclose(file);
    return text;
}

char *broker_audit(const struct broker *broker)
{
    return broker_text(broker, "/a");
}

static void close_fd(void *context, int fd)
{
    (void)context;
    (void)close(fd);
}

void client_adopt(int fd, struct client *ret_client)
{
    const struct stream_config config = {FRAME_TO_CLIENT, 64U * 1024U * 1024U, close_fd, NULL};

    ret_client->fd = fd;
    stream_init(&ret_client->stream, &config);
    arena_init(&ret_client->arena, MSG_ARENA_MAX);
}

void client_connect(const struct broker *broker, struct client *ret_client)
{
    int fd = try_connect(broker);

    CHECK(fd >= 0);
    client_adopt(fd, ret_client);
}

void client_close(struct client *client)
{
    (void)close(client->fd);
    stream_deinit(&client->stream);
    arena_deinit(&client->arena);
}

void client_open(const struct broker *broker, struct client *ret_client)
{
    const struct message hello = {.type = CORDON_MSG_HELLO, .u.hello = {1, 1, "test"}};
    struct stream_message in;

    client_connect(broker, ret_client);
    client_send(ret_client, 1, &hello, NULL, 0);
    CHECK(client_receive(ret_client, WAIT_MS, &in) == CORDON_MSG_WELCOME);
    CHECK(in.message.u.welcome.mode == MSG_BROKER_SERVICE);
}

void client_send(struct client *client, uint32_t id, const struct message *message, const int *fds,
                 size_t fd_count)
{
    struct stream_pending pending;
    struct stream_fds out;
    int copies[8];

    CHECK(fd_count <= 8);
    for (size_t i = 0; i < fd_count; i++) {
        copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
    }
    out = (struct stream_fds){copies, fd_count};
    CHECK(stream_send(&client->stream, id, message, fd_count > 0 ? &out : NULL, NULL) == CORDON_OK);
    while (stream_pending(&client->stream, &pending)) {
        size_t sent = 0;
        enum cordon_err err =
            host_send(client->fd, pending.data, pending.len, pending.fds, pending.fd_count, &sent);

        if (err == CORDON_E_AGAIN) {
            (void)usleep(1000);
            continue;
        }
        if (err != CORDON_OK) {
            return; /* the reading side will say why */
        }
        stream_sent(&client->stream, sent);
    }
}

uint32_t client_receive(struct client *client, int timeout_ms, struct stream_message *ret_in)
{
    char buffer[16384];
    int fds[64];

    for (;;) {
        struct pollfd ready = {.fd = client->fd, .events = POLLIN};
        struct host_chunk got;
        struct stream_chunk chunk;
        enum cordon_err err = stream_receive(&client->stream, &client->arena, ret_in, NULL);

        if (err == CORDON_OK) {
            return ret_in->message.type;
        }
        CHECK(err == CORDON_E_AGAIN);
        CHECK(poll(&ready, 1, timeout_ms) == 1);
        err = host_recv(client->fd, buffer, sizeof(buffer), fds, 64, &got);
        if (err == CORDON_E_AGAIN) {
            continue;
        }
        if (err != CORDON_OK) {
            return 0;
        }
        chunk = (struct stream_chunk){buffer, got.len, fds, got.fd_count, got.fds_truncated};
        CHECK(stream_feed(&client->stream, &chunk, NULL) == CORDON_OK);
    }
}

void client_spawn(struct client *client, uint32_t id, const char *script, int out)
{
    static char shell[] = "/bin/sh";
    static char option[] = "-c";
    static char path[] = "PATH=/usr/bin:/bin";
    char *text = strdup(script);
    char *const argv[] = {shell, option, text, NULL};
    char *const env[] = {path, NULL};
    struct message message = {.type = CORDON_MSG_SPAWN};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int cwd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int fds[] = {cwd, null, out < 0 ? null : out, null};

    CHECK(text != NULL);
    message.u.spawn.argv = (struct msg_list){argv, 3};
    message.u.spawn.env = (struct msg_list){env, 1};
    client_send(client, id, &message, fds, 4);
    (void)close(null);
    (void)close(cwd);
    free(text);
}

uint32_t client_wait(struct client *client, uint32_t id, struct stream_message *ret_in)
{
    uint32_t type;

    do {
        type = client_receive(client, WAIT_MS, ret_in);
    } while (type != 0 &&
             (ret_in->id != id || (type != CORDON_MSG_EXITED && type != CORDON_MSG_FAILED)));
    return type;
}

uint32_t client_run(struct client *client, const char *script, char *ret_text, size_t size)
{
    static uint32_t id = 1000;
    struct stream_message in;
    uint32_t type;
    size_t used = 0;
    ssize_t len = 1;
    int pair[2];

    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    client_spawn(client, ++id, script, pair[1]);
    (void)close(pair[1]);
    type = client_wait(client, id, &in);
    while (ret_text != NULL && len > 0 && used < size - 1) {
        len = read(pair[0], ret_text + used, size - 1 - used);
        used += len > 0 ? (size_t)len : 0;
    }
    if (ret_text != NULL) {
        ret_text[used] = '\0';
    }
    (void)close(pair[0]);
    CHECK(type != 0);
    if (type == CORDON_MSG_FAILED) {
        return in.message.u.failed.exit_status;
    }
    return in.message.u.exited.kind == MSG_EXIT_SIGNALLED ? 128 + in.message.u.exited.code
                                                          : in.message.u.exited.code;
}

void client_report(struct client *client, enum msg_report report, char *ret_text, size_t size)
{
    const struct message status = {.type = CORDON_MSG_STATUS,
                                   .u.status = {.report = report, .json = true}};
    struct stream_message in;

    client_send(client, 900, &status, NULL, 0);
    CHECK(client_receive(client, WAIT_MS, &in) == CORDON_MSG_STATUS_TEXT);
    (void)snprintf(ret_text, size, "%s", in.message.u.status_text.text);
}
