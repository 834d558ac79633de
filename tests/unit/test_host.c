/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/host.h"
#include "tests/support/check.h"

static const char answer[] = "/home/a\0a\0users\0dev\0";

TEST(an_answer_of_the_lookup_is_taken_apart)
{
    struct host_user user;
    struct arena arena;

    arena_init(&arena, HOST_USER_BYTES_MAX);
    CHECK(host_user_parse(answer, sizeof(answer) - 1, &arena, &user) == CORDON_OK);
    CHECK_STR(user.home, "/home/a");
    CHECK_STR(user.user, "a");
    CHECK(user.group_count == 2);
    CHECK_STR(user.groups[1], "dev");
    arena_deinit(&arena);
}

TEST(a_cut_answer_is_refused_at_every_length)
{
    for (size_t len = 0; len < sizeof(answer) - 1; len++) {
        struct host_user user;
        struct arena arena;
        const bool whole = len > 8 && answer[len - 1] == '\0';

        arena_init(&arena, HOST_USER_BYTES_MAX);
        CHECK((host_user_parse(answer, len, &arena, &user) == CORDON_OK) == whole);
        arena_deinit(&arena);
    }
}

TEST(a_user_without_home_or_name_is_no_error)
{
    struct host_user user;
    struct arena arena;

    arena_init(&arena, HOST_USER_BYTES_MAX);
    CHECK(host_user_parse("\0\0", 2, &arena, &user) == CORDON_OK);
    CHECK(user.home[0] == '\0' && user.user[0] == '\0' && user.group_count == 0);
    arena_deinit(&arena);
}

/* ---- the user database, by its files ---- */

static void file_write(const char *root, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/etc/%s", root, name);
    file = fopen(path, "we");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static bool lookup(const char *root, const char *uid, const char *gid, struct strbuf *out)
{
    char *words[] = {(char *)(uintptr_t)uid, (char *)(uintptr_t)gid, NULL};

    out->len = 0;
    return host_lookup_files(words, root, out);
}

static void database_make(char *root)
{
    char path[128];

    CHECK(mkdtemp(root) != NULL);
    (void)snprintf(path, sizeof(path), "%s/etc", root);
    CHECK(mkdir(path, 0700) == 0);
    file_write(root, "nsswitch.conf", "# x\npasswd:\tfiles systemd\ngroup: files\n");
    file_write(root, "passwd",
               "root:x:0:0::/root:/bin/sh\n# no line\na:x:7:8:A:/home/a:\n"
               "again:x:7:8::/home/b:\nbare:x:9:8::relative:\n");
    file_write(root, "group", "root:x:0:\nusers:x:8:a,bare\n");
}

static void database_remove(const char *root)
{
    static const char *const names[] = {"etc/nsswitch.conf", "etc/passwd", "etc/group", "etc", ""};
    char path[128];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root, names[i]);
        CHECK(remove(path) == 0);
    }
}

TEST(the_user_database_is_asked_without_a_helper_where_files_decide)
{
    char root[] = "/tmp/cordon-test-XXXXXX";
    struct strbuf out = STRBUF_INIT;

    database_make(root);
    CHECK(lookup(root, "7", "8", &out));
    CHECK(out.len == 16 && memcmp(out.data, "/home/a\0a\0users", 16) == 0);
    CHECK(lookup(root, "9", "0", &out));
    CHECK(out.len == 11 && memcmp(out.data, "\0bare\0root", 11) == 0);
    /* What the files do not know another service may. */
    CHECK(!lookup(root, "6", "8", &out) && !lookup(root, "7", "9", &out));
    strbuf_deinit(&out);
    database_remove(root);
}

TEST(another_service_or_another_order_is_the_helpers_business)
{
    static const char *const orders[] = {
        "passwd: sss files\ngroup: files\n",
        "passwd: files\ngroup: sss files\n",
        "passwd: files\n",
        "passwd: files [SUCCESS=continue] sss\ngroup: files\n",
        "passwd: files\ngroup: files [SUCCESS=continue] sss\n",
        "passwd: filesystem\ngroup: files\n",
        "passwd: files [SUCCESS=merge] sss\ngroup: files\n",
        "passwd: files\ngroup: files\n  passwd: sss files\n",
        "passwd: files\ngroup: files\ngroup sss files\n",
        "passwd files\ngroup: files\n",
        "passwd_compat: files\ngroup: files\n",
        "passwd: compat\ngroup: files\n",
        "",
    };
    char root[] = "/tmp/cordon-test-XXXXXX";
    struct strbuf out = STRBUF_INIT;

    database_make(root);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        file_write(root, "nsswitch.conf", orders[i]);
        CHECK(!lookup(root, "7", "8", &out));
    }
    file_write(root, "nsswitch.conf", "passwd:files\ngroup:files\n");
    CHECK(lookup(root, "7", "8", &out));
    file_write(root, "nsswitch.conf", "passwd: files sss\ngroup: files [SUCCESS=merge] sss\n");
    CHECK(lookup(root, "7", "8", &out));
    file_write(root, "passwd", "+other:x:7:8::/home/o:\na:x:7:8:A:/home/a:\n");
    CHECK(!lookup(root, "7", "8", &out));
    strbuf_deinit(&out);
    database_remove(root);
}

TEST(a_large_database_is_the_helpers_business)
{
    char root[] = "/tmp/cordon-test-XXXXXX";
    struct strbuf text = STRBUF_INIT;
    struct strbuf out = STRBUF_INIT;

    database_make(root);
    strbuf_puts(&text, "a:x:7:8:A:/home/a:\n");
    for (int i = 0; i < 4000; i++) {
        strbuf_puts(&text, "b:x:10:8::/home/b:\n");
    }
    file_write(root, "passwd", strbuf_text(&text));
    CHECK(!lookup(root, "7", "8", &out));
    strbuf_deinit(&text);
    strbuf_deinit(&out);
    database_remove(root);
}

TEST(only_regular_files_of_bounded_size_are_read)
{
    static const struct {
        const char *path;
        enum cordon_err err;
    } rows[] = {{"/nonexistent/x", CORDON_E_NOT_FOUND},
                {"/dev/null/x", CORDON_E_NOT_FOUND},
                {"/", CORDON_E_DENIED},
                {"/dev/null", CORDON_E_DENIED},
                {"/proc/self/exe", CORDON_E_LIMIT}};
    const char *text = NULL;
    struct arena arena;
    size_t len = 0;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(host_read_file(rows[i].path, 100, &arena, &text, &len, NULL) == rows[i].err);
    }
    CHECK(text == NULL);
    arena_deinit(&arena);
}

TEST(a_fifo_as_a_file_neither_blocks_nor_reads)
{
    char path[] = "/tmp/cordon-test-XXXXXX";
    char fifo[64];
    const char *text;
    struct arena arena;
    size_t len;

    CHECK(mkdtemp(path) != NULL);
    (void)snprintf(fifo, sizeof(fifo), "%s/fifo", path);
    CHECK(mkfifo(fifo, 0600) == 0);
    arena_init(&arena, 4096);
    CHECK(host_read_file(fifo, 100, &arena, &text, &len, NULL) == CORDON_E_DENIED);
    arena_deinit(&arena);
    CHECK(unlink(fifo) == 0 && rmdir(path) == 0);
}

TEST(a_directory_is_no_standard_stream)
{
    int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    CHECK(host_check_stream(dir, NULL) == CORDON_E_DENIED);
    CHECK(host_check_stream(null, NULL) == CORDON_OK);
    (void)close(dir);
    (void)close(null);
}

TEST(a_removed_working_directory_has_no_name)
{
    char path[] = "/tmp/cordon-test-XXXXXX";
    const char *name = NULL;
    struct arena arena;
    int fd;

    arena_init(&arena, 16384);
    CHECK(mkdtemp(path) != NULL);
    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(host_directory_name(fd, &arena, &name, NULL) == CORDON_OK);
    CHECK_STR(name, path);
    CHECK(rmdir(path) == 0);
    CHECK(host_directory_name(fd, &arena, &name, NULL) == CORDON_E_NOT_FOUND);
    (void)close(fd);
    fd = open("/dev/null", O_PATH | O_CLOEXEC);
    CHECK(host_directory_name(fd, &arena, &name, NULL) == CORDON_E_INVALID);
    (void)close(fd);
    arena_deinit(&arena);
}

static char program[] = "/bin/sh";

#define CLEAN                                                                                      \
    "GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.trim_threshold=16777216\nLANG=C.UTF-" \
    "8\nPATH=/usr/local/bin:/usr/bin:/"                                                            \
    "bin\n"

TEST(a_child_gets_a_clean_environment_and_no_descriptor)
{
    static char dash_c[] = "-c";
    static char script[] = "env | sort | grep -v ^_ | grep -v ^PWD; ls /proc/self/fd | wc -l";
    char *const argv[] = {program, dash_c, script, NULL};
    struct host_start start = {.program = program, .argv = argv, .channel = -1};
    struct host_child child;
    char text[256] = "";
    char how[64];
    size_t used = 0;
    size_t len;
    int pipe[2];

    CHECK(host_pipe(pipe, NULL) == CORDON_OK);
    start.output = pipe[1];
    CHECK(host_start(&start, &child, NULL) == CORDON_OK);
    host_close(pipe[1]);
    for (enum cordon_err err = CORDON_OK; err != CORDON_E_CLOSED;) {
        err = host_read(pipe[0], text + used, sizeof(text) - 1 - used, &len);
        used += err == CORDON_OK ? len : 0;
        (void)usleep(1000);
    }
    /* 0, 1, 2 and the one that ls itself opened */
    CHECK_STR(text, CLEAN "4\n");
    while (host_child_reap(&child, how, sizeof(how)) == CORDON_E_AGAIN) {
        (void)usleep(1000);
    }
    CHECK_STR(how, "exited with 0");
    /* It may still be watched. */
    CHECK(child.pid == 0 && fcntl(child.pidfd, F_GETFD) >= 0);
    CHECK(host_child_reap(&child, how, sizeof(how)) == CORDON_E_AGAIN);
    host_child_deinit(&child);
    host_close(pipe[0]);
}

TEST(a_program_that_is_not_there_is_told_by_its_end)
{
    static char missing[] = "/nonexistent/program";
    char *const argv[] = {missing, NULL};
    const struct host_start start = {.program = missing, .argv = argv, .channel = -1, .output = -1};
    struct host_child child;
    char how[64];

    CHECK(host_start(&start, &child, NULL) == CORDON_OK);
    while (host_child_reap(&child, how, sizeof(how)) == CORDON_E_AGAIN) {
        (void)usleep(1000);
    }
    CHECK_STR(how, "could not be started (exec)");
    host_child_deinit(&child);
}

TEST(a_file_is_replaced_in_one_step_whatever_the_umask)
{
    char dir[] = "/tmp/cordon-test-XXXXXX";
    struct cordon_fault fault = {.err = CORDON_OK};
    const mode_t mask = umask(0077);
    struct stat st;
    char text[8] = "";
    int dir_fd;
    int old;
    int fd;

    CHECK(mkdtemp(dir) != NULL);
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(host_replace(dir_fd, "f", "one", 3, &fault) == CORDON_OK);
    old = openat(dir_fd, "f", O_RDONLY | O_CLOEXEC);
    CHECK(host_replace(dir_fd, "f", "two", 3, &fault) == CORDON_OK);
    CHECK(read(old, text, sizeof(text)) == 3 && strcmp(text, "one") == 0);
    fd = openat(dir_fd, "f", O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, text, sizeof(text)) == 3 && strcmp(text, "two") == 0);
    CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0644);
    CHECK(faccessat(dir_fd, ".f", F_OK, 0) != 0);
    /* What cannot be replaced stays as it was. */
    CHECK(mkdirat(dir_fd, "d", 0755) == 0);
    CHECK(host_replace(dir_fd, "d", "x", 1, &fault) == CORDON_E_OS && fault.os_code == EISDIR);
    CHECK(symlinkat("f", dir_fd, ".f") == 0);
    CHECK(host_replace(dir_fd, "f", "evil", 4, &fault) == CORDON_E_OS && fault.os_code == ELOOP);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, text, sizeof(text)) == 3);
    CHECK(unlinkat(dir_fd, ".f", 0) == 0 && unlinkat(dir_fd, ".d", 0) == 0);
    CHECK(unlinkat(dir_fd, "d", AT_REMOVEDIR) == 0 && unlinkat(dir_fd, "f", 0) == 0);
    CHECK(rmdir(dir) == 0);
    (void)umask(mask);
    (void)close(old);
    (void)close(fd);
    (void)close(dir_fd);
}

/* Two ends of a TCP connection; closing the first waits until the other has read all. */
static void lingering(int ends[2])
{
    const struct linger long_time = {.l_onoff = 1, .l_linger = 3600};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char many[65536];
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(bind(listener, (struct sockaddr *)&address, len) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(ends[0], (struct sockaddr *)&address, len) == 0);
    ends[1] = accept(listener, NULL, NULL);
    CHECK(ends[1] >= 0 &&
          setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &long_time, sizeof(long_time)) == 0);
    while (send(ends[0], many, sizeof(many), MSG_DONTWAIT) > 0) {
    }
    (void)close(listener);
}

/* The other end is told, so it was closed for good. */
static void await_end(int end)
{
    static char many[65536];
    ssize_t len;

    while ((len = recv(end, many, sizeof(many), 0)) > 0) {
    }
    CHECK(len == 0);
    (void)close(end);
}

/* Else this would wait for an hour. */
TEST(what_lingers_is_not_waited_for)
{
    int ends[2];

    host_close_foreign(-1);
    host_end_foreign(-1);
    lingering(ends);
    host_close_foreign(ends[0]);
    await_end(ends[1]);
    lingering(ends);
    host_end_foreign(ends[0]);
    await_end(ends[1]);
}

/* A connection of @type in whose first end lies a descriptor, with @len bytes. Takes @fd over. */
static void queue(int type, size_t len, int flags, int fd, int ret_pair[2])
{
    char byte = 'x';
    struct iovec iov = {&byte, len};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    const struct msghdr message = {.msg_iov = &iov,
                                   .msg_iovlen = 1,
                                   .msg_control = control.space,
                                   .msg_controllen = sizeof(control.space)};

    memset(&control, 0, sizeof(control));
    control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
    CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_pair) == 0);
    CHECK(sendmsg(ret_pair[1], &message, flags) == (ssize_t)len);
    (void)close(fd);
}

/* Nor what lingers in the queue of a connection: also with no byte, or one that was read. */
TEST(what_is_queued_and_lingers_is_not_waited_for)
{
    static const struct {
        int type;
        size_t len;
        int flags;
    } kinds[] = {{SOCK_STREAM, 1, 0}, {SOCK_SEQPACKET, 0, 0}, {SOCK_STREAM, 1, MSG_OOB}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char byte;
        int ends[2];
        int pair[2];

        lingering(ends);
        queue(kinds[i].type, kinds[i].len, kinds[i].flags, ends[0], pair);
        CHECK((kinds[i].flags & MSG_OOB) == 0 || recv(pair[0], &byte, 1, MSG_OOB) == 1);
        host_end_foreign(pair[0]);
        await_end(ends[1]);
        CHECK(send(pair[1], &byte, 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
        (void)close(pair[1]);
    }
}

TEST(a_connection_ends_for_all_who_have_it)
{
    char byte;
    int pair[2];
    int other;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    other = dup(pair[0]);
    CHECK(other >= 0 && send(pair[0], "x", 1, 0) == 1 && send(pair[1], "y", 1, 0) == 1);
    host_end_foreign(pair[0]);
    CHECK(fcntl(pair[0], F_GETFD) < 0 && errno == EBADF);
    CHECK(recv(pair[1], &byte, 1, 0) == 1 && byte == 'x' && recv(pair[1], &byte, 1, 0) == 0);
    CHECK(send(pair[1], "z", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
    (void)close(other);
    (void)close(pair[1]);
}

TEST(what_nobody_waits_for_is_closed_at_once)
{
    const int fds[] = {memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                       open("/", O_PATH | O_CLOEXEC)};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        CHECK(fds[i] >= 0);
        host_close_foreign(fds[i]);
        CHECK(fcntl(fds[i], F_GETFD) < 0 && errno == EBADF);
    }
}

TEST_MAIN()
