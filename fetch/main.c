/* SPDX-License-Identifier: Apache-2.0 */
/* cordon-fetch: the only part of cordon that talks to a network; see README.md. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fetch/backoff.h"
#include "fetch/round.h"

#define EXIT_USAGE 2
#define ARENA_MAX ((size_t)16U * 1024U * 1024U)

static const struct option_row {
    const char *name, *help;
} option_rows[] = {
    {"--once", "look once; the status says whether the source has what is stored"},
    {"--version", "print the version"},
    {"--help", "print this"},
};
enum option_id { OPTION_ONCE, OPTION_VERSION, OPTION_HELP, OPTION_COUNT };

static enum option_id find_option(const char *name)
{
    enum option_id id = OPTION_ONCE;

    while (id < OPTION_COUNT && strcmp(option_rows[id].name, name) != 0) {
        id++;
    }
    return id;
}

/* -1: go on; else the exit status. */
static int take_options(int argc, char **argv, bool *ret_once)
{
    for (int i = 1; i < argc; i++) {
        switch (find_option(argv[i])) {
        case OPTION_ONCE:
            *ret_once = true;
            break;
        case OPTION_VERSION:
            (void)printf("cordon-fetch %s\n", CORDON_VERSION);
            return EXIT_SUCCESS;
        case OPTION_HELP:
            (void)printf("usage: cordon-fetch [OPTION]...\n");
            for (size_t row = 0; row < OPTION_COUNT; row++) {
                (void)printf("  %-12s %s\n", option_rows[row].name, option_rows[row].help);
            }
            return EXIT_SUCCESS;
        case OPTION_COUNT:
            spool_log("unknown option; see cordon-fetch --help");
            return EXIT_USAGE;
        }
    }
    return -1;
}

/* Any capability at all, of proc(5)'s CapPrm and CapEff. What cannot be read counts as one. */
static bool has_capability(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    int zeros = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if ((strncmp(line, "CapPrm:", 7) == 0 || strncmp(line, "CapEff:", 7) == 0) &&
            strtoull(line + 7, NULL, 16) == 0) {
            zeros++;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return zeros != 2;
}

static bool harden(void)
{
    const struct rlimit no_core = {0, 0};

    if (getuid() == 0 || geteuid() == 0 || has_capability()) {
        spool_log("this must not run as root or with a capability; start it by its unit, as the "
                  "user cordon-fetch");
        return false;
    }
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(022); /* what is fetched is no secret: embedded brokers and doctor read it */
    return true;
}

static volatile sig_atomic_t hung_up;

/* Ends a wait, of ours or of a watch. */
static void on_hangup(int signo)
{
    (void)signo;
    hung_up = 1;
}

/* A hang-up that comes between the look and the sleep ends the sleep too. */
static void wait_ms(uint32_t ms)
{
    const struct timespec time = {ms / 1000U, (long)(ms % 1000U) * 1000000L};
    sigset_t hangup, open;

    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &hangup, &open);
    if (hung_up == 0) {
        (void)ppoll(NULL, 0, &time, &open);
    }
    (void)sigprocmask(SIG_SETMASK, &open, NULL);
}

static uint32_t draw(void)
{
    uint32_t lot = 0;

    (void)!getrandom(&lot, sizeof(lot), 0);
    return lot;
}

/* The configuration is read before each round: an edit needs no signal. */
static enum cordon_err configure(struct fetcher *fetcher, struct arena *arena)
{
    static const struct managed_places places = MANAGED_PLACES;
    struct cordon_fault fault = {.err = CORDON_OK};
    enum cordon_err err;

    arena_deinit(arena);
    err = fetched_config(&places, arena, &fetcher->config, &fault);
    if (err == CORDON_E_NOT_FOUND) {
        (void)fault_set(&fault, err, NULL, FETCHED_CONFIG ": not there; nothing is fetched");
    }
    if (err != CORDON_OK) {
        spool_alarm(&fetcher->spool, &fault);
        return err;
    }
    spool_load(&fetcher->spool, &fetcher->config);
    return CORDON_OK;
}

static bool is_calm(const struct fetcher *fetcher)
{
    return fetcher->spool.told && fetcher->spool.alarm[0] == '\0';
}

static int run(struct fetcher *fetcher, struct arena *arena, bool once)
{
    uint32_t failures = 0;

    for (;;) {
        bool wait = false;
        enum cordon_err err;

        hung_up = 0; /* what comes from here on is for the next round */
        err = configure(fetcher, arena);
        if (err == CORDON_OK) {
            fetcher->config.interval_s = once ? 1 : fetcher->config.interval_s;
            err = round_run(fetcher, &wait);
        }
        if (once) {
            return is_calm(fetcher) ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        failures = err == CORDON_OK ? 0 : failures + 1;
        if (failures > 0) {
            wait_ms(backoff_after(failures, draw()));
        } else if (wait) {
            wait_ms(backoff_between(fetcher->config.interval_s, draw()));
        }
    }
}

int main(int argc, char **argv)
{
    const struct sigaction hangup = {.sa_handler = on_hangup};
    struct cordon_fault fault = {.err = CORDON_OK};
    struct fetcher fetcher;
    struct arena arena;
    bool once = false;
    int status;

    host_fill_stdio();
    status = take_options(argc, argv, &once);
    if (status >= 0) {
        return status;
    }
    memset(&fetcher, 0, sizeof(fetcher));
    if (!harden() || spool_init(&fetcher.spool, &fault) != CORDON_OK ||
        http_new(&fetcher.http, &fault) != CORDON_OK) {
        if (fault.err != CORDON_OK) {
            spool_log("%s; %s", fault.text, fault.remedy);
        }
        return EXIT_FAILURE;
    }
    (void)sigaction(SIGHUP, &hangup, NULL);
    fetcher.look = &hung_up;
    fetcher.endpoint = draw() % FETCH_ENDPOINTS_MAX; /* a fleet spreads over the members */
    arena_init(&arena, ARENA_MAX);
    status = run(&fetcher, &arena, once);
    http_free(fetcher.http);
    spool_deinit(&fetcher.spool);
    arena_deinit(&arena);
    return status;
}
