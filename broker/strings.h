/* SPDX-License-Identifier: Apache-2.0 */
/* The command's arguments and environment on their way to the job. */
#ifndef CORDON_BROKER_STRINGS_H
#define CORDON_BROKER_STRINGS_H

#include "platform/platform.h"
#include "proto/message.h"

/* What cordon itself says to the command. */
struct strings_extra {
    const char *job;
    bool network;
};

/*
 * Puts argv and the environment into a sealed memfd and their numbers into
 * @ret_command. Names that cordon sets replace the caller's own.
 */
CORDON_MUST_USE enum cordon_err strings_make(const struct msg_spawn *spawn,
                                             const struct strings_extra *extra,
                                             struct channel_command *ret_command, int *ret_fd,
                                             struct cordon_fault *fault);

/* The beginning of the command, for a record; as it is: whoever shows it escapes it. */
void strings_command(const struct msg_list *argv, char *ret_text, size_t size);
/* PATH of that environment; NULL when it has none. */
const char *strings_path(const struct msg_list *env);

#endif
