/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_PROBE_SOCK_H
#define CORDON_TESTS_PROBE_SOCK_H

#include <stdbool.h>

/* NW-08: everything that must work with the network off. 0: it did. */
int private_sockets(void);

#endif
