/* SPDX-License-Identifier: Apache-2.0 */
/* Between the caller and a running job: its events, its terminal, its signals. */
#ifndef CORDON_CLIENT_RELAY_H
#define CORDON_CLIENT_RELAY_H

#include <stdbool.h>

#include "client/include/cordon/cordon.h"
#include "client/tty.h"
#include "platform/base/strbuf.h"

struct relay_result {
    struct cordon_event end; /* kind ENDED; its strings are not valid */
    uint32_t told;           /* denials among the lines */
    struct strbuf lines;     /* for standard error, after the command's own; owned */
};

/*
 * Runs until the job has ended; the terminal is as it was when this returns.
 * 0 with *ret_result filled in (release its strbuf), or the exit status of a
 * failure in *ret_error.
 */
int relay_run(struct cordon_job *job, struct tty *tty, bool json, struct relay_result *ret_result,
              struct cordon_error *ret_error);

#endif
