/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/signals.h"

/* There are none here: Linux's, as the protocol has them. Each ends a job. */
const int signal_numbers[SIGNALS] = {1, 2, 3, 9, 15, 10, 12, 18, 20, 6, 14, 28};
