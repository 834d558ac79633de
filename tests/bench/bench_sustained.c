/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many starts a second: so many clients of a contender at once, a new one whenever one ends,
 * for a slice of time; the contenders in turn, so that drift of the machine meets all alike.
 *
 *   bench_sustained SLICES SLICE_MS FILE CLIENTS...
 *
 * FILE is as contender.h says; of its words pause: is waited before each slice, the others of time
 * mean nothing here. One JSON object a contender and number of clients on standard output. The time
 * of a slice ends with its last client. Ends with 1 when a client does not exit 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "contender.h"

#define CONTENDERS 8U
#define CLIENTS_MAX 1024U
#define SLICES_MAX 1000U

static struct contender contenders[CONTENDERS];
static double rates[CONTENDERS][SLICES_MAX];
static unsigned long errors[CONTENDERS];

/* Jobs a second. */
static double slice(const struct contender *c, unsigned clients, double us,
                    unsigned long *ret_errors)
{
    const double began = now_us();
    unsigned long ended = 0;
    unsigned running = 0;

    while (running < clients) {
        (void)contender_spawn(c);
        running++;
    }
    while (running > 0) {
        int status = -1;

        if (waitpid(-1, &status, 0) < 0) {
            die("waitpid");
        }
        running--;
        ended++;
        *ret_errors += status != 0;
        if (now_us() - began < us) {
            (void)contender_spawn(c);
            running++;
        }
    }
    return (double)ended * 1e6 / (now_us() - began);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_one(const struct contender *c, unsigned clients, const double *rate,
                      unsigned slices, unsigned long failed)
{
    double sorted[SLICES_MAX];

    memcpy(sorted, rate, slices * sizeof(*rate));
    qsort(sorted, slices, sizeof(*sorted), ascending);
    (void)printf("{\"name\": \"%s\", \"clients\": %u, \"median_per_s\": %.1f, "
                 "\"best_per_s\": %.1f, \"errors\": %lu, \"per_s\": [",
                 c->name, clients, sorted[slices / 2], sorted[slices - 1], failed);
    for (unsigned i = 0; i < slices; i++) {
        (void)printf("%s%.1f", i == 0 ? "" : ", ", rate[i]);
    }
    (void)printf("]}\n");
}

static unsigned number(const char *word, unsigned max)
{
    char *end;
    const unsigned long n = strtoul(word, &end, 10);

    if (end == word || *end != '\0' || n == 0 || n > max) {
        die("usage: bench_sustained SLICES SLICE_MS FILE CLIENTS...");
    }
    return (unsigned)n;
}

int main(int argc, char **argv)
{
    const unsigned slices = number(argc > 4 ? argv[1] : "", SLICES_MAX);
    const unsigned ms = number(argv[2], 100000);
    const size_t count = contenders_read(argv[3], contenders, CONTENDERS);
    unsigned long failed = 0;

    for (int arg = 4; arg < argc; arg++) {
        const unsigned clients = number(argv[arg], CLIENTS_MAX);

        memset(errors, 0, sizeof(errors));
        for (unsigned i = 0; i < slices; i++) {
            for (size_t n = 0; n < count; n++) {
                const size_t at = (n + i) % count;

                sleep_ms(contenders[at].pause_ms);
                rates[at][i] = slice(&contenders[at], clients, ms * 1e3, &errors[at]);
            }
        }
        for (size_t at = 0; at < count; at++) {
            print_one(&contenders[at], clients, rates[at], slices, errors[at]);
            failed += errors[at];
        }
        (void)fflush(stdout);
    }
    return failed != 0;
}
