/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h, ipc.h and the descriptors of host.h with the system behind them, in one process. */
#include "platform/ipc.h"
#include "platform/windows/io.h"
#include "tests/support/check.h"

static struct cordon_fault fault;
static struct loop *loop;

struct seen {
    unsigned count, events, most;
    int fd;
    struct loop_source *source;
};

/* Stops the loop at the @most-th call; reads what there is. */
static void on_seen(void *context, unsigned events)
{
    struct seen *seen = context;
    char bytes[4096];
    size_t len;

    seen->count++;
    seen->events |= events;
    if ((events & LOOP_READ) != 0) {
        (void)!host_read(seen->fd, bytes, sizeof(bytes), &len);
    }
    if (seen->count >= seen->most) {
        loop_stop(loop);
    }
}

static void give_up(void *context, unsigned events)
{
    (void)context;
    (void)events;
    loop_stop(loop);
}

/* The loop, for at most a second. */
static void run(void)
{
    struct loop_source *net;

    CHECK(loop_after(loop, 1000, give_up, NULL, &net) == CORDON_OK);
    loop_run(loop);
    loop_source_free(net);
}

static void close_pair(const int fds[2])
{
    host_close(fds[0]);
    host_close(fds[1]);
}

/* ---- the loop ---- */

TEST(timers_come_in_order_once_or_again_and_again)
{
    struct seen once = {.most = 100}, again = {.most = 3};
    const uint64_t began = host_now_ms();

    CHECK(loop_new(&loop) == CORDON_OK);
    CHECK(loop_after(loop, 1, on_seen, &once, &once.source) == CORDON_OK);
    CHECK(loop_every(loop, 20, on_seen, &again, &again.source) == CORDON_OK);
    run();
    CHECK(once.count == 1 && again.count == 3 && host_now_ms() - began < 900);
    loop_source_free(once.source);
    loop_source_free(again.source);
    loop_free(loop);
}

/* More than one thread of the system's can wait for. */
TEST(more_descriptors_than_one_wait_takes_are_each_heard)
{
    enum { MANY = 150 };
    static struct seen seen[MANY];
    static int pairs[MANY][2];
    unsigned heard = 0;

    CHECK(loop_new(&loop) == CORDON_OK);
    for (size_t i = 0; i < MANY; i++) {
        CHECK(io_pair(true, pairs[i], &fault) == CORDON_OK);
        seen[i] = (struct seen){.fd = pairs[i][0], .most = 1000};
        CHECK(loop_watch(loop, pairs[i][0], LOOP_READ, on_seen, &seen[i], &seen[i].source) ==
              CORDON_OK);
        CHECK(io_write(pairs[i][1], "x", 1) == CORDON_OK);
    }
    run();
    for (size_t i = 0; i < MANY; i++) {
        heard += seen[i].count == 1 ? 1 : 0;
        loop_source_free(seen[i].source);
        close_pair(pairs[i]);
    }
    CHECK(heard == MANY);
    loop_free(loop);
}

static void on_first(void *context, unsigned events)
{
    struct seen *seen = context;

    (void)events;
    seen->count++;
    loop_source_free(seen->source);
    seen->source = NULL;
}

TEST(a_source_may_free_itself_and_is_called_as_long_as_there_is_something)
{
    struct seen first = {.most = 0}, second = {.most = 3};
    int pair[2], other[2];

    CHECK(loop_new(&loop) == CORDON_OK);
    CHECK(io_pair(true, pair, &fault) == CORDON_OK && io_pair(true, other, &fault) == CORDON_OK);
    CHECK(loop_watch(loop, pair[0], LOOP_READ, on_first, &first, &first.source) == CORDON_OK);
    second.fd = -2; /* whatever is there stays there */
    CHECK(loop_watch(loop, other[0], LOOP_READ, on_seen, &second, &second.source) == CORDON_OK);
    CHECK(io_write(pair[1], "x", 1) == CORDON_OK && io_write(other[1], "x", 1) == CORDON_OK);
    second.fd = pair[0];
    run();
    CHECK(first.count == 1 && second.count == 3);
    loop_source_free(second.source);
    close_pair(pair);
    close_pair(other);
    loop_free(loop);
}

TEST(a_pipe_can_be_written_when_the_other_end_has_read)
{
    static char much[200000];
    struct seen seen = {.most = 1};
    size_t len = 0, all = 0;
    int pair[2];

    CHECK(loop_new(&loop) == CORDON_OK);
    CHECK(io_pair(true, pair, &fault) == CORDON_OK);
    CHECK(io_write(pair[0], much, sizeof(much)) == CORDON_OK);
    CHECK(io_write(pair[0], "x", 1) == CORDON_E_AGAIN);
    CHECK(loop_watch(loop, pair[0], LOOP_WRITE, on_seen, &seen, &seen.source) == CORDON_OK);
    run();
    CHECK(seen.count == 0);
    while (host_read(pair[1], much, sizeof(much), &len) == CORDON_OK) {
        all += len;
    }
    CHECK(all == sizeof(much));
    run();
    CHECK(seen.count == 1 && seen.events == LOOP_WRITE);
    CHECK(io_write(pair[0], "x", 1) == CORDON_OK);
    loop_source_free(seen.source);
    close_pair(pair);
    loop_free(loop);
}

static DWORD WINAPI tell_term(void *context)
{
    (void)context;
    loop_tell(LOOP_TERM);
    return 0;
}

TEST(what_another_thread_tells_is_heard_even_if_it_was_told_before)
{
    struct seen term = {.most = 1}, reload = {.most = 1};

    loop_tell(LOOP_RELOAD);
    CHECK(loop_new(&loop) == CORDON_OK);
    CHECK(loop_on_signal(loop, LOOP_TERM, on_seen, &term, &term.source) == CORDON_OK);
    CHECK(loop_on_signal(loop, LOOP_RELOAD, on_seen, &reload, &reload.source) == CORDON_OK);
    run();
    CHECK(reload.count == 1 && term.count == 0);
    CHECK(CloseHandle(CreateThread(NULL, 0, tell_term, NULL, 0, NULL)));
    run();
    CHECK(reload.count == 1 && term.count == 1);
    loop_source_free(term.source);
    loop_source_free(reload.source);
    loop_free(loop);
}

TEST(the_end_of_a_pipe_is_told)
{
    struct seen seen = {.most = 1};
    char byte;
    size_t len;
    int pair[2];

    CHECK(loop_new(&loop) == CORDON_OK);
    CHECK(io_pair(true, pair, &fault) == CORDON_OK);
    CHECK(!host_hung_up(pair[0]) && host_read(pair[0], &byte, 1, &len) == CORDON_E_AGAIN);
    seen.fd = pair[0];
    CHECK(loop_watch(loop, pair[0], LOOP_READ, on_seen, &seen, &seen.source) == CORDON_OK);
    host_close(pair[1]);
    run();
    CHECK(seen.count == 1);
    CHECK(host_hung_up(pair[0]) && host_read(pair[0], &byte, 1, &len) == CORDON_E_CLOSED);
    CHECK(io_write(pair[0], "x", 1) == CORDON_E_CLOSED);
    loop_source_free(seen.source);
    host_close(pair[0]);
    loop_free(loop);
}

/* ---- packets ---- */

static bool is_open(int fd)
{
    DWORD flags;

    return GetHandleInformation(io_handle(fd), &flags) != 0;
}

TEST(a_packet_brings_its_descriptors)
{
    static const char text[] = "a memory file";
    struct ipc_message message = {.type = IPC_SESSION, .session = 7};
    struct ipc_packet packet;
    const void *data;
    size_t len;
    int pair[2], fd;

    CHECK(ipc_pair(pair, &fault) == CORDON_OK);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_E_AGAIN);
    CHECK(ipc_memfd("test", text, sizeof(text), &fd, &fault) == CORDON_OK);
    CHECK(ipc_send(pair[0], &message, &fd, 1) == CORDON_OK && is_open(fd));
    host_close(fd);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_OK);
    CHECK(packet.message.session == 7 && packet.fd_count == 1);
    CHECK(ipc_map(packet.fds[0], 100, &data, &len, &fault) == CORDON_OK);
    CHECK(len == sizeof(text) && memcmp(data, text, len) == 0);
    ipc_unmap(data, len);
    fd = packet.fds[0];
    ipc_packet_close(&packet);
    CHECK(!is_open(fd));
    close_pair(pair);
}

/* Both ways between a supervisor and its child: each is given handles of his own. */
TEST(a_process_that_is_named_is_given_handles_and_they_are_taken_from_it)
{
    struct ipc_message message = {.type = IPC_SESSION};
    struct ipc_packet packet;
    int pair[2], fd;

    CHECK(ipc_pair(pair, &fault) == CORDON_OK);
    CHECK(io_set_process(pair[0], OpenProcess(PROCESS_DUP_HANDLE, FALSE, GetCurrentProcessId())));
    CHECK(ipc_memfd("test", "x", 1, &fd, &fault) == CORDON_OK);
    CHECK(ipc_send(pair[1], &message, &fd, 1) == CORDON_OK);
    CHECK(ipc_recv(pair[0], &packet) == CORDON_OK && packet.fd_count == 1);
    CHECK(is_open(packet.fds[0]) && is_open(fd) && packet.fds[0] != fd);
    ipc_packet_close(&packet);
    host_close(fd);
    close_pair(pair);
}

static void send_raw(int fd, uint32_t len, const uint32_t *numbers, size_t count, size_t bytes)
{
    static uint8_t raw[PIPE_HEAD_MAX + sizeof(struct ipc_message)];
    const size_t head = pipe_chunk_head(len, numbers, count, raw);

    memset(raw + head, 0, bytes);
    CHECK(io_write(fd, raw, head + bytes) == CORDON_OK);
}

TEST(a_packet_of_another_kind_is_refused)
{
    static const uint32_t number = 0x7ffffff0;
    static const struct {
        uint32_t len;
        size_t handles;
    } rows[] = {{sizeof(struct ipc_message), 0}, /* without magic */
                {8, 0},
                {sizeof(struct ipc_message) + 1, 0},
                {0, 0},
                {sizeof(struct ipc_message), 1}}; /* a handle that is none */
    struct ipc_packet packet;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int pair[2];

        CHECK(ipc_pair(pair, &fault) == CORDON_OK);
        CHECK(
            io_set_process(pair[0], OpenProcess(PROCESS_DUP_HANDLE, FALSE, GetCurrentProcessId())));
        send_raw(pair[1], rows[i].len, &number, rows[i].handles,
                 rows[i].len < sizeof(struct ipc_message) ? rows[i].len
                                                          : sizeof(struct ipc_message));
        CHECK(ipc_recv(pair[0], &packet) == CORDON_E_PROTO);
        close_pair(pair);
    }
}

TEST(a_packet_in_pieces_is_one_and_half_a_packet_none)
{
    const struct ipc_message message = {
        .type = IPC_HALT, .magic = IPC_MAGIC, .version = IPC_VERSION};
    uint8_t raw[PIPE_HEAD_MAX + sizeof(message)];
    const size_t head = pipe_chunk_head(sizeof(message), NULL, 0, raw);
    struct ipc_packet packet;
    int pair[2];

    memcpy(raw + head, &message, sizeof(message));
    CHECK(ipc_pair(pair, &fault) == CORDON_OK);
    for (size_t i = 0; i < head + sizeof(message); i++) {
        CHECK(ipc_recv(pair[0], &packet) == CORDON_E_AGAIN);
        CHECK(io_write(pair[1], raw + i, 1) == CORDON_OK);
    }
    CHECK(ipc_recv(pair[0], &packet) == CORDON_OK && packet.message.type == IPC_HALT);
    CHECK(io_write(pair[1], raw, 20) == CORDON_OK);
    host_close(pair[1]);
    CHECK(ipc_recv(pair[0], &packet) == CORDON_E_CLOSED);
    host_close(pair[0]);
}

/* ---- memory files ---- */

/* A section of the kind that a hostile worker would send. */
static int section(DWORD kind, uint64_t says, size_t size)
{
    const HANDLE made =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | kind, 0, (DWORD)size, NULL);
    uint64_t *view;

    CHECK(made != NULL);
    if (kind != SEC_RESERVE) {
        view = MapViewOfFile(made, FILE_MAP_WRITE, 0, 0, 0);
        CHECK(view != NULL);
        *view = says;
        (void)UnmapViewOfFile(view);
    }
    return io_fd(made);
}

static int file_section(void)
{
    const HANDLE file = CreateFileA("C:\\section-test", GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                    CREATE_ALWAYS, 0, NULL);
    const uint64_t bytes[2] = {8, 0};
    HANDLE made;
    DWORD len;

    CHECK(file != INVALID_HANDLE_VALUE && WriteFile(file, bytes, sizeof(bytes), &len, NULL));
    made = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 0, NULL);
    CHECK(made != NULL);
    (void)CloseHandle(file);
    return io_fd(made);
}

TEST(a_hostile_memory_file_is_an_error_and_no_fault)
{
    const void *data;
    size_t len;
    int fd = section(0, 0, 4096);

    CHECK(ipc_map(fd, 100, &data, &len, &fault) == CORDON_E_INVALID);
    host_close(fd);
    fd = section(0, 101, 4096);
    CHECK(ipc_map(fd, 100, &data, &len, &fault) == CORDON_E_LIMIT);
    host_close(fd);
    fd = section(0, 1U << 20U, 4096); /* more than it has */
    CHECK(ipc_map(fd, 1U << 24U, &data, &len, &fault) == CORDON_E_LIMIT);
    host_close(fd);
    fd = section(0, UINT64_MAX, 4096);
    CHECK(ipc_map(fd, SIZE_MAX, &data, &len, &fault) == CORDON_E_LIMIT);
    host_close(fd);
    fd = file_section(); /* reading it takes as long as its owner likes */
    CHECK(ipc_map(fd, 100, &data, &len, &fault) == CORDON_E_INVALID);
    host_close(fd);
    fd = section(SEC_RESERVE, 0, 65536); /* reading it would be a fault */
    CHECK(ipc_map(fd, 100, &data, &len, &fault) == CORDON_E_INVALID);
    host_close(fd);
    CHECK(ipc_map(io_fd(GetCurrentProcess()), 100, &data, &len, &fault) != CORDON_OK);
}

TEST(what_was_sealed_cannot_be_written)
{
    int fd;

    CHECK(ipc_memfd("test", "x", 1, &fd, &fault) == CORDON_OK);
    CHECK(MapViewOfFile(io_handle(fd), FILE_MAP_WRITE, 0, 0, 0) == NULL);
    host_close(fd);
}

/* ---- files ---- */

TEST(paths_are_absolute_with_a_drive_or_a_share)
{
    static const char *const absolute[] = {"C:\\", "c:/x", "\\\\server\\share", "//server/share"};
    static const char *const relative[] = {"", "x", "C:", "C:x", "\\x", "/x", "1:\\x"};

    for (size_t i = 0; i < sizeof(absolute) / sizeof(absolute[0]); i++) {
        CHECK(host_is_absolute(absolute[i]));
    }
    for (size_t i = 0; i < sizeof(relative) / sizeof(relative[0]); i++) {
        CHECK(!host_is_absolute(relative[i]));
    }
}

TEST(a_folder_has_a_name_and_is_no_stream)
{
    const HANDLE folder = CreateFileW(L"C:\\windows", FILE_READ_ATTRIBUTES, FILE_SHARE_READ, NULL,
                                      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    const int fd = io_fd(folder);
    struct arena arena;
    const char *name;
    int pair[2];

    arena_init(&arena, 1U << 20U);
    CHECK(host_directory_name(fd, &arena, &name, &fault) == CORDON_OK);
    CHECK_STR(name, "C:\\windows");
    CHECK(host_check_stream(fd, &fault) == CORDON_E_DENIED);
    host_close(fd);
    CHECK(host_pipe(pair, &fault) == CORDON_OK);
    CHECK(host_directory_name(pair[0], &arena, &name, &fault) == CORDON_E_INVALID);
    CHECK(host_check_stream(pair[0], &fault) == CORDON_OK);
    close_pair(pair);
    arena_deinit(&arena);
}

TEST(a_file_is_read_whole_within_its_bound)
{
    struct arena arena;
    const char *text;
    size_t len;
    int fd;

    arena_init(&arena, 1U << 20U);
    CHECK(host_open_log("C:\\host-test", &fd, &fault) == CORDON_OK);
    host_write(fd, "one\n", 4);
    host_close(fd);
    CHECK(host_open_log("C:\\host-test", &fd, &fault) == CORDON_OK);
    host_write(fd, "two\n", 4);
    host_close(fd);
    CHECK(host_read_file("C:\\host-test", 8, &arena, &text, &len, &fault) == CORDON_OK);
    CHECK(len == 8);
    CHECK_STR(text, "one\ntwo\n");
    CHECK(host_read_file("C:\\host-test", 7, &arena, &text, &len, &fault) == CORDON_E_LIMIT);
    CHECK(host_read_file("C:\\none", 7, &arena, &text, &len, &fault) == CORDON_E_NOT_FOUND);
    CHECK(host_read_file("C:\\none\\x", 7, &arena, &text, &len, &fault) == CORDON_E_NOT_FOUND);
    CHECK(host_read_file("NUL", 7, &arena, &text, &len, &fault) == CORDON_E_DENIED);
    arena_deinit(&arena);
}

/* ---- processes ---- */

TEST(a_program_that_is_not_there_is_an_error_of_the_start)
{
    char name[] = "none";
    char *const argv[] = {name, NULL};
    const struct host_start start = {
        .program = "C:\\none.exe", .argv = argv, .channel = -1, .output = -1};
    struct host_child child = {0, -1};

    CHECK(host_start(&start, &child, &fault) == CORDON_E_NOT_FOUND && child.pidfd == -1);
    CHECK(strstr(fault.text, "starting C:\\none.exe") != NULL);
}

TEST(a_child_is_watched_ended_and_reaped)
{
    static char self[MAX_PATH];
    char sleep[] = "--sleep";
    char *const argv[] = {self, sleep, NULL};
    const struct host_start start = {
        .program = self, .argv = argv, .channel = -1, .output = -1, .keep_stderr = true};
    struct host_child child;
    char how[64];

    CHECK(GetModuleFileNameA(NULL, self, sizeof(self)) > 0);
    CHECK(host_start(&start, &child, &fault) == CORDON_OK);
    CHECK(host_child_reap(&child, how, sizeof(how)) == CORDON_E_AGAIN);
    host_child_kill(&child);
    CHECK(WaitForSingleObject(io_readable(child.pidfd), 10000) == WAIT_OBJECT_0);
    CHECK(host_child_reap(&child, how, sizeof(how)) == CORDON_OK);
    CHECK_STR(how, "exited with 137");
    CHECK(host_child_reap(&child, how, sizeof(how)) == CORDON_E_AGAIN);
    host_child_deinit(&child); /* allowed */
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--sleep") == 0) {
        Sleep(60000);
        return 0;
    }
    return check_main(argc, argv);
}
