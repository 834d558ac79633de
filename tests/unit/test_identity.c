/* SPDX-License-Identifier: Apache-2.0 */
/* A process becomes whom it is told of, wholly or not at all; what tells of nobody is refused. */
#include "broker/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/host.h"
#include "tests/support/deaf.h"
#include "tests/support/fds.h"

#define SOMEBODY 54321U
#define OTHER 54322U

static enum cordon_err told(const uint32_t *words, size_t len)
{
    int fd = -1;
    enum cordon_err err;

    CHECK(ipc_memfd("cordon-test", words, len, &fd, NULL) == CORDON_OK);
    err = identity_take(fd);
    host_close(fd);
    return err;
}

TEST(what_tells_of_nobody_is_refused)
{
    const uint32_t good[] = {IPC_MAGIC, SOMEBODY, SOMEBODY, 2, OTHER, SOMEBODY};
    const uint32_t magic[] = {IPC_MAGIC + 1, SOMEBODY, SOMEBODY, 0};
    const uint32_t count[] = {IPC_MAGIC, SOMEBODY, SOMEBODY, 1};
    const uint32_t over[] = {IPC_MAGIC, SOMEBODY, SOMEBODY, 0x40000001U, 7};
    const uid_t before = getuid();
    int open_before = fds_count();
    int fd;

    for (size_t len = 1; len < sizeof(good); len++) {
        CHECK(told(good, len) == CORDON_E_PROTO);
    }
    CHECK(told(magic, sizeof(magic)) == CORDON_E_PROTO);
    CHECK(told(count, sizeof(count)) == CORDON_E_PROTO);
    CHECK(told(over, sizeof(over)) == CORDON_E_PROTO);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(identity_take(fd) == CORDON_E_INVALID);
    host_close(fd);
    CHECK(getuid() == before && fds_count() == open_before);
}

/* Nothing of root's is left to get back by. */
static bool is_somebody(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    gid_t groups[3];

    return getuid() == SOMEBODY && geteuid() == SOMEBODY && getgid() == SOMEBODY &&
           getegid() == SOMEBODY && getgroups(3, groups) == 2 && groups[0] == SOMEBODY &&
           groups[1] == OTHER && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
           prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && setuid(0) != 0 && setgid(0) != 0 &&
           setgroups(0, NULL) != 0 && syscall(SYS_capget, &head, data) == 0 &&
           (data[0].permitted | data[0].inheritable | data[1].permitted) == 0;
}

static int become(int channel)
{
    struct ipc_packet packet;

    if (ipc_recv(channel, &packet) != CORDON_OK || packet.message.type != IPC_IDENTITY ||
        packet.fd_count != 1) {
        return 2;
    }
    /* As a service manager may set it: then a change of user alone drops nothing. */
    if (host_can_become() && prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0) {
        return 5;
    }
    if (!host_can_become()) {
        return identity_take(packet.fds[0]) == CORDON_E_OS ? 0 : 3;
    }
    return identity_take(packet.fds[0]) == CORDON_OK && is_somebody() ? 0 : 4;
}

TEST(who_is_told_becomes_him_for_good)
{
    uint32_t groups[] = {OTHER, SOMEBODY};
    struct platform_peer peer;
    struct channel channel;
    struct loop *loop;
    int pair[2];
    int status = -1;
    pid_t pid;

    memset(&peer, 0, sizeof(peer));
    peer.uid = peer.gid = SOMEBODY;
    peer.groups = groups;
    peer.group_count = 2;
    CHECK(loop_new(&loop) == CORDON_OK && ipc_pair(pair, NULL) == CORDON_OK);
    CHECK(channel_init(&channel, loop, pair[0], &deaf) == CORDON_OK);
    CHECK(identity_send(&channel, &peer) == CORDON_OK);
    pid = fork();
    if (pid == 0) {
        _exit(become(pair[1]));
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    peer.group_count = IDENTITY_GROUPS_MAX + 1;
    CHECK(identity_send(&channel, &peer) == CORDON_E_LIMIT);
    channel_deinit(&channel);
    host_close(pair[1]);
    loop_free(loop);
}

TEST_MAIN()
