/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_BROKER_REFUSE_H
#define CORDON_BROKER_REFUSE_H

#include "platform/base/err.h"

/*
 * Tells the client at @fd why it is not served, as far as it listens, and
 * closes the connection. Encodes only: nothing of the client's is read.
 */
void refuse_connection(int fd, const struct cordon_fault *fault);

#endif
