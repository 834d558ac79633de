/* SPDX-License-Identifier: Apache-2.0 */
/* A channel's end that takes nothing of what comes. */
#ifndef CORDON_TESTS_DEAF_H
#define CORDON_TESTS_DEAF_H

#include "broker/channel.h"

static void deaf_packet(void *context, struct ipc_packet *packet)
{
    (void)context;
    (void)packet;
}

static void deaf_closed(void *context, enum cordon_err why)
{
    (void)context;
    (void)why;
}

static const struct channel_config deaf = {deaf_packet, deaf_closed, NULL};

#endif
