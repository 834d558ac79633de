/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent that runs its commands sandboxed, without a process of a client for each: one connection
 * to the service for as long as it lives, a job a command. Commands are the lines of standard
 * input; each is told what came of it on standard error.
 *
 *   printf 'make\nmake test\n' | cordon-agent-example [MODE]
 *
 *   cc agent.c $(pkg-config --cflags --libs cordon) -o agent
 */
#include <cordon/cordon.h>
#include <stdio.h>
#include <string.h>

/* Without a handler of our own a wait has no other reason to come back early. */
static int wait_for_end(struct cordon_job *job, struct cordon_event *ret_event,
                        struct cordon_error *ret_error)
{
    int status;

    do {
        status = cordon_job_wait(job, -1, ret_event, ret_error);
        if (status == 0 && ret_event->kind == CORDON_EVENT_VIOLATION) {
            (void)fprintf(stderr, "agent: denied %s %s (%s)\n", ret_event->operation,
                          ret_event->path, ret_event->rule);
        }
    } while (status == CORDON_NOTHING_YET ||
             (status == 0 && ret_event->kind != CORDON_EVENT_ENDED));
    return status;
}

/* 0 if there was a job, whatever became of its command. */
static int run(struct cordon *cordon, const char *mode, const char *line,
               struct cordon_error *ret_error)
{
    const char *const argv[] = {"/bin/sh", "-c", line, NULL};
    const struct cordon_spawn_options options = {
        .size = sizeof(options),
        .argv = argv,
        .mode = mode,
        .stdio = {-1, 1, 2}, /* its input is not ours */
        .flags = CORDON_SPAWN_LOG_DENIALS,
        .timeout_ms = 600000,
    };
    struct cordon_event end;
    struct cordon_job *job;
    int status = cordon_spawn(cordon, &options, &job, ret_error);

    if (status != 0) {
        return status;
    }
    status = wait_for_end(job, &end, ret_error);
    if (status == 0) {
        (void)fprintf(stderr, "agent: %d%s%s: %s\n", end.status,
                      end.error.text[0] != '\0' ? ", " : "", end.error.text, line);
    }
    cordon_job_free(job);
    return status;
}

int main(int argc, char **argv)
{
    struct cordon *cordon;
    struct cordon_error error;
    char line[65536];
    int status = cordon_open(0, &cordon, &error);

    if (status != 0) {
        (void)fprintf(stderr, "agent: %s; %s\n", error.text, error.remedy);
        return status;
    }
    while (status == 0 && fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        status = run(cordon, argc > 1 ? argv[1] : NULL, line, &error);
    }
    if (status != 0) {
        (void)fprintf(stderr, "agent: %s; %s\n", error.text, error.remedy);
    }
    cordon_close(cordon);
    return status;
}
