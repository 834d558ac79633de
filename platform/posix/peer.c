/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end of a connection. Facts come from the socket; what
 * only /proc knows is read before a check that the process still lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/platform.h"
#include "platform/posix/status.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#define GROUPS_MAX 65536U
#define OVERFLOW_UID 65534U
#define STATUS_MAX 8192U
#define LIMITS_MAX 4096U
#define WORD_SIZE 12U /* of a number with its NUL */
#define EMBEDDED "run it without the service: `cordon sandbox --embedded ...`"

void peer_deinit(struct platform_peer *peer)
{
    if (peer == NULL) {
        return;
    }
    free(peer->groups);
    peer->groups = NULL;
    if (peer->pidfd >= 0) {
        (void)close(peer->pidfd);
    }
    peer->pidfd = -1;
}

enum cordon_err peer_copy_key(const struct platform_peer *peer, struct platform_peer *ret_key)
{
    struct platform_peer key = *peer;

    key.pidfd = -1;
    key.groups = NULL;
    if (peer->group_count > 0) {
        key.groups = malloc(peer->group_count * sizeof(*key.groups));
        if (key.groups == NULL) {
            return CORDON_E_NOMEM;
        }
        memcpy(key.groups, peer->groups, peer->group_count * sizeof(*key.groups));
    }
    *ret_key = key;
    return CORDON_OK;
}

/* The numbers of the user, of his group, and of @groups_max of the others. */
enum cordon_err peer_words(const struct platform_peer *peer, size_t groups_max, char ***ret_words)
{
    const size_t groups = peer->group_count < groups_max ? peer->group_count : groups_max;
    const size_t count = 2 + groups;
    char **words = calloc(1, (count + 1) * sizeof(*words) + count * WORD_SIZE);
    char *text;

    if (words == NULL) {
        return CORDON_E_NOMEM;
    }
    text = (char *)(words + count + 1);
    for (size_t i = 0; i < count; i++, text += WORD_SIZE) {
        const uint32_t id = i == 0 ? peer->uid : i == 1 ? peer->gid : peer->groups[i - 2];

        (void)snprintf(text, WORD_SIZE, "%u", id);
        words[i] = text;
    }
    *ret_words = words;
    return CORDON_OK;
}

bool peer_same_key(const struct platform_peer *a, const struct platform_peer *b)
{
    return a->uid == b->uid && a->gid == b->gid && a->group_count == b->group_count &&
           strcmp(a->label, b->label) == 0 &&
           (a->group_count == 0 ||
            memcmp(a->groups, b->groups, a->group_count * sizeof(*a->groups)) == 0);
}

static bool read_text(const char *path, char *ret_text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, ret_text, size - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    ret_text[len < 0 ? 0 : len] = '\0';
    return len >= 0;
}

/* True where every user id of the host is one of ours too. */
static bool whole_user_namespace(void)
{
    char map[128];
    unsigned long inside, outside, count;

    return read_text("/proc/self/uid_map", map, sizeof(map)) &&
           sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
           outside == 0 && count >= UINT32_MAX;
}

static enum cordon_err take_credentials(int fd, struct platform_peer *peer,
                                        struct cordon_fault *fault)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
        return fault_os(fault, errno, NULL, "cannot tell who connected");
    }
    /* Someone from a user namespace that is not mapped here looks like "nobody". */
    if (cred.pid <= 0 || cred.uid == UINT32_MAX || cred.gid == UINT32_MAX ||
        (cred.uid == OVERFLOW_UID && !whole_user_namespace())) {
        return fault_set(fault, CORDON_E_DENIED, EMBEDDED,
                         "the caller has no identity on this host");
    }
    peer->uid = cred.uid;
    peer->gid = cred.gid;
    peer->pid = cred.pid;
    return CORDON_OK;
}

static int compare_groups(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static enum cordon_err take_groups(int fd, struct platform_peer *peer, struct cordon_fault *fault)
{
    socklen_t len = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0) {
        return CORDON_OK;
    }
    if (errno != ERANGE || len > GROUPS_MAX * sizeof(uint32_t)) {
        return fault_os(fault, errno, NULL, "cannot tell the caller's groups");
    }
    peer->groups = malloc(len);
    if (peer->groups == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &len) != 0) {
        return fault_os(fault, errno, NULL, "cannot tell the caller's groups");
    }
    peer->group_count = len / sizeof(uint32_t);
    qsort(peer->groups, peer->group_count, sizeof(uint32_t), compare_groups);
    return CORDON_OK;
}

static enum cordon_err take_label(int fd, struct platform_peer *peer, struct cordon_fault *fault)
{
    socklen_t len = sizeof(peer->label) - 1;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, peer->label, &len) == 0) {
        peer->label[len < sizeof(peer->label) ? len : sizeof(peer->label) - 1] = '\0';
        return CORDON_OK;
    }
    peer->label[0] = '\0';
    if (errno == ENOPROTOOPT || errno == EOPNOTSUPP || errno == EINVAL) {
        return CORDON_OK;
    }
    return fault_os(fault, errno, EMBEDDED, "cannot tell the caller's security label");
}

static bool is_alive(const struct platform_peer *peer)
{
    struct pollfd poll_fd = {.fd = peer->pidfd, .events = POLLIN};

    return peer->pidfd < 0 || poll(&poll_fd, 1, 0) == 0;
}

/*
 * Kernels before 6.5 have no SO_PEERPIDFD: then a process descriptor is made
 * from the number, and what is read through it is believed only as far as the
 * owner of that process is the owner of the connection.
 */
static void take_pidfd(int fd, struct platform_peer *peer)
{
    socklen_t len = sizeof(peer->pidfd);

    peer->pidfd = -1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &peer->pidfd, &len) != 0) {
        peer->pidfd = (int)syscall(SYS_pidfd_open, peer->pid, 0);
    }
    if (peer->pidfd >= 0) {
        (void)fcntl(peer->pidfd, F_SETFD, FD_CLOEXEC);
    }
}

/* An object, and the mount that it is reached through. */
struct place {
    bool known;
    struct statx at;
};

static bool place_of(const char *path, struct place *ret)
{
    ret->known = statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_INO | STATX_MNT_ID, &ret->at) == 0;
    return ret->known;
}

/* The peer's is ours, which never changes. */
static bool same_place(int32_t pid, const char *name, struct place *ours)
{
    char path[64];
    struct place its;

    (void)snprintf(path, sizeof(path), "/proc/self/%s", name);
    if (!ours->known && !place_of(path, ours)) {
        return false;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return place_of(path, &its) && its.at.stx_ino == ours->at.stx_ino &&
           its.at.stx_dev_major == ours->at.stx_dev_major &&
           its.at.stx_dev_minor == ours->at.stx_dev_minor &&
           its.at.stx_mnt_id == ours->at.stx_mnt_id;
}

/* What the caller has around it, and whether it is what the service has. */
struct surroundings {
    bool mounts, root, label;
};

static bool label_is_ours(const struct platform_peer *peer)
{
    char ours[128];

    if (peer->label[0] == '\0' || !read_text("/proc/self/attr/current", ours, sizeof(ours))) {
        return true;
    }
    ours[strcspn(ours, "\n")] = '\0';
    return strcmp(ours, peer->label) == 0;
}

static struct surroundings look_around(const struct platform_peer *peer)
{
    static struct place mounts;
    static struct place root;

    return (struct surroundings){.mounts = same_place(peer->pid, "ns/mnt", &mounts),
                                 .root = same_place(peer->pid, "root/", &root),
                                 .label = label_is_ours(peer)};
}

static enum cordon_err refuse_confined(const struct platform_peer *peer, const char *status,
                                       const struct surroundings *around,
                                       struct cordon_fault *fault)
{
    unsigned long no_new_privs = 1;

    if (!status_number(status, "\nNoNewPrivs:", 10, &no_new_privs) || no_new_privs != 0) {
        return fault_set(fault, CORDON_E_DENIED, EMBEDDED,
                         "the caller has no_new_privs set: it may be in a sandbox of its own, "
                         "which a job of the service would not be in");
    }
    if (!around->mounts) {
        return fault_set(fault, CORDON_E_DENIED, EMBEDDED,
                         "the caller is in another mount namespace than the service");
    }
    if (!around->root) {
        return fault_set(fault, CORDON_E_DENIED, EMBEDDED,
                         "the caller has another root directory than the service");
    }
    if (!around->label) {
        return fault_set(fault, CORDON_E_DENIED, EMBEDDED,
                         "the caller's security label is not the service's: %s", peer->label);
    }
    return CORDON_OK;
}

static uint64_t limit_value(const char *word)
{
    return strcmp(word, "unlimited") == 0 ? UINT64_MAX : strtoull(word, NULL, 10);
}

/*
 * One line a limit, in the order of their RLIMIT_ numbers, the name padded to
 * 26 columns: proc(5). prlimit() would need CAP_SYS_RESOURCE for another user.
 */
static void take_rlimits(struct platform_peer *peer)
{
    enum { NAME_WIDTH = 26 };
    char path[64];
    char text[LIMITS_MAX];
    char *rest = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)peer->pid);
    (void)read_text(path, text, sizeof(text));
    (void)strtok_r(text, "\n", &rest);
    for (unsigned i = 0; i < 16U; i++) {
        char *line = strtok_r(NULL, "\n", &rest);
        char *words = NULL;
        const char *soft;
        const char *hard;

        if (line == NULL || strlen(line) <= NAME_WIDTH) {
            return;
        }
        soft = strtok_r(line + NAME_WIDTH, " ", &words);
        hard = strtok_r(NULL, " ", &words);
        if (hard != NULL) {
            peer->rlimit[i].soft = limit_value(soft);
            peer->rlimit[i].hard = limit_value(hard);
            peer->rlimit_mask |= 1U << i;
        }
    }
}

static void take_limits(struct platform_peer *peer)
{
    char path[64];
    char text[32];

    take_rlimits(peer);
    errno = 0;
    peer->nice = getpriority(PRIO_PROCESS, (id_t)peer->pid);
    if (errno != 0) {
        peer->nice = 0;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)peer->pid);
    if (read_text(path, text, sizeof(text))) {
        peer->oom_score_adj = (int32_t)strtol(text, NULL, 10);
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)peer->pid);
    peer->loginuid = UINT32_MAX;
    if (read_text(path, text, sizeof(text)) && text[0] != '\0') {
        peer->loginuid = (uint32_t)strtoul(text, NULL, 10);
    }
}

static enum cordon_err read_status(bool embedded, const struct platform_peer *peer,
                                   char ret_status[STATUS_MAX], struct cordon_fault *fault)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)peer->pid);
    if (!read_text(path, ret_status, STATUS_MAX) || !is_alive(peer)) {
        return fault_set(fault, CORDON_E_CLOSED, NULL, "the caller has gone");
    }
    if (!embedded && !status_is_whole(ret_status, peer->uid, peer->gid)) {
        return fault_set(fault, CORDON_E_DENIED, EMBEDDED,
                         "the process that connected has changed its identity, or has more than "
                         "one: a setuid or setgid program?");
    }
    return CORDON_OK;
}

/*
 * Whose all this was the status says, which is read last: a setuid program that the caller has
 * become may have raised limits that are not his to give, and no_new_privs stays once it is set. By
 * then the process that connected has lived all the while, so all of it was that one's.
 */
static enum cordon_err take_attributes(bool embedded, struct platform_peer *peer,
                                       struct cordon_fault *fault)
{
    const struct surroundings around = embedded ? (struct surroundings){0} : look_around(peer);
    char status[STATUS_MAX];
    unsigned long mask = 022;
    enum cordon_err err;

    take_limits(peer);
    err = read_status(embedded, peer, status, fault);
    if (err == CORDON_OK && !embedded) {
        err = refuse_confined(peer, status, &around, fault);
    }
    if (err == CORDON_OK) {
        (void)status_number(status, "\nUmask:", 8, &mask);
        peer->umask = (uint32_t)mask & 0777U;
    }
    return err;
}

enum cordon_err peer_identify(int fd, bool embedded, struct platform_peer *ret_peer,
                              struct cordon_fault *fault)
{
    struct platform_peer peer = {.pidfd = -1};
    enum cordon_err err = take_credentials(fd, &peer, fault);

    if (err == CORDON_OK) {
        err = take_groups(fd, &peer, fault);
    }
    if (err == CORDON_OK) {
        err = take_label(fd, &peer, fault);
    }
    if (err == CORDON_OK) {
        take_pidfd(fd, &peer);
        err = take_attributes(embedded, &peer, fault);
    }
    if (err != CORDON_OK) {
        peer_deinit(&peer);
        return err;
    }
    *ret_peer = peer;
    return CORDON_OK;
}
