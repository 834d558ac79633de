/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call sites of the product's programs, and one that fails. For tests/system/faults.sh.
 *
 *   faults record FILE PID CMD...
 *   faults PROGRAM SITE ERRNO|kill FILE PID CMD...
 *
 * Runs CMD while the service PID, and what that starts, is traced. "record": FILE gets a line for
 * each call site of a program called cordon*, "PROGRAM SITE NAMES". Else the first call at SITE of
 * PROGRAM returns ERRNO without being made, or its process is killed, and FILE gets "PID" of it,
 * or "none". PROGRAM ends with "+" for a process that the service had started before: what that
 * reaches is a site of its own. Exit status: CMD's, 128+n for a signal.
 */
#include "call_site.h"
#include "tracer.h"

#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITES 8192
#define KEY_ROOM 256
#define NAME_ROOM 1024
#define PROGRAM_ROOM (TRACER_NAME + 1)

struct seen {
    char program[PROGRAM_ROOM];
    struct call_site site;
};

static struct seen sites[SITES];
static size_t site_count;
static FILE *out;
static const char *program;
static const char *wanted;
static long number; /* the call's that is wanted */
static pid_t fired;
static struct tracer tracer;

static void program_name(const struct tracee *who, char *text)
{
    (void)snprintf(text, PROGRAM_ROOM, "%s%s", who->program, who->found ? "+" : "");
}

static bool is_new(const char *of, const struct call_site *site)
{
    for (size_t i = 0; i < site_count; i++) {
        if (call_site_equal(&sites[i].site, site) && strcmp(sites[i].program, of) == 0) {
            return false;
        }
    }
    if (site_count == SITES) {
        (void)fprintf(stderr, "more than %d call sites\n", SITES);
        exit(70);
    }
    sites[site_count].site = *site;
    (void)snprintf(sites[site_count].program, PROGRAM_ROOM, "%s", of);
    site_count++;
    return true;
}

static enum tracer_do record(const struct tracee *who, const struct user_regs_struct *regs)
{
    struct call_site site;
    char of[PROGRAM_ROOM];
    char key[KEY_ROOM];
    char name[NAME_ROOM];

    program_name(who, of);
    if (strncmp(who->program, "cordon", 6) != 0) {
        return TRACER_PASS;
    }
    call_site_of(who->pid, regs, &site);
    if (is_new(of, &site)) {
        call_site_key(&site, key, sizeof(key));
        call_site_name(&site, name, sizeof(name));
        (void)fprintf(out, "%s %s %s\n", of, key, name);
    }
    return TRACER_PASS;
}

static enum tracer_do inject(const struct tracee *who, const struct user_regs_struct *regs)
{
    struct call_site site;
    char of[PROGRAM_ROOM];
    char key[KEY_ROOM];

    program_name(who, of);
    if (fired != 0 || (long)regs->orig_rax != number || strcmp(of, program) != 0) {
        return TRACER_PASS;
    }
    call_site_of(who->pid, regs, &site);
    call_site_key(&site, key, sizeof(key));
    if (strcmp(key, wanted) != 0) {
        return TRACER_PASS;
    }
    fired = who->pid;
    return tracer.error == 0 ? TRACER_KILL : TRACER_FAIL;
}

int main(int argc, char **argv)
{
    const bool all = argc > 1 && strcmp(argv[1], "record") == 0;
    const int at = all ? 2 : 4;
    int status;

    if (argc < at + 3) {
        return 64;
    }
    tracer.at_call = all ? record : inject;
    tracer.once = true;
    if (!all) {
        program = argv[1];
        wanted = argv[2];
        tracer.error = atoi(argv[3]);
        number = call_number(wanted);
    }
    out = fopen(argv[at], "we");
    if (out == NULL || elf_version(EV_CURRENT) == EV_NONE) {
        perror(argv[at]);
        return 70;
    }
    status = tracer_run(&tracer, (pid_t)atoi(argv[at + 1]), argv + at + 2);
    if (!all && fired != 0) {
        (void)fprintf(out, "%d\n", (int)fired);
    } else if (!all) {
        (void)fprintf(out, "none\n");
    }
    return fclose(out) == 0 ? status : 70;
}
