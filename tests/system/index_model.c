/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_model PROGRAM MOUNT STEPS SEED: makes, links, renames and removes files
 * and directories at random on a file system of its own, and asks PROGRAM
 * (cordon-index) again and again: the names that it tells of files with several
 * must be those that a walk finds, also after it was asked while another process
 * did the same at full speed. Prints how many answers were compared, and
 * how many of them had to wait for a walk of the index.
 */
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/init/index_ask.h"
#include "platform/linux/init/sys.h"
#include "tests/support/corpus.h"

#define NAMES_MAX 8192U
#define DEPTH 4U
#define CHURN 300U

struct names {
    char *paths[NAMES_MAX];
    size_t count;
};

static struct names found; /* by our walk */
static struct names told;  /* by the index */
static const char *top;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void add(struct names *names, const char *path)
{
    if (names->count == NAMES_MAX || (names->paths[names->count++] = strdup(path)) == NULL) {
        die("too many names");
    }
}

static void clear(struct names *names)
{
    while (names->count > 0) {
        free(names->paths[--names->count]);
    }
}

static int walk_take(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type == FTW_F && S_ISREG(st->st_mode) && st->st_nlink > 1) {
        add(&found, path);
    }
    return 0;
}

static bool told_take(void *context, const struct object *object, const char *path)
{
    (void)context;
    (void)object;
    add(&told, path);
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void expect_same(size_t step)
{
    bool same = found.count == told.count;

    qsort(found.paths, found.count, sizeof(char *), compare);
    qsort(told.paths, told.count, sizeof(char *), compare);
    for (size_t i = 0; same && i < found.count; i++) {
        same = strcmp(found.paths[i], told.paths[i]) == 0;
    }
    if (!same) {
        (void)fprintf(stderr, "step %zu: %zu names found, %zu told\n", step, found.count,
                      told.count);
        for (size_t i = 0; i < found.count; i++) {
            (void)fprintf(stderr, "  found %s\n", found.paths[i]);
        }
        for (size_t i = 0; i < told.count; i++) {
            (void)fprintf(stderr, "  told  %s\n", told.paths[i]);
        }
        exit(1);
    }
}

/* One of few, so that names are taken again and again. */
static void random_path(struct dice *dice, bool directory, char out[256])
{
    uint32_t depth = dice_roll(dice, DEPTH);
    size_t len = (size_t)snprintf(out, 256, "%s", top);

    for (uint32_t i = 0; i < depth; i++) {
        len += (size_t)snprintf(out + len, 256 - len, "/d%u", dice_roll(dice, 3));
    }
    (void)snprintf(out + len, 256 - len, "/%c%u", directory ? 'd' : 'f', dice_roll(dice, 4));
}

static void file_make(const char *path)
{
    FILE *file = fopen(path, "wex");

    if (file != NULL) {
        (void)fclose(file);
    }
}

/* Whatever cannot be done is not. */
static void step_once(struct dice *dice)
{
    uint32_t what = dice_roll(dice, 12);
    bool directory = what >= 8;
    char one[256];
    char other[256];

    random_path(dice, directory, one);
    random_path(dice, directory, other);
    if (what < 2) {
        file_make(one);
    } else if (what < 5) {
        (void)!link(one, other);
    } else if (what < 6) {
        (void)!unlink(one);
    } else if (what < 8 || what == 8) {
        (void)!rename(one, other);
    } else if (what == 9) {
        /* To and fro and to: the kernel tells of it as two. */
        (void)!(rename(one, other) == 0 && rename(other, one) == 0 && rename(one, other) == 0);
    } else if (what == 10) {
        (void)!rmdir(one);
    } else {
        (void)!mkdir(one, 0755);
    }
}

static int index_start(const char *program)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) {
        die("socketpair");
    }
    if (fork() == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (dup2(pair[1], 3) == 3 && (pair[0] == 3 || close(pair[0]) == 0)) {
            (void)dup2(open("/dev/null", O_WRONLY), 2);
            (void)execl(program, "cordon-index", (char *)NULL);
        }
        _exit(127);
    }
    (void)close(pair[1]);
    return pair[0];
}

static _Noreturn void churn(uint64_t seed)
{
    struct dice dice = {seed};

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* A few at a time: directories are moved below each other, and the tree grows. */
    for (size_t step = 0;; step++) {
        if (step % CHURN == 0) {
            (void)raise(SIGSTOP);
        }
        step_once(&dice);
    }
}

static void stop_wait(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) {
        die("churn");
    }
}

/* Asks while somebody else is at work; what is told then is of no moment in particular. */
static void ask_churning(const struct index_question *question, pid_t pid)
{
    uint64_t build_us = 0;

    (void)kill(pid, SIGCONT);
    for (int i = 0; i < 5; i++) {
        (void)!index_ask(question, &build_us);
        clear(&told);
    }
    stop_wait(pid);
}

int main(int argc, char **argv)
{
    struct index_question question = {.take = told_take};
    struct mount_table host = {NULL, 0};
    struct cordon_fault fault;
    struct dice dice;
    struct stat st;
    size_t steps = argc == 5 ? (size_t)strtoul(argv[3], NULL, 10) : 0;
    size_t answers = 0;
    size_t walks = 0;
    pid_t worker;

    if (steps == 0 || stat(argv[2], &st) != 0 || mounts_read(&host, &fault) != CORDON_OK) {
        die("usage: index_model PROGRAM MOUNT STEPS SEED");
    }
    top = argv[2];
    dice.state = strtoul(argv[4], NULL, 10);
    question.socket = index_start(argv[1]);
    question.dev = st.st_dev;
    question.host = &host;
    worker = fork();
    if (worker == 0) {
        churn(dice.state + 1);
    }
    stop_wait(worker);
    for (size_t step = 0; step < steps; step++) {
        uint64_t build_us = 0;

        step_once(&dice);
        if (dice_roll(&dice, 64) == 0) {
            ask_churning(&question, worker);
        }
        if (dice_roll(&dice, 8) != 0) {
            continue;
        }
        /* It may have no answer, as while others mount and unmount; whoever asks then looks
         * himself. Not twice in a row, though. */
        if (index_ask(&question, &build_us) != CORDON_OK) {
            clear(&told);
            if (index_ask(&question, &build_us) != CORDON_OK) {
                die("index_ask");
            }
        }
        if (nftw(top, walk_take, 64, FTW_PHYS) != 0) {
            die("nftw");
        }
        expect_same(step);
        clear(&found);
        clear(&told);
        answers++;
        walks += build_us > 0;
    }
    (void)kill(worker, SIGKILL);
    (void)printf("%zu answers as found, %zu after a walk of the index\n", answers, walks);
    return 0;
}
