/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a worker serves, told to one that was started before that was known. */
#ifndef CORDON_BROKER_IDENTITY_H
#define CORDON_BROKER_IDENTITY_H

#include "broker/channel.h"
#include "platform/platform.h"

#define IDENTITY_GROUPS_MAX 65536U /* NGROUPS_MAX of Linux */

/* CORDON_E_LIMIT, and as channel_send(). */
CORDON_MUST_USE enum cordon_err identity_send(struct channel *channel,
                                              const struct platform_peer *peer);
/*
 * This process becomes whom @fd, a sealed memfd, tells of; it stays the caller's. On any error it
 * is good for nobody. CORDON_E_PROTO, CORDON_E_INVALID, CORDON_E_NOMEM, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err identity_take(int fd);

#endif
