/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start costs: posix_spawn() to the end of waitpid(), contender after
 * contender in each round, so that drift of the machine meets all alike.
 *
 *   bench_start ROUNDS FILE
 *
 * FILE has one contender a line: NAME, then its words, separated by tabs. A
 * word "fd:N=PATH" opens PATH for reading as descriptor N, one "cd:PATH" starts
 * it there, one "env:NAME=VALUE" adds to its environment. One JSON object a contender on standard
 * output. Ends with 1 when a command does not exit 0.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTENDERS 16U
#define WORDS 64U
#define WARM_UP 10U

struct contender {
    char line[8192];
    const char *name;
    char *argv[WORDS];
    posix_spawn_file_actions_t actions;
    char *more; /* for its environment; NULL */
    double *us; /* one a round */
};

static struct contender contenders[CONTENDERS];
static size_t count;

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_start: %s\n", what);
    exit(1);
}

static void add_descriptor(struct contender *c, char *word)
{
    char *path = strchr(word, '=');
    int fd = atoi(word + 3);

    if (path == NULL || posix_spawn_file_actions_addopen(&c->actions, fd, path + 1, O_RDONLY, 0)) {
        die(word);
    }
}

static void parse(struct contender *c, size_t rounds)
{
    size_t words = 0;
    char *save = NULL;

    c->line[strcspn(c->line, "\n")] = '\0';
    c->name = strtok_r(c->line, "\t", &save);
    if (posix_spawn_file_actions_init(&c->actions) != 0 || c->name == NULL) {
        die("malformed line");
    }
    for (char *word = strtok_r(NULL, "\t", &save); word != NULL;
         word = strtok_r(NULL, "\t", &save)) {
        if (strncmp(word, "fd:", 3) == 0) {
            add_descriptor(c, word);
        } else if (strncmp(word, "cd:", 3) == 0) {
            if (posix_spawn_file_actions_addchdir_np(&c->actions, word + 3) != 0) {
                die(word);
            }
        } else if (strncmp(word, "env:", 4) == 0) {
            c->more = word + 4;
        } else if (words + 1 < WORDS) {
            c->argv[words++] = word;
        }
    }
    c->us = calloc(rounds, sizeof(*c->us));
    if (words == 0 || c->us == NULL) {
        die("a contender without a command");
    }
}

static void read_contenders(const char *path, size_t rounds)
{
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        die(path);
    }
    while (count < CONTENDERS &&
           fgets(contenders[count].line, sizeof(contenders[count].line), file) != NULL) {
        parse(&contenders[count], rounds);
        count++;
    }
    (void)fclose(file);
}

static double now_us(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static double once(const struct contender *c)
{
    static char path[] = "PATH=/usr/bin:/bin";
    static char home[4096];
    char *const env[] = {path, home, c->more, NULL};
    double began;
    int status = -1;
    pid_t pid;

    (void)snprintf(home, sizeof(home), "HOME=%s", getenv("HOME") != NULL ? getenv("HOME") : "/");
    began = now_us();
    if (posix_spawn(&pid, c->argv[0], &c->actions, NULL, c->argv, env) != 0 ||
        waitpid(pid, &status, 0) != pid) {
        die(c->argv[0]);
    }
    if (status != 0) {
        (void)fprintf(stderr, "bench_start: %s: status %#x\n", c->name, (unsigned)status);
        exit(1);
    }
    return now_us() - began;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_all(size_t rounds)
{
    double base = 0;

    for (size_t i = 0; i < count; i++) {
        struct contender *c = &contenders[i];
        double median;

        qsort(c->us, rounds, sizeof(*c->us), ascending);
        median = c->us[rounds / 2];
        base = i == 0 ? median : base;
        (void)printf("{\"name\": \"%s\", \"median_us\": %.1f, \"p95_us\": %.1f, "
                     "\"min_us\": %.1f, \"ratio\": %.2f}\n",
                     c->name, median, c->us[rounds * 95 / 100], c->us[0], median / base);
    }
}

int main(int argc, char **argv)
{
    size_t rounds = argc == 3 ? (size_t)strtoul(argv[1], NULL, 10) : 0;

    if (rounds == 0) {
        die("usage: bench_start ROUNDS FILE");
    }
    read_contenders(argv[2], rounds);
    for (size_t round = 0; round < rounds + WARM_UP; round++) {
        /* A different one goes first each time. */
        for (size_t i = 0; i < count; i++) {
            struct contender *c = &contenders[(i + round) % count];
            double us = once(c);

            if (round >= WARM_UP) {
                c->us[round - WARM_UP] = us;
            }
        }
    }
    print_all(rounds);
    return 0;
}
