/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-14: the filtered calls through foreign doors. Built twice: with -m32 the
 * calls go through int 0x80 with i386 numbers, else through syscall with the
 * x32 bit. Each must fail or kill. Exit status 1 if any succeeded.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct probe_call {
    const char *name;
    long i386, x32;
    long a, b, c;
};

static char nowhere[] = "/tmp";

/* Arguments with which an unconfined, unprivileged process would succeed where one can. */
static const struct probe_call calls[] = {
    {"unshare", 310, 272, 0x10000000, 0, 0}, /* CLONE_NEWUSER */
    {"clone", 120, 56, 0x10000011, 0, 0},
    {"mount", 21, 165, 0, (long)nowhere, 0},
    {"umount2", 52, 166, (long)nowhere, 2, 0},
    {"pivot_root", 217, 155, (long)nowhere, (long)nowhere, 0},
    {"chroot", 61, 161, (long)nowhere, 0, 0},
    {"setns", 346, 308, -1, 0, 0},
    {"open_tree", 428, 428, -100, (long)nowhere, 1},
    {"move_mount", 429, 429, -1, (long)nowhere, -1},
    {"fsopen", 430, 430, (long)nowhere, 0, 0},
    {"fsmount", 432, 432, -1, 0, 0},
    {"mount_setattr", 442, 442, -100, (long)nowhere, 0},
    {"add_key", 286, 248, (long)nowhere, (long)nowhere, 0},
    {"request_key", 287, 249, (long)nowhere, (long)nowhere, 0},
    {"keyctl", 288, 250, 0, -3, 1}, /* GET_KEYRING_ID of the session's */
    {"bpf", 357, 321, 0, 0, 0},
    {"perf_event_open", 336, 298, 0, 0, -1},
    {"io_uring_setup", 425, 425, 1, 0, 0},
    {"userfaultfd", 374, 323, 1, 0, 0},
    {"kexec_load", 283, 528, 0, 0, 0},
    {"init_module", 128, 175, 0, 0, 0},
    {"open_by_handle_at", 342, 304, -100, 0, 0},
    {"process_vm_readv", 347, 539, 1, 0, 0},
    {"ptrace", 26, 521, 16, 1, 0}, /* ATTACH to pid 1 */
    {"pidfd_getfd", 438, 438, -1, 0, 0},
};

static long foreign(const struct probe_call *call)
{
    long result;

#ifdef __i386__
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(call->i386), "b"(call->a), "c"(call->b), "d"(call->c), "S"(0), "D"(0)
                     : "memory");
#else
    register long r10 __asm__("r10") = 0;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(call->x32 | 0x40000000L), "D"(call->a), "S"(call->b), "d"(call->c),
                       "r"(r10)
                     : "rcx", "r11", "memory");
#endif
    return result;
}

static int one_call(const struct probe_call *call)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        long result = foreign(call);

        _exit(result >= 0 ? 0 : result > -127 ? (int)-result : 127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return 1;
    }
    if (WIFSIGNALED(status)) {
        (void)printf("%s: REFUSED (killed by %d)\n", call->name, WTERMSIG(status));
        return 0;
    }
    if (WEXITSTATUS(status) != 0) {
        (void)printf("%s: REFUSED (%s)\n", call->name, strerror(WEXITSTATUS(status)));
        return 0;
    }
    (void)printf("%s: SUCCEEDED\n", call->name);
    return 1;
}

int main(void)
{
    int bad = 0;

    (void)setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bad |= one_call(&calls[i]);
    }
    return bad;
}
