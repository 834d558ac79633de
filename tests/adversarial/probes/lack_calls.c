/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-24: runs a command as if the kernel lacked something.
 *
 *   lack_calls landlock|userns|bpf|fanotify|groups|limits|threads CMD...
 *
 * The calls fail as they do where it is not built in or switched off, for the command and
 * whatever it starts. "groups": root has none left for the groups of a job (the trial at the
 * service's start, which has few marks, gets its own). "limits": none can be set.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/fanotify.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define FAIL(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define HAS(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)

static struct sock_filter landlock[] = {LOAD(nr),      IS(444, 2, 0), IS(445, 1, 0),
                                        IS(446, 0, 1), FAIL(ENOSYS),  PASS};
static struct sock_filter bpf[] = {LOAD(nr), IS(SYS_bpf, 0, 1), FAIL(EPERM), PASS};
static struct sock_filter fanotify[] = {LOAD(nr), IS(SYS_fanotify_init, 0, 1), FAIL(ENOSYS), PASS};
static struct sock_filter groups[] = {LOAD(nr),      IS(SYS_fanotify_init, 0, 3),
                                      LOAD(args[0]), HAS(FAN_UNLIMITED_MARKS, 0, 1),
                                      FAIL(EMFILE),  PASS};
/* With no new limits it only asks. */
static struct sock_filter limits[] = {
    LOAD(nr), IS(SYS_prlimit64, 0, 3), LOAD(args[2]), IS(0, 1, 0), FAIL(EPERM), PASS};
/* clone3() hides its flags; the product asks for user namespaces by clone(). */
static struct sock_filter userns[] = {
    LOAD(nr),      IS(SYS_clone, 1, 0),      IS(SYS_unshare, 0, 3),
    LOAD(args[0]), HAS(CLONE_NEWUSER, 0, 1), FAIL(ENOSPC),
    PASS};

static struct sock_filter threads[] = {LOAD(nr),
                                       IS(SYS_clone3, 5, 0),
                                       IS(SYS_clone, 0, 3),
                                       LOAD(args[0]),
                                       HAS(CLONE_THREAD, 0, 1),
                                       FAIL(EAGAIN),
                                       PASS,
                                       FAIL(ENOSYS)};

static const struct {
    const char *name;
    struct sock_fprog program;
} lacks[] = {
    {"landlock", {sizeof(landlock) / sizeof(landlock[0]), landlock}},
    {"bpf", {sizeof(bpf) / sizeof(bpf[0]), bpf}},
    {"fanotify", {sizeof(fanotify) / sizeof(fanotify[0]), fanotify}},
    {"groups", {sizeof(groups) / sizeof(groups[0]), groups}},
    {"limits", {sizeof(limits) / sizeof(limits[0]), limits}},
    {"threads", {sizeof(threads) / sizeof(threads[0]), threads}},
    {"userns", {sizeof(userns) / sizeof(userns[0]), userns}},
};

static int load(const struct sock_fprog *program)
{
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof(lacks) / sizeof(lacks[0]); i++) {
        if (strcmp(argv[1], lacks[i].name) != 0) {
            continue;
        }
        /* Root's service keeps what no_new_privs would take. */
        if (load(&lacks[i].program) != 0 &&
            (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || load(&lacks[i].program) != 0)) {
            perror("seccomp");
            return 70;
        }
        (void)execvp(argv[2], argv + 2);
        perror(argv[2]);
        return 127;
    }
    return 64;
}
