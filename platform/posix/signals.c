/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/signals.h"

#include <signal.h>

const int signal_numbers[SIGNALS] = {SIGHUP,  SIGINT,  SIGQUIT, SIGKILL, SIGTERM, SIGUSR1,
                                     SIGUSR2, SIGCONT, SIGTSTP, SIGABRT, SIGALRM, SIGWINCH};
