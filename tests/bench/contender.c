/* SPDX-License-Identifier: Apache-2.0 */
#include "contender.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

double now_us(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

void sleep_ms(unsigned ms)
{
    struct timespec rest = {(time_t)(ms / 1000U), (long)(ms % 1000U) * 1000000L};

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

/* ---- words ---- */

static void take_fd(struct contender *c, char *value)
{
    const char *path = strchr(value, '=');

    if (path == NULL ||
        posix_spawn_file_actions_addopen(&c->actions, atoi(value), path + 1, O_RDONLY, 0) != 0) {
        die("fd: malformed");
    }
}

static void take_cd(struct contender *c, char *value)
{
    if (posix_spawn_file_actions_addchdir_np(&c->actions, value) != 0) {
        die("cd: malformed");
    }
}

static void take_env(struct contender *c, char *value)
{
    size_t n = 0;

    while (c->env[n] != NULL) {
        n++;
    }
    if (n + 1 == sizeof(c->env) / sizeof(c->env[0])) {
        die("env: too many");
    }
    c->env[n] = value;
}

static unsigned number(const char *value)
{
    char *end;
    const unsigned long n = strtoul(value, &end, 10);

    if (end == value || *end != '\0' || n == 0 || n > 100000) {
        die("not a number from 1 on");
    }
    return (unsigned)n;
}

static void take_pause(struct contender *c, char *value)
{
    c->pause_ms = number(value);
}

static void take_before(struct contender *c, char *value)
{
    c->before = value;
}

static void take_burst(struct contender *c, char *value)
{
    c->burst = number(value);
}

static void take_every(struct contender *c, char *value)
{
    c->every = number(value);
}

static void take_library(struct contender *c, char *value)
{
    c->mode = value;
}

static void take_relay(struct contender *c, char *value)
{
    c->relay = value;
}

static const struct {
    const char *prefix;
    void (*take)(struct contender *c, char *value);
} words[] = {
    {"fd:", take_fd},       {"cd:", take_cd},           {"env:", take_env},
    {"pause:", take_pause}, {"before:", take_before},   {"burst:", take_burst},
    {"every:", take_every}, {"library:", take_library}, {"relay:", take_relay},
};

/* True if @word says how and is no part of the command. */
static int take(struct contender *c, char *word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const size_t len = strlen(words[i].prefix);

        if (strncmp(word, words[i].prefix, len) == 0) {
            words[i].take(c, word + len);
            return 1;
        }
    }
    return 0;
}

/* ---- lines ---- */

static void parse(struct contender *c)
{
    static char path[] = "PATH=/usr/bin:/bin";
    static char home[4096];
    size_t count = 0;
    char *save = NULL;

    (void)snprintf(home, sizeof(home), "HOME=%s", getenv("HOME") != NULL ? getenv("HOME") : "/");
    c->env[0] = path;
    c->env[1] = home;
    c->burst = c->every = 1;
    c->line[strcspn(c->line, "\n")] = '\0';
    c->name = strtok_r(c->line, "\t", &save);
    if (posix_spawn_file_actions_init(&c->actions) != 0 || c->name == NULL) {
        die("malformed line");
    }
    for (char *word = strtok_r(NULL, "\t", &save); word != NULL;
         word = strtok_r(NULL, "\t", &save)) {
        if (take(c, word)) {
            continue;
        }
        if (count + 1 == WORDS) {
            die("a command of too many words");
        }
        c->argv[count++] = word;
    }
    if (count == 0) {
        die("a contender without a command");
    }
}

size_t contenders_read(const char *path, struct contender *list, size_t max)
{
    FILE *file = fopen(path, "re");
    size_t count = 0;
    char over;

    if (file == NULL) {
        die(path);
    }
    while (count < max && fgets(list[count].line, sizeof(list[count].line), file) != NULL) {
        parse(&list[count]);
        count++;
    }
    if (count == 0 || fread(&over, 1, 1, file) != 0) {
        die("no contender, or too many");
    }
    (void)fclose(file);
    return count;
}

pid_t contender_spawn(const struct contender *c)
{
    pid_t pid;

    if (posix_spawn(&pid, c->argv[0], &c->actions, NULL, c->argv, c->env) != 0) {
        die(c->argv[0]);
    }
    return pid;
}
