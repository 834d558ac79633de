/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is measured, as a file says it: one contender a line, NAME and then words, separated by tabs.
 *
 *   fd:N=PATH        PATH is opened for reading as descriptor N, anew for each start
 *   cd:PATH          started there
 *   env:NAME=VALUE   added to its environment, which is PATH and HOME (up to ENV_MORE)
 *   pause:MS         nothing is done for so long before each start
 *   before:PROGRAM   run to its end before the pause
 *   burst:N          each start is the last of N in a row; the others do not count
 *   every:N          takes part in one round of N
 *   library:MODE     no client's process: libcordon in this one, one connection for all starts
 *   relay:SOCKET     no client's process: relay_ask() in this one
 *
 * What is left is the command: a client with its arguments, or with library: the job's own; with
 * relay: it only says which the relay has.
 */
#ifndef CORDON_TESTS_BENCH_CONTENDER_H
#define CORDON_TESTS_BENCH_CONTENDER_H

#include <spawn.h>
#include <stddef.h>
#include <sys/types.h>

#define WORDS 64U
#define ENV_MORE 4U

struct contender {
    char line[8192];
    const char *name;
    char *argv[WORDS];
    char *env[ENV_MORE + 3U];
    posix_spawn_file_actions_t actions;
    const char *mode;  /* of library:; NULL: a client */
    const char *relay; /* of relay:; NULL: a client */
    char *before;      /* NULL */
    unsigned pause_ms, burst, every;
};

/* Says @what on standard error, and ends. */
_Noreturn void die(const char *what);

double now_us(void);

/* Fills at most @max of @list; how many there were. Whatever is wrong ends the program. */
size_t contenders_read(const char *path, struct contender *list, size_t max);

/* Starts its client. */
pid_t contender_spawn(const struct contender *c);

void sleep_ms(unsigned ms);

#endif
