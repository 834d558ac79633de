/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-09, MT-10, MT-22, MT-23: is this process confined? Arguments: files that the
 * policy denies, and sockets of the host; files=N and memory=BYTES: its limits. One line:
 * "confined", or "UNCONFINED" and everything that is missing; exit status 0 or 1.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const want[] = {
    "CapInh:\t0000000000000000",
    "CapPrm:\t0000000000000000",
    "CapEff:\t0000000000000000",
    "CapBnd:\t0000000000000000",
    "CapAmb:\t0000000000000000",
    "NoNewPrivs:\t1",
    "Seccomp:\t2",
};

static size_t read_status(char *text, size_t room)
{
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, room - 1);

    text[len > 0 ? len : 0] = '\0';
    (void)close(fd);
    return len > 0 ? (size_t)len : 0;
}

static int is_reached(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return open(path, O_RDONLY | O_CLOEXEC) >= 0 ||
           connect(sock, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

/* memory.max of its control group; 0: there is none. */
static unsigned long long memory_limit(void)
{
    char line[512] = "";
    char path[600];
    unsigned long long most = 0;
    FILE *file = fopen("/proc/self/cgroup", "r");

    while (file != NULL && strncmp(line, "0::", 3) != 0 && fgets(line, sizeof(line), file)) {
    }
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", line + 3);
    file = fopen(path, "r");
    return file != NULL && fscanf(file, "%llu", &most) == 1 ? most : 0;
}

/* True for a word that names a limit; adds to @missing if it is not in force. */
static bool is_limit(const char *word, char *missing)
{
    struct rlimit files = {0, 0};

    if (strncmp(word, "files=", 6) == 0) {
        (void)getrlimit(RLIMIT_NOFILE, &files);
        strncat(missing, files.rlim_max == strtoul(word + 6, NULL, 10) ? "" : " files", 8);
        return true;
    }
    if (strncmp(word, "memory=", 7) == 0) {
        strncat(missing, memory_limit() == strtoull(word + 7, NULL, 10) ? "" : " memory", 8);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    static char status[1 << 14];
    char missing[512] = "";
    size_t len = read_status(status, sizeof(status));

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]) && len > 0; i++) {
        if (strstr(status, want[i]) == NULL) {
            strncat(missing, " ", 2);
            strncat(missing, want[i], 40);
        }
    }
    if (len == 0) {
        strncat(missing, " no-status", 12);
    }
    for (int i = 1; i < argc; i++) {
        const char *slash = strrchr(argv[i], '/');

        if (!is_limit(argv[i], missing) && is_reached(argv[i])) {
            strncat(missing, " readable:", 12);
            strncat(missing, slash == NULL ? argv[i] : slash + 1, 40);
        }
    }
    if (syscall(SYS_unshare, 0x10000000) == 0) {
        strncat(missing, " user-namespace", 20);
    }
    (void)printf("%s%s uid=%u\n", missing[0] != '\0' ? "UNCONFINED" : "confined", missing,
                 (unsigned)geteuid());
    return missing[0] != '\0';
}
