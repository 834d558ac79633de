/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/ipc.h"
#include "tests/support/fds.h"

static void send_raw(int fd, const void *data, size_t len, const int *fds, size_t fd_count)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(253 * sizeof(int))];
    } control;
    union {
        const void *in;
        void *out;
    } bytes = {data};
    struct iovec iov = {bytes.out, len};
    struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};

    memset(&control, 0, sizeof(control));
    if (fd_count > 0) {
        head.msg_control = &control;
        head.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds, fd_count * sizeof(int));
    }
    CHECK(sendmsg(fd, &head, 0) >= 0);
}

TEST(a_packet_arrives_as_it_was_sent)
{
    struct ipc_message message = {.type = IPC_SIGNAL, .job = 7, .u.signo = 9};
    struct ipc_packet packet;
    int pair[2];

    CHECK(ipc_pair(pair, NULL) == CORDON_OK);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_E_AGAIN);
    CHECK(ipc_send(pair[0], &message, pair, 1) == CORDON_OK);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_OK);
    CHECK(packet.message.type == IPC_SIGNAL && packet.message.job == 7 && packet.fd_count == 1);
    CHECK((fcntl(packet.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
    ipc_packet_close(&packet);
    (void)close(pair[0]);
    /* Another process closes what came, in its time: see host_close_foreign(). */
    CHECK(poll(&(struct pollfd){.fd = pair[1], .events = POLLIN}, 1, 60000) == 1);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_E_CLOSED);
    CHECK(ipc_send(pair[1], &message, NULL, 0) == CORDON_E_CLOSED);
    (void)close(pair[1]);
}

TEST(whatever_is_no_packet_is_refused_and_leaves_no_descriptor)
{
    struct ipc_message message = {.magic = IPC_MAGIC, .version = IPC_VERSION};
    const size_t sizes[] = {1, sizeof(message) - 1, sizeof(message) + 1};
    char block[sizeof(message) + 1];
    struct ipc_packet packet;
    int many[253];
    int pair[2];
    int before;

    CHECK(ipc_pair(pair, NULL) == CORDON_OK);
    before = fds_count();
    memset(block, 0, sizeof(block));
    memcpy(block, &message, sizeof(message));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        send_raw(pair[0], block, sizes[i], pair, 2);
        CHECK(ipc_recv(pair[1], &packet) == CORDON_E_PROTO);
    }
    message.magic++;
    send_raw(pair[0], &message, sizeof(message), pair, 2);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_E_PROTO);
    message.magic--;
    message.version++;
    send_raw(pair[0], &message, sizeof(message), pair, 2);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_E_PROTO);
    message.version--;
    for (size_t i = 0; i < 253; i++) {
        many[i] = pair[0];
    }
    send_raw(pair[0], &message, sizeof(message), many, 253);
    CHECK(ipc_recv(pair[1], &packet) == CORDON_E_PROTO);
    CHECK(fds_count() == before);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

TEST(a_full_queue_says_again)
{
    const struct ipc_message message = {.type = IPC_HALT};
    enum cordon_err err = CORDON_OK;
    int pair[2];

    CHECK(ipc_pair(pair, NULL) == CORDON_OK);
    for (int i = 0; err == CORDON_OK && i < 100000; i++) {
        err = ipc_send(pair[0], &message, NULL, 0);
    }
    CHECK(err == CORDON_E_AGAIN);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

TEST(a_sealed_memory_file_maps)
{
    const void *data;
    size_t len;
    int fd;

    CHECK(ipc_memfd("test", "hello", 6, &fd, NULL) == CORDON_OK);
    CHECK(ipc_map(fd, 6, &data, &len, NULL) == CORDON_OK);
    CHECK(len == 6 && strcmp(data, "hello") == 0);
    ipc_unmap(data, len);
    CHECK(ipc_map(fd, 5, &data, &len, NULL) == CORDON_E_LIMIT);
    CHECK(write(fd, "x", 1) < 0 && ftruncate(fd, 0) < 0);
    (void)close(fd);
}

TEST(what_may_change_or_fault_does_not_map)
{
    const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
    const int some[] = {0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW, F_SEAL_GROW | F_SEAL_SHRINK};
    const void *data;
    size_t len;
    int fd;

    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        CHECK(write(fd, "hello", 5) == 5 && fcntl(fd, F_ADD_SEALS, some[i]) == 0);
        CHECK(ipc_map(fd, 4096, &data, &len, NULL) == CORDON_E_INVALID);
        (void)close(fd);
    }
    fd = memfd_create("holes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(ftruncate(fd, 1 << 20) == 0 && fcntl(fd, F_ADD_SEALS, all) == 0);
    CHECK(ipc_map(fd, 1 << 21, &data, &len, NULL) == CORDON_E_INVALID);
    (void)close(fd);
    fd = memfd_create("empty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(fcntl(fd, F_ADD_SEALS, all) == 0);
    CHECK(ipc_map(fd, 4096, &data, &len, NULL) == CORDON_E_INVALID);
    (void)close(fd);
    fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CHECK(ipc_map(fd, 1 << 30, &data, &len, NULL) == CORDON_E_INVALID);
    (void)close(fd);
}

TEST_MAIN()
