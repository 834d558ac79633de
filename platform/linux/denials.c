/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/denials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/order.h"
#include "platform/platform.h"

#define CHANNEL_BYTES (512 * 1024) /* of kernel memory: some six hundred records */
#define RECORD_BYTES_MIN 512       /* that the kernel charges for the shortest */

/* It doubles what is asked for: socket(7). */
_Static_assert(2 * CHANNEL_BYTES / RECORD_BYTES_MIN <= PLATFORM_DENIALS_MAX,
               "all that the channel holds is taken at a job's end");

_Static_assert((int)IPC_SET_OWN == (int)ORDER_SET_OWN &&
                   (int)IPC_SET_MANAGED == (int)ORDER_SET_MANAGED &&
                   (int)IPC_SET_NONE == (int)ORDER_SET_COUNT,
               "a record names sets as an order does");

static int tally_make(void)
{
    const uint64_t none = 0;
    int fd = memfd_create("cordon-tally", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    /* Written, then sealed in its size: reading the page can never fault. */
    if (fd >= 0 && (write(fd, &none, sizeof(none)) != (ssize_t)sizeof(none) ||
                    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

enum cordon_err denials_open(struct denials *denials, int *ret_channel, int *ret_tally,
                             struct cordon_fault *fault)
{
    const int size = CHANNEL_BYTES;
    int pair[2] = {-1, -1};
    int tally = tally_make();
    void *page =
        tally < 0 ? MAP_FAILED : mmap(NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, tally, 0);

    if (page == MAP_FAILED ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        enum cordon_err err = fault_os(fault, errno, NULL, "cannot prepare reports of denials");

        if (page != MAP_FAILED) {
            (void)munmap(page, sizeof(uint64_t));
        }
        close_fd(&tally);
        return err;
    }
    /* A smaller buffer only has fewer records. */
    (void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    (void)shutdown(pair[1], SHUT_RD);
    *denials = (struct denials){.channel = pair[0], .tally = page};
    *ret_channel = pair[1];
    *ret_tally = tally;
    return CORDON_OK;
}

void denials_close(struct denials *denials)
{
    union {
        const uint64_t *in;
        void *out;
    } page = {.in = denials->tally};

    if (page.out != NULL) {
        (void)munmap(page.out, sizeof(uint64_t));
    }
    close_fd(&denials->channel);
    denials->tally = NULL;
}

static bool is_sound(const struct ipc_violation *violation, size_t len)
{
    return len >= IPC_VIOLATION_HEAD && violation->path_len < sizeof(violation->path) &&
           len == IPC_VIOLATION_HEAD + violation->path_len &&
           violation->operation > IPC_OPERATION_NONE &&
           violation->operation < IPC_OPERATION_COUNT && violation->mechanism > 0 &&
           violation->mechanism < IPC_MECHANISM_COUNT && violation->set <= IPC_SET_NONE &&
           memchr(violation->comm, '\0', sizeof(violation->comm)) != NULL &&
           memchr(violation->path, '\0', violation->path_len) == NULL;
}

static uint64_t tally_read(const struct denials *denials)
{
    return denials->tally == NULL ? 0 : __atomic_load_n(denials->tally, __ATOMIC_ACQUIRE);
}

enum cordon_err denials_receive(struct denials *denials, struct ipc_violation *ret_violation)
{
    struct ipc_violation *violation = ret_violation;
    uint64_t most;

    for (;;) {
        ssize_t len = denials->channel < 0
                          ? 0
                          : recv(denials->channel, violation, sizeof(*violation), MSG_TRUNC);

        if (len < 0) {
            return errno == EAGAIN || errno == EINTR ? CORDON_E_AGAIN : CORDON_E_CLOSED;
        }
        if (len == 0) {
            return CORDON_E_CLOSED;
        }
        if (is_sound(violation, (size_t)len)) {
            break;
        }
    }
    violation->path[violation->path_len] = '\0';
    /* No more than were counted: the sum stays right whatever a record says. */
    most = tally_read(denials) - denials->told;
    if (most == 0 || violation->lost > most - 1) {
        violation->lost = most == 0 ? 0 : most - 1;
    }
    denials->told += 1 + violation->lost;
    return CORDON_OK;
}

enum cordon_err denials_count(uint64_t count, uint64_t *told, struct ipc_violation *ret_violation)
{
    struct timespec now;

    if (count <= *told) {
        return CORDON_E_AGAIN;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    memset(ret_violation, 0, IPC_VIOLATION_HEAD);
    ret_violation->time_ms = (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
    ret_violation->lost = count - *told;
    ret_violation->set = IPC_SET_NONE;
    ret_violation->path[0] = '\0';
    *told = count;
    return CORDON_OK;
}

enum cordon_err denials_rest(struct denials *denials, struct ipc_violation *ret_violation)
{
    return denials_count(tally_read(denials), &denials->told, ret_violation);
}
