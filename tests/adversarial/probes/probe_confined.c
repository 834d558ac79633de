/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-09, MT-10, MT-23: is this process confined? Arguments: a file that the
 * policy denies, a file outside every write root. One line: "confined", or
 * "UNCONFINED" and everything that is missing; exit status 0 or 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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
    if (argc > 1 && open(argv[1], O_RDONLY | O_CLOEXEC) >= 0) {
        strncat(missing, " denied-file-readable", 24);
    }
    if (argc > 2 && open(argv[2], O_WRONLY | O_CLOEXEC) >= 0) {
        strncat(missing, " outside-writable", 24);
    }
    if (syscall(SYS_unshare, 0x10000000) == 0) {
        strncat(missing, " user-namespace", 20);
    }
    (void)printf("%s%s uid=%u\n", missing[0] != '\0' ? "UNCONFINED" : "confined", missing,
                 (unsigned)geteuid());
    return missing[0] != '\0';
}
