/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the kernel's own program decides. The service has the loader try it
 * when it starts and holds a lock on the folder of the pins as long as it lives;
 * for others a held lock says that it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/linux/backend.h"
#include "platform/linux/bpf/call.h"
#include "platform/linux/bpf/shape.h"
#include "platform/linux/bpf_jobs.h"
#include "platform/siblings.h"

#define BPF_FILE_SYSTEM 0xcafe4a11U /* linux/magic.h */
#define LOAD_MS 120000              /* a second on hardware; emulated machines are slower */

static char evidence[256];
static enum { UNKNOWN, DECIDES, REFUSED } found; /* by bpf_start() */

static bool say(const char *text)
{
    (void)snprintf(evidence, sizeof(evidence), "%.250s", text);
    return false;
}

/* The folder of the pins, which only root may enter. -1: there cannot be one. */
static int folder_open(void)
{
    struct statfs fs;

    if (statfs("/sys/fs/bpf", &fs) != 0 || (uint32_t)fs.f_type != BPF_FILE_SYSTEM) {
        (void)say("no bpf file system is mounted on /sys/fs/bpf");
        return -1;
    }
    if (mkdir(BPF_FOLDER, 0700) != 0 && errno != EEXIST) {
        (void)say("the bpf file system cannot be written");
        return -1;
    }
    return open(BPF_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The loader's line into @evidence; true: it says that the program was seen to refuse. */
static bool loader_hear(int out, struct host_child *child)
{
    struct pollfd wait = {.fd = out, .events = POLLIN};
    char how[64] = "";
    size_t len = 0;

    while (len < sizeof(evidence) - 1 && poll(&wait, 1, LOAD_MS) > 0) {
        ssize_t got = read(out, evidence + len, sizeof(evidence) - 1 - len);

        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    evidence[len] = '\0';
    evidence[strcspn(evidence, "\n")] = '\0';
    for (int tries = 0; tries < 100 && host_child_reap(child, how, sizeof(how)) != CORDON_OK;
         tries++) {
        (void)poll(NULL, 0, 10);
    }
    host_child_deinit(child);
    return strcmp(how, "exited with 0") == 0;
}

/* @pin: and leave it in force. */
static bool loader_run(bool pin)
{
    char program[512];
    char name[] = "cordon-bpf";
    char folder[] = BPF_FOLDER;
    char *argv[] = {name, pin ? folder : NULL, NULL};
    struct host_start start = {.program = program, .argv = argv, .channel = -1, .output = -1};
    struct host_child child = {.pidfd = -1};
    struct cordon_fault fault = {0};
    int ends[2] = {-1, -1};
    bool decides = false;

    if (sibling_path("cordon-bpf", program, sizeof(program), &fault) != CORDON_OK) {
        return say("cordon-bpf is not installed");
    }
    if (host_pipe(ends, &fault) != CORDON_OK) {
        return say(fault.text);
    }
    start.output = ends[1];
    if (host_start(&start, &child, &fault) == CORDON_OK) {
        (void)close(ends[1]);
        ends[1] = -1;
        decides = loader_hear(ends[0], &child);
    } else {
        (void)say(fault.text);
    }
    host_close(ends[0]);
    host_close(ends[1]);
    return decides;
}

/* The descriptor of the folder stays open for the life of this process, and with it the lock. */
static bool take(bool (*open_maps)(void))
{
    int folder = folder_open();

    if (folder < 0) {
        return false;
    }
    if (flock(folder, LOCK_EX | LOCK_NB) != 0) {
        (void)say("another broker uses it");
    } else if (loader_run(true) && (open_maps() || say("its maps cannot be opened"))) {
        return true;
    }
    (void)close(folder);
    return false;
}

bool bpf_start(bool (*open_maps)(void))
{
    found = take(open_maps) ? DECIDES : REFUSED;
    return found == DECIDES;
}

/* A lock that is held says that a broker lives, a link that its program is in force. */
static bool in_force(void)
{
    int folder = open(BPF_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool held = folder >= 0 && flock(folder, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK &&
                faccessat(folder, "link-0", F_OK, 0) == 0;

    if (folder >= 0) {
        (void)close(folder);
    }
    return held;
}

/* The service's loader keeps the kernel's answer. */
static bool was_refused(void)
{
    struct shape_refusal refusal;
    const uint32_t zero = 0;
    int map = sys_bpf_get(BPF_FOLDER "/" SHAPE_REFUSED);
    bool known = map >= 0 && sys_bpf_lookup(map, &zero, &refusal) == 0;

    if (known) {
        refusal.reason[sizeof(refusal.reason) - 1] = '\0';
        (void)say(refusal.reason);
    }
    host_close(map);
    return known;
}

bool bpf_decides(const char **ret_why)
{
    *ret_why = evidence;
    if (found != UNKNOWN) {
        return found == DECIDES;
    }
    if (!linux_is_privileged()) {
        return say("only a privileged process can load it; the service decides");
    }
    if (in_force()) {
        (void)say("the service's program is in force");
        return true;
    }
    if (evidence[0] == '\0' && !was_refused() && loader_run(false)) {
        (void)say("it works, but no service has it in force");
    }
    return false;
}
