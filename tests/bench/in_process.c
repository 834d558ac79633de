/* SPDX-License-Identifier: Apache-2.0 */
#include "in_process.h"

#include <stddef.h>
#include <stdio.h>

#include "client/include/cordon/cordon.h"
#include "contender.h"

static struct cordon *cordon;

void in_process_open(void)
{
    struct cordon_error error;

    if (cordon == NULL && cordon_open(CORDON_OPEN_SERVICE, &cordon, &error) != 0) {
        die(error.text);
    }
}

static const char *const *as_const(char *const *list)
{
    union {
        char *const *in;
        const char *const *out;
    } words = {.in = list};

    return words.out;
}

int in_process_run(const char *mode, char *const *argv, char *const *env)
{
    const struct cordon_spawn_options options = {.size = sizeof(options),
                                                 .argv = as_const(argv),
                                                 .env = as_const(env),
                                                 .mode = mode,
                                                 .stdio = {0, 1, 2}};
    struct cordon_event event = {0};
    struct cordon_error error;
    struct cordon_job *job;
    int status = cordon_spawn(cordon, &options, &job, &error);

    if (status != 0) {
        die(error.text);
    }
    do {
        status = cordon_job_wait(job, -1, &event, &error);
        if (status != 0 && status != CORDON_NOTHING_YET) {
            die(error.text);
        }
    } while (status != 0 || event.kind != CORDON_EVENT_ENDED);
    if (event.status != 0) {
        (void)fprintf(stderr, "bench: in process: %s\n", event.error.text);
    }
    status = event.status;
    cordon_job_free(job);
    return status;
}
