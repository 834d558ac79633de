/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange at a time; the only user of libcurl. */
#ifndef CORDON_FETCH_HTTP_H
#define CORDON_FETCH_HTTP_H

#include <signal.h>

#include "policy/fetch_config.h"

#define HTTP_ETAG_MAX 256U

/* The body in pieces, of an answer with status 200 alone; not CORDON_OK ends the exchange. */
typedef enum cordon_err http_take_fn(void *context, const char *bytes, size_t len,
                                     struct cordon_fault *fault);

struct http_request {
    const char *url;
    const char *body;  /* JSON to post; NULL: get */
    const char *etag;  /* If-None-Match; NULL: none */
    uint32_t whole_ms; /* for all of it */
    http_take_fn *take;
    void *context;
    const volatile sig_atomic_t *stop; /* not 0: ended within a second; NULL: never */
};

struct http_answer {
    long status;
    char etag[HTTP_ETAG_MAX]; /* "": none */
};

/* CORDON_E_NOMEM. */
struct http;
CORDON_MUST_USE enum cordon_err http_new(struct http **ret_http, struct cordon_fault *fault);
void http_free(struct http *http);

/*
 * Redirections are not followed. CORDON_E_TIMEOUT: whole_ms is over; CORDON_E_AGAIN: it was
 * stopped; CORDON_E_CLOSED: the network or the peer failed, or the body was cut short; or what
 * @take returned.
 */
CORDON_MUST_USE enum cordon_err http_do(struct http *http, const struct fetch_config *config,
                                        const struct http_request *request,
                                        struct http_answer *ret_answer, struct cordon_fault *fault);

#endif
