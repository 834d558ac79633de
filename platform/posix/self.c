/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/host.h"

_Static_assert(SIGKILL == HOST_SIGNAL_KILL, "the protocol has that number");
const uint32_t host_signal_stop = SIGSTOP;

void host_harden(void)
{
    struct rlimit files;

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* what is too large is an error of write(2) */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

void host_harden_worker(void)
{
    const struct rlimit no_core = {0, 0};

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* what is too large is an error of write(2) */
}

bool host_is_root(void)
{
    return geteuid() == 0;
}

bool host_can_become(void)
{
    return host_is_root();
}

/* Whatever the service manager has told the kernel to keep when a user changes. */
static bool capabilities_drop(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    return syscall(SYS_capset, &head, data) == 0 && syscall(SYS_capget, &head, data) == 0 &&
           (data[0].effective | data[0].permitted | data[0].inheritable | data[1].effective |
            data[1].permitted | data[1].inheritable) == 0;
}

enum cordon_err host_become(const struct platform_peer *as)
{
    if (setgroups(as->group_count, as->groups) != 0 || setresgid(as->gid, as->gid, as->gid) != 0 ||
        setresuid(as->uid, as->uid, as->uid) != 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || (as->uid != 0 && !capabilities_drop())) {
        return CORDON_E_OS;
    }
    host_harden_worker(); /* a change of user takes back some of it */
    return CORDON_OK;
}

uint32_t host_uid(void)
{
    return geteuid();
}

int32_t host_pid(void)
{
    return getpid();
}

void host_fill_stdio(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", O_RDWR); /* takes the lowest free number: this one */
        }
    }
}

void host_name(char *ret_name, size_t size)
{
    if (gethostname(ret_name, size) != 0) {
        ret_name[0] = '\0';
    }
    ret_name[size - 1] = '\0';
}

void host_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

uint64_t host_now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

uint64_t host_unix_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

void host_time(char ret_text[HOST_TIME_MAX])
{
    host_time_of(host_unix_ms(), ret_text);
}

void host_time_of(uint64_t unix_ms, char ret_text[HOST_TIME_MAX])
{
    const time_t seconds = (time_t)(unix_ms / 1000U);
    struct tm utc = {.tm_year = 0};

    (void)gmtime_r(&seconds, &utc);
    (void)snprintf(ret_text, HOST_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                   utc.tm_year % 8100 + 1900, (utc.tm_mon + 1) % 13, utc.tm_mday % 32,
                   utc.tm_hour % 24, utc.tm_min % 60, utc.tm_sec % 61, (int)(unix_ms % 1000U));
}
