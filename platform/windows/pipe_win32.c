/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/pipe.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/pipe_chunk.h"
#include "platform/windows/win32.h"

#define ROOM (64U * 1024U) /* bytes of one read */

enum pipe_key { KEY_PEER, KEY_STOP, KEY_POST };

/* An operation on its way; which one it was is told by its address. */
struct pipe_peer {
    OVERLAPPED reading; /* and connecting */
    OVERLAPPED writing;
    struct pipe *pipe;
    struct pipe_peer *next;
    HANDLE handle;
    bool connected, is_reading, is_writing, ending;
    void *session;
    HANDLE process, token;
    struct pipe_chunk chunk;
    uint8_t room[ROOM];
};

struct post {
    void (*told)(void *context);
    void *context;
};

struct pipe {
    struct pipe_config config;
    WCHAR *name;
    uint8_t *who; /* self-relative */
    HANDLE port;
    struct pipe_peer *peers;
    uint32_t count;
    bool waiting; /* an instance waits for a client */
};

/* ---- who it is ---- */

static bool is_older(HANDLE process, uint64_t connected)
{
    FILETIME made, unused[3];

    return GetProcessTimes(process, &made, &unused[0], &unused[1], &unused[2]) &&
           ((uint64_t)made.dwHighDateTime << 32U | made.dwLowDateTime) <= connected;
}

static bool read_user(HANDLE token, struct sid *ret_user)
{
    _Alignas(TOKEN_USER) BYTE info[sizeof(TOKEN_USER) + SID_BYTES_MAX];
    DWORD len = 0;
    const SID *sid;

    if (!GetTokenInformation(token, TokenUser, info, sizeof(info), &len)) {
        return false;
    }
    sid = ((const TOKEN_USER *)(const void *)info)->User.Sid;
    return sid_parse((const uint8_t *)sid, GetLengthSid((SID *)(uintptr_t)sid), ret_user) ==
           CORDON_OK;
}

static bool identify(struct pipe_peer *peer, struct pipe_identity *ret_who)
{
    FILETIME now;
    ULONG pid = 0;

    GetSystemTimePreciseAsFileTime(&now);
    if (!GetNamedPipeClientProcessId(peer->handle, &pid)) {
        return false;
    }
    peer->process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_DUP_HANDLE, FALSE, pid);
    if (peer->process == NULL ||
        !is_older(peer->process, (uint64_t)now.dwHighDateTime << 32U | now.dwLowDateTime) ||
        !OpenProcessToken(peer->process, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE,
                          &peer->token) ||
        !read_user(peer->token, &ret_who->user)) {
        return false;
    }
    ret_who->pid = pid;
    ret_who->token = (api_handle)peer->token;
    ret_who->process = (api_handle)peer->process;
    return true;
}

/* ---- connections ---- */

static void free_peer(struct pipe_peer *peer)
{
    struct pipe_peer **link = &peer->pipe->peers;

    while (*link != peer) {
        link = &(*link)->next;
    }
    *link = peer->next;
    peer->pipe->count--;
    if (peer->handle != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(peer->handle);
    }
    if (peer->token != NULL) {
        (void)CloseHandle(peer->token);
    }
    if (peer->process != NULL) {
        (void)CloseHandle(peer->process);
    }
    free(peer);
}

/* What is on its way comes back through the port. */
static void cut_off(struct pipe_peer *peer)
{
    peer->ending = true;
    (void)CancelIoEx(peer->handle, NULL);
    (void)DisconnectNamedPipe(peer->handle);
}

/* Frees the peer once nothing is on its way any more: the system writes to it until then. */
static void end_peer(struct pipe_peer *peer)
{
    if (!peer->ending) {
        cut_off(peer);
    }
    if (!peer->is_reading && !peer->is_writing) {
        if (peer->session != NULL) {
            peer->pipe->config.owner.closed(peer->session);
        }
        free_peer(peer);
    }
}

static void read_more(struct pipe_peer *peer)
{
    memset(&peer->reading, 0, sizeof(peer->reading));
    peer->is_reading = true;
    if (!ReadFile(peer->handle, peer->room, ROOM, NULL, &peer->reading) &&
        GetLastError() != ERROR_IO_PENDING) {
        peer->is_reading = false;
        end_peer(peer);
    }
}

/* One more instance of the pipe, waiting; a Win32 code. */
static uint32_t wait_for_client(struct pipe *pipe, bool first)
{
    SECURITY_ATTRIBUTES who = {.nLength = sizeof(who), .lpSecurityDescriptor = pipe->who};
    struct pipe_peer *peer = calloc(1, sizeof(*peer));
    uint32_t code = ERROR_NOT_ENOUGH_MEMORY;

    if (peer == NULL) {
        return code;
    }
    peer->pipe = pipe;
    peer->next = pipe->peers;
    pipe->peers = peer;
    pipe->count++;
    peer->handle = CreateNamedPipeW(
        pipe->name,
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, ROOM, ROOM, 0, &who);
    if (peer->handle == INVALID_HANDLE_VALUE ||
        CreateIoCompletionPort(peer->handle, pipe->port, KEY_PEER, 0) == NULL) {
        code = GetLastError();
        free_peer(peer);
        return code;
    }
    peer->is_reading = true;
    pipe->waiting = true;
    if (ConnectNamedPipe(peer->handle, &peer->reading)) {
        return API_OK;
    }
    code = GetLastError();
    if (code == ERROR_PIPE_CONNECTED) {
        /* It came in between; nothing will tell the port. */
        code = PostQueuedCompletionStatus(pipe->port, 0, KEY_PEER, &peer->reading) ? API_OK
                                                                                   : GetLastError();
    } else if (code == ERROR_IO_PENDING) {
        code = API_OK;
    }
    if (code != API_OK) {
        pipe->waiting = false;
        free_peer(peer);
    }
    return code;
}

static void connected(struct pipe_peer *peer)
{
    struct pipe *pipe = peer->pipe;
    struct pipe_identity who = {0};

    peer->connected = true;
    pipe->waiting = false;
    if (identify(peer, &who)) {
        peer->session = pipe->config.owner.opened(pipe->config.owner.context, peer, &who);
    }
    if (pipe->count < pipe->config.peers_max) {
        (void)wait_for_client(pipe, false);
    }
    if (peer->session == NULL) {
        end_peer(peer);
    } else {
        read_more(peer);
    }
}

/* ---- what comes ---- */

/* Handles of the client become ours: their count, or SIZE_MAX and none if one of them cannot. */
static size_t take_handles(struct pipe_peer *peer, const struct pipe_part *part,
                           int taken[PIPE_HANDLES_MAX])
{
    for (size_t i = 0; i < part->handle_count; i++) {
        HANDLE ours = NULL;

        if (!DuplicateHandle(peer->process, (HANDLE)(uintptr_t)part->handles[i],
                             GetCurrentProcess(), &ours, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
            while (i > 0) {
                (void)CloseHandle((HANDLE)(intptr_t)taken[--i]);
            }
            return SIZE_MAX;
        }
        /* Handles have 32 significant bits ("Interprocess Communication Between 32-bit and
         * 64-bit Applications"). */
        taken[i] = (int)(intptr_t)ours;
    }
    return part->handle_count;
}

static bool received(struct pipe_peer *peer, size_t len)
{
    const uint8_t *bytes = peer->room;
    int handles[PIPE_HANDLES_MAX];
    struct pipe_part part;
    size_t count;

    do {
        if (pipe_chunk_take(&peer->chunk, &bytes, &len, &part) != CORDON_OK) {
            return false;
        }
        count = take_handles(peer, &part, handles);
        if (count == SIZE_MAX) {
            return false;
        }
        if (part.len > 0) {
            peer->pipe->config.owner.received(peer->session, part.bytes, part.len, handles, count);
        }
    } while (part.len > 0);
    return !peer->ending;
}

static void completed(struct pipe_peer *peer, const OVERLAPPED *which, bool well, DWORD len)
{
    if (which == &peer->writing) {
        peer->is_writing = false;
        if (well && !peer->ending) {
            peer->pipe->config.owner.sent(peer->session, len);
        } else {
            end_peer(peer);
        }
        return;
    }
    peer->is_reading = false;
    if (peer->ending || !well) {
        if (!peer->connected) {
            peer->pipe->waiting = false;
        }
        end_peer(peer);
    } else if (!peer->connected) {
        connected(peer);
    } else if (received(peer, len)) {
        read_more(peer);
    } else {
        end_peer(peer);
    }
}

static struct pipe_peer *peer_of(struct pipe *pipe, const OVERLAPPED *which)
{
    struct pipe_peer *peer = pipe->peers;

    while (peer != NULL && which != &peer->reading && which != &peer->writing) {
        peer = peer->next;
    }
    return peer;
}

enum cordon_err pipe_step(struct pipe *pipe, uint32_t wait_ms, struct cordon_fault *fault)
{
    OVERLAPPED *which = NULL;
    ULONG_PTR key = KEY_PEER;
    struct pipe_peer *peer;
    DWORD len = 0;
    const BOOL well = GetQueuedCompletionStatus(pipe->port, &len, &key, &which, wait_ms);

    if (!well && which == NULL) {
        const DWORD code = GetLastError();

        return code == WAIT_TIMEOUT ? CORDON_E_TIMEOUT
                                    : api_fault(fault, code, NULL, "waiting for clients");
    }
    if (key == KEY_STOP) {
        pipe_stop(pipe); /* for the next call, too */
        return CORDON_E_CLOSED;
    }
    if (key == KEY_POST) {
        struct post *post = (struct post *)(void *)which;

        post->told(post->context);
        free(post);
        return CORDON_OK;
    }
    peer = peer_of(pipe, which);
    if (peer != NULL) {
        completed(peer, which, well, len);
    }
    /* An instance that could not be made before: there is room again. */
    if (!pipe->waiting && pipe->count < pipe->config.peers_max) {
        (void)wait_for_client(pipe, false);
    }
    return CORDON_OK;
}

/* ---- the whole ---- */

enum cordon_err pipe_listen(const struct pipe_config *config, struct pipe **ret_pipe,
                            struct cordon_fault *fault)
{
    struct pipe *pipe = calloc(1, sizeof(*pipe));
    uint32_t code = ERROR_NOT_ENOUGH_MEMORY;
    size_t len;

    if (pipe != NULL) {
        pipe->config = *config;
        pipe->who = malloc(SD_WRITTEN_MAX);
        pipe->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
        if (pipe->who != NULL && pipe->port != NULL &&
            sd_write(config->who, pipe->who, SD_WRITTEN_MAX, &len) == CORDON_OK) {
            code = win32_wide("", config->name, &pipe->name);
        }
        code = code == API_OK ? wait_for_client(pipe, true) : code;
    }
    if (code == API_OK) {
        *ret_pipe = pipe;
        return CORDON_OK;
    }
    pipe_free(pipe);
    return code == API_ACCESS_DENIED
               ? fault_set(fault, CORDON_E_STATE, "end whoever has it",
                           "there is a pipe %s already", config->name)
               : api_fault(fault, code, NULL, "making the pipe %s", config->name);
}

void pipe_stop(struct pipe *pipe)
{
    (void)PostQueuedCompletionStatus(pipe->port, 0, KEY_STOP, NULL);
}

void pipe_post(struct pipe *pipe, void (*told)(void *context), void *context)
{
    struct post *post = malloc(sizeof(*post));

    if (post != NULL) {
        *post = (struct post){told, context};
        if (!PostQueuedCompletionStatus(pipe->port, 0, KEY_POST, (OVERLAPPED *)(void *)post)) {
            free(post);
        }
    }
}

bool pipe_send(struct pipe_peer *peer, const void *bytes, size_t len)
{
    if (peer->is_writing || peer->ending) {
        return false;
    }
    memset(&peer->writing, 0, sizeof(peer->writing));
    peer->is_writing = true;
    if (!WriteFile(peer->handle, bytes, (DWORD)len, NULL, &peer->writing) &&
        GetLastError() != ERROR_IO_PENDING) {
        peer->is_writing = false;
        pipe_hang_up(peer);
        return false;
    }
    return true;
}

void pipe_hang_up(struct pipe_peer *peer)
{
    if (!peer->ending) {
        cut_off(peer);
        /* The port ends the peer; where nothing would come through it, this does. */
        if (!peer->is_reading && !peer->is_writing) {
            peer->is_reading = true;
            (void)PostQueuedCompletionStatus(peer->pipe->port, 0, KEY_PEER, &peer->reading);
        }
    }
}

/* What is on its way has to come back before its memory goes. */
static void drain(struct pipe *pipe)
{
    for (struct pipe_peer *peer = pipe->peers, *next; peer != NULL; peer = next) {
        next = peer->next;
        end_peer(peer);
    }
    while (pipe->peers != NULL) {
        OVERLAPPED *which = NULL;
        struct pipe_peer *peer;
        ULONG_PTR key;
        DWORD len;

        (void)GetQueuedCompletionStatus(pipe->port, &len, &key, &which, 5000);
        if (which == NULL && key != KEY_STOP) {
            return; /* better lost than written to */
        }
        peer = which == NULL || key == KEY_POST ? NULL : peer_of(pipe, which);
        if (key == KEY_POST) {
            free(which);
        }
        if (peer != NULL) {
            completed(peer, which, false, 0);
        }
    }
}

void pipe_free(struct pipe *pipe)
{
    if (pipe == NULL) {
        return;
    }
    if (pipe->port != NULL) {
        drain(pipe);
        (void)CloseHandle(pipe->port);
    }
    free(pipe->name);
    free(pipe->who);
    free(pipe);
}
