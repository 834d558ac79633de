/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small service of the parts there are: the control manager's, the pipe, the protocol's session,
 * the state of access lists and the job object. Every job is denied KEYS_A. It stands for the
 * broker, whose own loop is not on Windows yet.
 */
#ifndef CORDON_TESTS_WINE_SERVICE_H
#define CORDON_TESTS_WINE_SERVICE_H

#include <stdint.h>

#define SERVICE_NAME "cordon-test"

/* Is the service; for main() of a process that the manager started. */
uint32_t service_be(void);

#endif
