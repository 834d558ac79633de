/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with several names, in a process of its own: a walk may take seconds, and guards that begin
 * wait for cordon-index each time.
 */
#ifndef CORDON_LINUX_INDEX_LINKS_H
#define CORDON_LINUX_INDEX_LINKS_H

#include "platform/linux/index/wire.h"

/*
 * Hands on a question of INDEX_ASK; @pass stays the caller's. If nobody can answer it the asker
 * hears that the other end of his socket is gone.
 */
void links_ask(const struct index_request *request, const struct pass *pass);
/* Readable when that process is gone; then links_check() tells those who wait for its answers. */
int links_fd(void);
void links_check(void);

#endif
