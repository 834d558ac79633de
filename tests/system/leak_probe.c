/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process sees of its place, one "KEY VALUE" a line: run by a login and
 * by its job, the two outputs are compared. Static, for a root without tools.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static void tell(const char *key, int failed)
{
    (void)printf("%s %s\n", key, failed ? strerrorname_np(errno) : "ok");
}

/* Lines of @path that begin with one of @words; all of them for NULL. */
static void copy(const char *path, const char *const *words)
{
    FILE *file = fopen(path, "re");
    char line[4096];

    if (file == NULL) {
        tell(path, 1);
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        bool wanted = words == NULL;

        for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
            wanted = wanted || strncmp(line, words[i], strlen(words[i])) == 0;
        }
        line[strcspn(line, "\n")] = '\0';
        if (wanted) {
            (void)printf("%s %s\n", path, line);
        }
    }
    (void)fclose(file);
}

/* Where something is mounted, and of what kind. */
static void mounts(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[4096];
    char place[2048];
    char kind[256];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *rest = strstr(line, " - ");

        if (rest != NULL && sscanf(line, "%*s %*s %*s %*s %2047s", place) == 1 &&
            sscanf(rest, " - %255s", kind) == 1) {
            (void)printf("mount %s %s\n", place, kind);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void names(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (dir == NULL) {
        tell(folder, 1);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            (void)printf("name %s/%s\n", folder, entry->d_name);
        }
    }
    (void)closedir(dir);
}

static void limits(void)
{
    struct rlimit limit;

    for (int which = 0; which < RLIM_NLIMITS; which++) {
        if (getrlimit((__rlimit_resource_t)which, &limit) == 0) {
            (void)printf("rlimit-%d %llu %llu\n", which, (unsigned long long)limit.rlim_cur,
                         (unsigned long long)limit.rlim_max);
        }
    }
}

static void memory(void)
{
    const size_t size = 4096;
    void *both =
        mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *later = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    tell("write-and-execute", both == MAP_FAILED);
    tell("write-then-execute", mprotect(later, size, PROT_READ | PROT_EXEC) != 0);
}

static void sockets(void)
{
    char key[32];

    for (int family = 1; family < 46; family++) {
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0) {
            fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, 0);
        }
        (void)snprintf(key, sizeof(key), "family-%d", family);
        tell(key, fd < 0);
    }
}

static void scheduling(void)
{
    struct sched_param best = {.sched_priority = 1};
    struct sched_param plain = {.sched_priority = 0};
    cpu_set_t set;

    CPU_ZERO(&set);
    (void)sched_getaffinity(0, sizeof(set), &set);
    (void)printf("cpus %d\n", CPU_COUNT(&set));
    (void)printf("policy %d nice %d ioprio %ld slack %d\n", sched_getscheduler(0),
                 getpriority(PRIO_PROCESS, 0), syscall(SYS_ioprio_get, 1, 0),
                 prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    tell("realtime", sched_setscheduler(0, SCHED_FIFO, &best) != 0);
    tell("batch", sched_setscheduler(0, SCHED_BATCH, &plain) != 0);
}

static void files(const char *folder)
{
    char path[256];
    mode_t mask = umask(0);
    int fd;

    (void)printf("umask %03o\n", (unsigned)mask);
    (void)snprintf(path, sizeof(path), "%s/leak-%d", folder, (int)getpid());
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    tell("create", fd < 0);
    tell("set-uid", fd >= 0 && fchmod(fd, 04700) != 0);
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
}

static void kernel(void)
{
    static const char *const status[] = {"Cap",    "NoNewPrivs", "Seccomp", "SigBlk",      "SigIgn",
                                         "Groups", "Uid",        "Gid",     "CoreDumping", NULL};
    static const char *const spaces[] = {"user", "time", "cgroup", "net", "ipc", "uts"};
    struct utsname name;

    copy("/proc/self/status", status);
    copy("/proc/self/oom_score_adj", NULL);
    copy("/proc/self/coredump_filter", NULL);
    copy("/proc/self/loginuid", NULL);
    copy("/proc/self/attr/current", NULL);
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        char path[64];
        char link[64] = "";

        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
        (void)!readlink(path, link, sizeof(link) - 1);
        (void)printf("space %s\n", link);
    }
    (void)uname(&name);
    (void)printf("host %s %s %s\n", name.nodename, name.domainname, name.machine);
    (void)printf("personality %x bits %d thp %d\n", (unsigned)personality(0xffffffffU),
                 prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    tell("personality", personality(ADDR_NO_RANDOMIZE) < 0);
    tell("memory-policy", syscall(SYS_set_mempolicy, 0, NULL, 0) != 0);
}

int main(int argc, char **argv)
{
    mounts();
    names("/tmp");
    names("/var/tmp");
    names("/dev");
    names("/home");
    names("/run");
    limits();
    memory();
    sockets();
    scheduling();
    files(argc > 1 ? argv[1] : "/tmp");
    kernel();
    return 0;
}
