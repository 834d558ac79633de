/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many clients at once: keeps CONCURRENT jobs of the command running until JOBS have ended, each
 * under the next of POLICIES (CODEX_HOME=PREFIX0, PREFIX1, ...), and kills KILLED in a thousand
 * of the clients at any moment of theirs.
 *
 *   bench_load JOBS CONCURRENT KILLED POLICIES PREFIX CMD...
 *
 * One JSON object on standard output. Ends with 1 when a client that was not killed did not exit 0.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONCURRENT_MAX 1024U
#define LIFE_US 4000U /* of a client, about: when those are killed that are */

struct client {
    pid_t pid; /* 0: none */
    double began;
    double kill_at; /* 0: is left alone, or was killed */
    int killed;
};

static struct client clients[CONCURRENT_MAX];
static struct {
    unsigned long jobs, started, ended, killed, failed;
    unsigned concurrent, kills, policies;
    const char *prefix;
    char **argv;
    double *us; /* of each that was not killed */
    size_t us_count;
    uint64_t seed;
} load;

static double now_us(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

/* splitmix64: the same run again with the same numbers. */
static uint64_t random_below(uint64_t bound)
{
    uint64_t x = load.seed += 0x9e3779b97f4a7c15ULL;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return (x ^ (x >> 31)) % bound;
}

static void start(struct client *client)
{
    static char path[] = "PATH=/usr/bin:/bin";
    static char home[4096];
    static char policy[4096];
    char *const env[] = {path, home, policy, NULL};
    int err;

    (void)snprintf(home, sizeof(home), "HOME=%s", getenv("HOME") != NULL ? getenv("HOME") : "/");
    (void)snprintf(policy, sizeof(policy), "CODEX_HOME=%s%lu", load.prefix,
                   load.started % load.policies);
    *client = (struct client){.began = now_us()};
    err = posix_spawn(&client->pid, load.argv[0], NULL, NULL, load.argv, env);
    if (err != 0) {
        (void)fprintf(stderr, "bench_load: %s: %s\n", load.argv[0], strerror(err));
        exit(1);
    }
    load.started++;
    if (random_below(1000) < load.kills) {
        client->kill_at = client->began + (double)random_below(LIFE_US);
    }
}

/* The time until the next one is to be killed. */
static double kill_due(void)
{
    const double now = now_us();
    double wait = 1e6;

    for (unsigned i = 0; i < load.concurrent; i++) {
        struct client *client = &clients[i];

        if (client->pid == 0 || client->kill_at <= 0) {
            continue;
        }
        if (client->kill_at <= now) {
            client->kill_at = 0;
            client->killed = 1;
            (void)kill(client->pid, SIGKILL);
        } else if (client->kill_at - now < wait) {
            wait = client->kill_at - now;
        }
    }
    return wait;
}

static void take(pid_t pid, int status)
{
    for (unsigned i = 0; i < load.concurrent; i++) {
        struct client *client = &clients[i];

        if (client->pid != pid) {
            continue;
        }
        client->pid = 0;
        load.ended++;
        if (client->killed) {
            load.killed++;
        } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            load.failed++;
        } else {
            load.us[load.us_count++] = now_us() - client->began;
        }
        return;
    }
}

static void run(void)
{
    sigset_t child;

    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    while (load.ended < load.jobs) {
        struct timespec wait;
        double due;
        int status;
        pid_t pid;

        for (unsigned i = 0; i < load.concurrent && load.started < load.jobs; i++) {
            if (clients[i].pid == 0) {
                start(&clients[i]);
            }
        }
        due = kill_due();
        wait = (struct timespec){(time_t)(due / 1e6), (long)due % 1000000L * 1000L};
        (void)sigtimedwait(&child, NULL, &wait);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            take(pid, status);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double part(double of)
{
    return load.us_count == 0 ? 0 : load.us[(size_t)((double)(load.us_count - 1) * of)];
}

int main(int argc, char **argv)
{
    double began;

    if (argc < 7) {
        (void)fprintf(stderr, "usage: bench_load JOBS CONCURRENT KILLED POLICIES PREFIX CMD...\n");
        return 2;
    }
    load.jobs = strtoul(argv[1], NULL, 10);
    load.concurrent = (unsigned)atoi(argv[2]);
    load.kills = (unsigned)atoi(argv[3]);
    load.policies = (unsigned)atoi(argv[4]);
    load.prefix = argv[5];
    load.argv = argv + 6;
    load.seed = (uint64_t)getpid();
    load.us = calloc(load.jobs + 1, sizeof(*load.us));
    /* What the clients say is counted, not shown. */
    if (load.us == NULL || load.concurrent == 0 || load.concurrent > CONCURRENT_MAX ||
        load.policies == 0) {
        (void)fprintf(stderr, "bench_load: at most %u at once\n", CONCURRENT_MAX);
        return 2;
    }
    began = now_us();
    run();
    qsort(load.us, load.us_count, sizeof(*load.us), compare);
    (void)printf(
        "{\"jobs\": %lu, \"killed\": %lu, \"failed\": %lu, \"per_s\": %.1f, \"median_us\": "
        "%.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
        load.ended, load.killed, load.failed, (double)load.ended * 1e6 / (now_us() - began),
        part(0.5), part(0.99), part(1));
    return load.failed != 0;
}
