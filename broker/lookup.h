/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user database says: at once, where that is a matter of two small files, else by a
 * process that asks it, for at most two seconds.
 */
#ifndef CORDON_BROKER_LOOKUP_H
#define CORDON_BROKER_LOOKUP_H

#include "platform/host.h"
#include "platform/loop.h"

#define LOOKUP_TIMEOUT_MS 2000U
#define LOOKUP_GROUPS_MAX 1024U

struct lookup;

/* @text is valid during the call only; @fault is set unless @err is CORDON_OK. */
typedef void lookup_fn(void *context, enum cordon_err err, const char *text, size_t len,
                       const struct cordon_fault *fault);

/* What @fn would be given without an error. False: it has to be asked for. */
CORDON_MUST_USE bool lookup_at_once(const struct platform_peer *peer, struct strbuf *out);

/*
 * @fn is called once, later, unless lookup_free() comes first; free it there. @program: cordond.
 */
CORDON_MUST_USE enum cordon_err lookup_new(struct loop *loop, const char *program,
                                           const struct platform_peer *peer, lookup_fn *fn,
                                           void *context, struct lookup **ret_lookup);
void lookup_free(struct lookup *lookup);

#endif
