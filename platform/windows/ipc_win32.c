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

/* SectionBasicInformation */
struct section_info {
    void *base;
    ULONG attributes; /* SEC_* */
    LARGE_INTEGER size;
};
NTSTATUS NTAPI NtQuerySection(HANDLE section, ULONG class, void *info, SIZE_T size, SIZE_T *len);
#ifndef SEC_FILE
#define SEC_FILE 0x00800000U
#endif

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

/* Its handles are pushed into that process with this one's own rights, the caller's. */
enum cordon_err host_meet(int channel, uint32_t pid)
{
    const HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);

    return process != NULL && io_set_process(channel, process) ? CORDON_OK : CORDON_E_OS;
}

enum cordon_err host_send_record(int fd, const void *record, size_t size, const int *fds,
                                 size_t fd_count)
{
    const struct io_sent sent = {record, size, fds, fd_count};

    return io_send(fd, &sent);
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
                              FILE_MAP_READ | SECTION_QUERY, FALSE, 0);
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

/* Memory of the system's own alone, all of it there: reading a file of somebody's may take as long
 * as he likes. */
static enum cordon_err check_section(HANDLE section, size_t *ret_room, struct cordon_fault *fault)
{
    struct section_info info;

    if (NtQuerySection(section, 0, &info, sizeof(info), NULL) < 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "memory file: cannot be examined");
    }
    if ((info.attributes & (SEC_FILE | SEC_IMAGE | SEC_RESERVE)) != 0 ||
        (info.attributes & SEC_COMMIT) == 0 || info.size.QuadPart <= (LONGLONG)sizeof(uint64_t)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "memory file: empty, with holes or a file");
    }
    *ret_room = (size_t)info.size.QuadPart - sizeof(uint64_t);
    return CORDON_OK;
}

enum cordon_err ipc_map(int fd, size_t max, const void **ret_data, size_t *ret_len,
                        struct cordon_fault *fault)
{
    const uint8_t *view;
    size_t room = 0;
    enum cordon_err err = check_section(io_handle(fd), &room, fault);

    if (err != CORDON_OK) {
        return err;
    }
    view = MapViewOfFile(io_handle(fd), FILE_MAP_READ, 0, 0, 0);
    if (view == NULL) {
        return api_fault(fault, GetLastError(), NULL, "mapping a memory file");
    }
    /* Beyond the view is other memory of this process. */
    err = copy_view(view, room < max ? room : max, ret_data, ret_len, fault);
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
