/* SPDX-License-Identifier: Apache-2.0 */
/* bench_open FILE COUNT: nanoseconds of one open and close of FILE, the best of ten parts. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PARTS 10

static double now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    const long count = argc == 3 ? strtol(argv[2], NULL, 10) / PARTS : 0;
    double best = 0;

    if (count <= 0) {
        (void)fprintf(stderr, "usage: bench_open FILE COUNT\n");
        return 2;
    }
    for (int part = 0; part < PARTS; part++) {
        const double began = now_ns();
        double took;

        for (long i = 0; i < count; i++) {
            int fd = open(argv[1], O_RDONLY | O_CLOEXEC);

            if (fd < 0 || close(fd) != 0) {
                perror(argv[1]);
                return 1;
            }
        }
        took = (now_ns() - began) / (double)count;
        best = part == 0 || took < best ? took : best;
    }
    (void)printf("%.0f\n", best);
    return 0;
}
