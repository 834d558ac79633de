/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's answers as text: aligned columns for people, with everything
 * from outside escaped, or one line of JSON as proto/schema/ describes it.
 */
#ifndef CORDON_BROKER_REPORT_H
#define CORDON_BROKER_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/strbuf.h"

struct report_options {
    bool embedded;
    bool json;
    bool failed; /* set: the text says what is wrong */
};

/* Of the block of an IPC_ANSWER; false: it is none of that kind. */
typedef bool report_fn(const void *block, size_t len, struct report_options *options,
                       struct strbuf *out);
report_fn report_status; /* struct ipc_status */
report_fn report_reload; /* the same, as what RELOAD came to */
report_fn report_jobs;   /* struct ipc_jobs_head */

#endif
