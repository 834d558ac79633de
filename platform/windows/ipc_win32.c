/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc.h on Windows. A memory file is a section whose handle may only be mapped to read; since the
 * other side may have kept one that may write, it is copied and never looked at in place. It is a
 * length of eight bytes, and as many bytes.
 */
#include "platform/ipc.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"
#include "platform/windows/job_hello.h"

enum cordon_err ipc_pair(int ret_fds[2], struct cordon_fault *fault)
{
    return io_pair(true, ret_fds, fault);
}

enum cordon_err ipc_send(int channel, const struct ipc_message *message, const int *fds,
                         size_t fd_count)
{
    struct ipc_message copy = *message;
    const struct io_sent sent = {&copy, sizeof(copy), fds, fd_count};

    copy.magic = IPC_MAGIC;
    copy.version = IPC_VERSION;
    return io_send(channel, &sent);
}

enum cordon_err ipc_recv(int channel, struct ipc_packet *ret_packet)
{
    const struct ipc_message *message = &ret_packet->message;
    enum cordon_err err;

    ret_packet->fd_count = 0;
    err = io_recv_whole(channel, &ret_packet->message, sizeof(*message), ret_packet->fds,
                        IPC_FDS_MAX, &ret_packet->fd_count);
    if (err == CORDON_OK && (message->magic != IPC_MAGIC || message->version != IPC_VERSION)) {
        ipc_packet_close(ret_packet);
        return CORDON_E_PROTO;
    }
    return err;
}

void ipc_packet_close(struct ipc_packet *packet)
{
    for (size_t i = 0; i < packet->fd_count; i++) {
        host_close(packet->fds[i]);
    }
    packet->fd_count = 0;
}

/* ---- records, between a worker and the init of a job ---- */

/* The first word on the channel is the supervisor's: whose process the job's init is. */
static enum cordon_err meet_init(int fd)
{
    struct job_hello hello;
    HANDLE process;
    size_t none = 0;
    int fds[1];
    enum cordon_err err = io_recv_whole(fd, &hello, sizeof(hello), fds, 0, &none);

    if (err != CORDON_OK) {
        return err;
    }
    process =
        hello.magic == JOB_HELLO_MAGIC ? OpenProcess(PROCESS_DUP_HANDLE, FALSE, hello.pid) : NULL;
    return process != NULL && io_set_process(fd, process) ? CORDON_OK : CORDON_E_OS;
}

enum cordon_err host_send_record(int fd, const void *record, size_t size, const int *fds,
                                 size_t fd_count)
{
    const struct io_sent sent = {record, size, fds, fd_count};
    const enum cordon_err err = io_has_process(fd) ? CORDON_OK : meet_init(fd);

    return err == CORDON_OK ? io_send(fd, &sent) : err;
}

enum cordon_err host_recv_record(int fd, void *record, size_t size, int *ret_fd)
{
    size_t count = 0;
    int received = -1;
    const enum cordon_err err = io_recv_whole(fd, record, size, &received, 1, &count);

    if (err == CORDON_OK) {
        *ret_fd = received;
    }
    return err;
}

/* ---- memory files ---- */

enum cordon_err ipc_memfd(const char *name, const void *data, size_t len, int *ret_fd,
                          struct cordon_fault *fault)
{
    const uint64_t size = len;
    const uint64_t whole = size + sizeof(size);
    const HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
                                              (DWORD)(whole >> 32U), (DWORD)whole, NULL);
    uint8_t *view;
    HANDLE sealed = NULL;
    DWORD code;

    (void)name;
    if (section == NULL) {
        return api_fault(fault, GetLastError(), NULL, "making a memory file");
    }
    view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    if (view != NULL) {
        memcpy(view, &size, sizeof(size));
        memcpy(view + sizeof(size), data, len);
        (void)UnmapViewOfFile(view);
        (void)DuplicateHandle(GetCurrentProcess(), section, GetCurrentProcess(), &sealed,
                              FILE_MAP_READ, FALSE, 0);
    }
    code = GetLastError();
    (void)CloseHandle(section);
    if (sealed == NULL) {
        return api_fault(fault, code, NULL, "filling a memory file");
    }
    *ret_fd = io_fd(sealed);
    return CORDON_OK;
}

/* Reads what may not be there without faulting. */
static bool peek(const void *at, void *to, size_t len)
{
    SIZE_T done = 0;

    return ReadProcessMemory(GetCurrentProcess(), at, to, len, &done) && done == len;
}

static enum cordon_err copy_view(const uint8_t *view, size_t max, const void **ret_data,
                                 size_t *ret_len, struct cordon_fault *fault)
{
    uint64_t size = 0;
    uint8_t *data;

    if (!peek(view, &size, sizeof(size)) || size == 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "memory file: empty or with holes");
    }
    if (size > max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "memory file: larger than %zu bytes", max);
    }
    data = malloc((size_t)size);
    if (data == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "memory file: out of memory");
    }
    if (!peek(view + sizeof(size), data, (size_t)size)) {
        free(data);
        return fault_set(fault, CORDON_E_INVALID, NULL, "memory file: shorter than it says");
    }
    *ret_data = data;
    *ret_len = (size_t)size;
    return CORDON_OK;
}

enum cordon_err ipc_map(int fd, size_t max, const void **ret_data, size_t *ret_len,
                        struct cordon_fault *fault)
{
    const uint8_t *view = MapViewOfFile(io_handle(fd), FILE_MAP_READ, 0, 0, 0);
    MEMORY_BASIC_INFORMATION info;
    enum cordon_err err;

    if (view == NULL) {
        return api_fault(fault, GetLastError(), NULL, "mapping a memory file");
    }
    /* Beyond the view is other memory of this process. */
    if (VirtualQuery(view, &info, sizeof(info)) == 0 || info.RegionSize < sizeof(uint64_t)) {
        err = fault_set(fault, CORDON_E_INVALID, NULL, "memory file: empty");
    } else {
        const size_t room = info.RegionSize - sizeof(uint64_t);

        err = copy_view(view, room < max ? room : max, ret_data, ret_len, fault);
    }
    (void)UnmapViewOfFile(view);
    return err;
}

void ipc_unmap(const void *data, size_t len)
{
    union {
        const void *in;
        void *out;
    } block = {data};

    (void)len;
    free(block.out);
}
