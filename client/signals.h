/* SPDX-License-Identifier: Apache-2.0 */
/* The signals that belong to the job, as bytes of a pipe. */
#ifndef CORDON_CLIENT_SIGNALS_H
#define CORDON_CLIENT_SIGNALS_H

#include "client/tty.h"
#include "platform/base/err.h"

/*
 * Takes over the signals that are forwarded; one that was ignored at the start
 * (nohup) stays so. Signals that end this process put @tty back first; it must
 * live until the end. *ret_fd gives each caught signal as one byte; borrowed.
 */
CORDON_MUST_USE enum cordon_err signals_catch(struct tty *tty, int *ret_fd,
                                              struct cordon_fault *fault);

/*
 * Stops this process as if SIGTSTP had not been caught, with @group also those that a terminal
 * would stop with it; returns when it goes on.
 */
void signals_stop_self(bool group);

#endif
