/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start costs: from the start of a client to its exit status, contender after contender in
 * each round, so that drift of the machine meets all alike.
 *
 *   bench_start ROUNDS FILE
 *
 * FILE is as contender.h says. One JSON object a contender on standard output, with every single
 * time. Of a client, the processor time and the peak memory are those of its process and of what it
 * waited for; a peak is never told below this program's own, whose memory the client has until it
 * is executed. Ends with 1 when a command does not exit 0.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "contender.h"
#include "in_process.h"
#include "relay.h"

#define CONTENDERS 16U
#define WARM_UP 10U

struct sample {
    double us, cpu_us;
};

struct series {
    struct sample *samples; /* one a round that it took part in */
    size_t count;
    long rss_kib;
};

static struct contender contenders[CONTENDERS];
static struct series series[CONTENDERS];
static size_t count;

static double cpu_us(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static int run_client(const struct contender *c, struct rusage *ret_usage)
{
    const pid_t pid = contender_spawn(c);
    int status = -1;

    if (wait4(pid, &status, 0, ret_usage) != pid) {
        die("wait4");
    }
    return status;
}

static int run_here(const struct contender *c, struct rusage *ret_usage)
{
    struct rusage before;
    int status;

    (void)getrusage(RUSAGE_SELF, &before);
    status = c->relay != NULL ? relay_ask(c->relay) : in_process_run(c->mode, c->argv, c->env);
    (void)getrusage(RUSAGE_SELF, ret_usage);
    ret_usage->ru_utime.tv_sec -= before.ru_utime.tv_sec;
    ret_usage->ru_utime.tv_usec -= before.ru_utime.tv_usec;
    ret_usage->ru_stime.tv_sec -= before.ru_stime.tv_sec;
    ret_usage->ru_stime.tv_usec -= before.ru_stime.tv_usec;
    return status;
}

static struct sample once(const struct contender *c, long *rss_kib)
{
    const double began = now_us();
    struct rusage usage;
    const bool here = c->mode != NULL || c->relay != NULL;
    const int status = here ? run_here(c, &usage) : run_client(c, &usage);
    const struct sample sample = {now_us() - began, cpu_us(&usage)};

    if (status != 0) {
        (void)fprintf(stderr, "bench_start: %s: status %#x\n", c->name, (unsigned)status);
        exit(1);
    }
    if (usage.ru_maxrss > *rss_kib) {
        *rss_kib = usage.ru_maxrss;
    }
    return sample;
}

static void prepare(const struct contender *c)
{
    if (c->before != NULL) {
        char *const argv[] = {c->before, NULL};
        int status = -1;
        pid_t pid;

        if (posix_spawn(&pid, c->before, NULL, NULL, argv, c->env) != 0 ||
            waitpid(pid, &status, 0) != pid || status != 0) {
            die(c->before);
        }
    }
    if (c->pause_ms > 0) {
        sleep_ms(c->pause_ms);
    }
}

static void one_round(size_t round)
{
    /* A different one goes first each time. */
    for (size_t i = 0; i < count; i++) {
        const size_t at = (i + round) % count;
        const struct contender *c = &contenders[at];
        struct series *s = &series[at];
        struct sample sample = {0};

        if (round % c->every != 0) {
            continue;
        }
        prepare(c);
        for (unsigned n = 0; n < c->burst; n++) {
            sample = once(c, &s->rss_kib);
        }
        if (round >= WARM_UP) {
            s->samples[s->count++] = sample;
        }
    }
}

static int by_us(const void *a, const void *b)
{
    const double x = ((const struct sample *)a)->us;
    const double y = ((const struct sample *)b)->us;

    return (x > y) - (x < y);
}

static int by_cpu(const void *a, const void *b)
{
    const double x = ((const struct sample *)a)->cpu_us;
    const double y = ((const struct sample *)b)->cpu_us;

    return (x > y) - (x < y);
}

static void print_one(const struct contender *c, struct series *s, double *base)
{
    struct sample *sorted = calloc(s->count + 1, sizeof(*sorted));
    double median, p95, least, cpu;

    if (sorted == NULL || s->count == 0) {
        die("nothing was measured");
    }
    memcpy(sorted, s->samples, s->count * sizeof(*sorted));
    qsort(sorted, s->count, sizeof(*sorted), by_cpu);
    cpu = sorted[s->count / 2].cpu_us;
    qsort(sorted, s->count, sizeof(*sorted), by_us);
    median = sorted[s->count / 2].us;
    p95 = sorted[s->count * 95 / 100].us;
    least = sorted[0].us;
    free(sorted);
    *base = *base > 0 ? *base : median;
    (void)printf("{\"name\": \"%s\", \"rounds\": %zu, \"median_us\": %.1f, \"p95_us\": %.1f, "
                 "\"min_us\": %.1f, \"ratio\": %.2f, \"cpu_us\": %.0f, \"rss_kib\": %ld, \"us\": [",
                 c->name, s->count, median, p95, least, median / *base, cpu, s->rss_kib);
    for (size_t i = 0; i < s->count; i++) {
        (void)printf("%s%.1f", i == 0 ? "" : ", ", s->samples[i].us);
    }
    (void)printf("]}\n");
}

int main(int argc, char **argv)
{
    const size_t rounds = argc == 3 ? (size_t)strtoul(argv[1], NULL, 10) : 0;
    double base = 0;

    if (rounds == 0) {
        die("usage: bench_start ROUNDS FILE");
    }
    count = contenders_read(argv[2], contenders, CONTENDERS);
    for (size_t i = 0; i < count; i++) {
        series[i].samples = calloc(rounds + WARM_UP, sizeof(*series[i].samples));
        if (series[i].samples == NULL) {
            die("out of memory");
        }
        if (contenders[i].mode != NULL) {
            in_process_open();
        }
    }
    for (size_t round = 0; round < rounds + WARM_UP; round++) {
        one_round(round);
    }
    for (size_t i = 0; i < count; i++) {
        print_one(&contenders[i], &series[i], &base);
    }
    return 0;
}
