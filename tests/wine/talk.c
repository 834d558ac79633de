/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/talk.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/pipe_chunk.h"
#include "tests/wine/must.h"

#define ARGS_MAX 8U

static struct cordon_fault fault;
char *talk_program;
size_t talk_pieces;

static void close_handle(void *context, int fd)
{
    (void)context;
    (void)CloseHandle((HANDLE)(intptr_t)fd);
}

void talk_start(struct talk *talk, const char *pipe)
{
    const struct stream_config config = {
        .reads = FRAME_TO_CLIENT, .out_max = STREAM_OUT_SMALL, .close_fd = close_handle};

    memset(talk, 0, sizeof(*talk));
    do {
        CHECK(WaitNamedPipeA(pipe, TALK_WAIT_MS));
        talk->pipe = CreateFileA(pipe, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                                 SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    } while (talk->pipe == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY);
    CHECK(talk->pipe != INVALID_HANDLE_VALUE);
    stream_init(&talk->stream, &config);
    arena_init(&talk->arena, MSG_ARENA_MAX);
}

void talk_end(struct talk *talk)
{
    (void)CloseHandle(talk->pipe);
    stream_deinit(&talk->stream);
    arena_deinit(&talk->arena);
}

static HANDLE copy_of(HANDLE handle)
{
    HANDLE copy;

    CHECK(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    return copy;
}

static void write_pieces(HANDLE pipe, const uint8_t *bytes, size_t len)
{
    const size_t piece = talk_pieces == 0 ? len : talk_pieces;
    DWORD written;

    for (size_t at = 0; at < len; at += piece) {
        CHECK(WriteFile(pipe, bytes + at, (DWORD)(len - at < piece ? len - at : piece), &written,
                        NULL));
    }
}

void talk_say(struct talk *talk, const struct message *message, const HANDLE *handles, size_t count)
{
    uint8_t head[PIPE_HEAD_MAX];
    uint32_t numbers[ARGS_MAX];
    int fds[ARGS_MAX];
    struct stream_fds with = {fds, count};
    struct stream_pending pending;

    for (size_t i = 0; i < count; i++) {
        /* The broker closes one, the stream the other. */
        numbers[i] = (uint32_t)(uintptr_t)copy_of(handles[i]);
        fds[i] = (int)(intptr_t)copy_of(handles[i]);
    }
    CHECK(stream_send(&talk->stream, ++talk->id, message, &with, &fault) == CORDON_OK);
    while (stream_pending(&talk->stream, &pending)) {
        const size_t len = pipe_chunk_head((uint32_t)pending.len, numbers, pending.fd_count, head);

        write_pieces(talk->pipe, head, len);
        write_pieces(talk->pipe, pending.data, pending.len);
        stream_sent(&talk->stream, pending.len);
    }
}

uint32_t talk_hear(struct talk *talk)
{
    for (;;) {
        uint8_t bytes[4096];
        struct stream_chunk chunk = {.data = bytes};
        DWORD len = 0;
        const enum cordon_err err = stream_receive(&talk->stream, &talk->arena, &talk->in, &fault);

        if (err == CORDON_OK) {
            return (uint32_t)talk->in.message.type;
        }
        CHECK(err == CORDON_E_AGAIN);
        if (!ReadFile(talk->pipe, bytes, sizeof(bytes), &len, NULL) || len == 0) {
            return 0;
        }
        chunk.len = len;
        CHECK(stream_feed(&talk->stream, &chunk, &fault) == CORDON_OK);
    }
}

void talk_open(struct talk *talk, const char *pipe)
{
    const struct message hello = {
        .type = CORDON_MSG_HELLO,
        .u.hello = {.protocol_min = 1, .protocol_max = 1, .client_version = "test"}};

    talk_start(talk, pipe);
    talk_say(talk, &hello, NULL, 0);
    CHECK(talk_hear(talk) == CORDON_MSG_WELCOME);
}

void talk_spawn(struct talk *talk, const char *const *args, HANDLE out)
{
    static char self[MAX_PATH];
    char *argv[ARGS_MAX] = {self};
    char *env[] = {(char *)(uintptr_t) "SystemRoot=C:\\windows", (char *)(uintptr_t) "A=ö"};
    struct message message = {
        .type = CORDON_MSG_SPAWN,
        .u.spawn = {
            .argv = {argv, 1},
            .env = {env, 2},
            .choice = {.mode = "danger-full-access", .profile = "", .cwd_display = "C:\\"}}};
    HANDLE handles[4];

    CHECK(GetModuleFileNameA(NULL, self, sizeof(self)) != 0);
    argv[0] = talk_program == NULL ? self : talk_program;
    for (size_t i = 0; args[i] != NULL && i + 1 < ARGS_MAX; i++) {
        argv[message.u.spawn.argv.count++] = (char *)(uintptr_t)args[i];
    }
    handles[0] = CreateFileA("C:\\", FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    handles[1] = CreateFileA("NUL", GENERIC_READ | GENERIC_WRITE,
                             FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    handles[2] = out == NULL ? handles[1] : out;
    handles[3] = handles[1];
    CHECK(handles[0] != INVALID_HANDLE_VALUE && handles[1] != INVALID_HANDLE_VALUE);
    talk_say(talk, &message, handles, 4);
    (void)CloseHandle(handles[0]);
    (void)CloseHandle(handles[1]);
}

uint32_t talk_wait(struct talk *talk, uint32_t *ret_code)
{
    uint32_t type = talk_hear(talk);

    if (type == CORDON_MSG_STARTED) {
        type = talk_hear(talk);
    }
    if (type != CORDON_MSG_EXITED) {
        (void)fprintf(stderr, "  %s\n",
                      type == CORDON_MSG_FAILED ? talk->in.message.u.failed.text : "hung up");
        CHECK(type == CORDON_MSG_EXITED);
    }
    *ret_code = talk->in.message.u.exited.code;
    return (uint32_t)talk->in.message.u.exited.kind;
}
