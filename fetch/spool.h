/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool: all that cordon-fetch may write. Root's side reads it and believes
 * nothing but the signature (platform/host.h, "fetched requirements").
 */
#ifndef CORDON_FETCH_SPOOL_H
#define CORDON_FETCH_SPOOL_H

#include "fetch/http.h"
#include "platform/host.h"

struct spool {
    int dir;
    struct strbuf newest;              /* the document that is stored; empty: none */
    uint64_t generation;               /* of it; 0: none */
    char etag[HTTP_ETAG_MAX];          /* that it came with; "": none */
    bool told;                         /* @alarm is what the file says */
    char alarm[CORDON_FAULT_TEXT_MAX]; /* "": none */
};

/* CORDON_E_OS with a remedy: there is no spool that this user may write to. */
CORDON_MUST_USE enum cordon_err spool_init(struct spool *spool, struct cordon_fault *fault);
void spool_deinit(struct spool *spool);

/* Looks at what is stored with these keys and this source: what does not fit them is forgotten. */
void spool_load(struct spool *spool, const struct fetch_config *config);

/*
 * Something was fetched. Stores what is newer, confirms what is the same. CORDON_E_AGAIN: the
 * same; CORDON_E_SYNTAX, _LIMIT, _DENIED: it may not follow what is stored; CORDON_E_OS, _NOMEM.
 */
CORDON_MUST_USE enum cordon_err spool_offer(struct spool *spool, const struct fetch_config *config,
                                            const char *bytes, size_t len,
                                            struct cordon_fault *fault);
/* What is stored is what the source has at this moment. */
void spool_confirm(struct spool *spool);
void spool_set_etag(struct spool *spool, const struct fetch_config *config, const char *etag);

/* One line to the log and to the file whenever it changes; NULL: nothing is wrong. */
void spool_alarm(struct spool *spool, const struct cordon_fault *fault);

/* One line to the log, escaped. */
void spool_log(const char *fmt, ...) CORDON_PRINTF(1, 2);

#endif
