/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's side of cordon-index: it runs beside the jobs, and ends with the supervisor. */
#include "platform/linux/index_start.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/linux/index/begun.h"
#include "platform/linux/index/wire.h"
#include "platform/siblings.h"

static struct {
    struct host_child child;
    int asks;
    bool runs;
    unsigned number;
} helper;

/* What outlives a cordon-index, not the service: its start, and all of it. */
static struct {
    struct begun *begun;
    int fd;
} store = {.fd = -1};

static bool store_make(void)
{
    void *map = MAP_FAILED;
    int fd = memfd_create("cordon-store", MFD_CLOEXEC);

    if (fd >= 0 && ftruncate(fd, BEGUN_BYTES) == 0) {
        map = mmap(NULL, BEGUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (map != MAP_FAILED) {
        store.begun = map;
        store.fd = fd;
        return true;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return false;
}

/* False: it cannot be handed over. */
static bool store_send(int socket)
{
    struct index_request request = {.magic = INDEX_MAGIC, .want = INDEX_STORE};

    if (store.fd < 0 && !store_make()) {
        return false;
    }
    begun_lose(store.begun);
    return pass_send(socket, &request, sizeof(request), PASS_ONE(store.fd));
}

static enum cordon_err start(struct cordon_fault *fault)
{
    char path[512];
    char name[] = "cordon-index";
    char *argv[] = {name, NULL};
    struct host_start what = {.program = path, .argv = argv, .output = -1, .keep_stderr = true};
    enum cordon_err err = sibling_path(name, path, sizeof(path), fault);
    int pair[2];

    if (err != CORDON_OK) {
        return err;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return CORDON_E_OS;
    }
    what.channel = pair[1];
    err = store_send(pair[0]) ? host_start(&what, &helper.child, fault) : CORDON_E_OS;
    (void)close(pair[1]);
    if (err != CORDON_OK) {
        (void)close(pair[0]);
        return err;
    }
    helper.asks = pair[0];
    helper.runs = true;
    helper.number++;
    return CORDON_OK;
}

unsigned index_number(void)
{
    return helper.number;
}

static bool index_lives(unsigned number)
{
    struct pollfd asks = {.fd = helper.asks};

    return helper.runs && helper.number == number && poll(&asks, 1, 0) == 0;
}

bool index_begins(unsigned number, int pid, uint32_t uid)
{
    return index_lives(number) && begun_add(store.begun, pid, uid);
}

void index_begins_not(int pid)
{
    begun_remove(store.begun, pid);
}

int index_started(void)
{
    struct cordon_fault fault;
    char how[64];

    if (helper.runs && host_child_reap(&helper.child, how, sizeof(how)) == CORDON_OK) {
        host_child_deinit(&helper.child);
        (void)close(helper.asks);
        helper.runs = false;
    }
    if (!helper.runs && start(&fault) != CORDON_OK) {
        return -1;
    }
    return helper.asks;
}
