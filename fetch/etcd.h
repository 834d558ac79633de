/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said to the HTTP/JSON gateway of etcd v3 and what it answers (etcd's
 * api/etcdserverpb/rpc.proto): pure, texts in and out. 64-bit numbers are decimal
 * strings there, keys and values base 64, and what is zero or false is left out.
 */
#ifndef CORDON_FETCH_ETCD_H
#define CORDON_FETCH_ETCD_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/strbuf.h"

#define ETCD_RANGE "/v3/kv/range"
#define ETCD_WATCH "/v3/watch"

/* The body of a range: @key as a quorum of the cluster has it. */
void etcd_range_request(const char *key, struct strbuf *out);
/* The body of a watch: changes of @key from @revision on. */
void etcd_watch_request(const char *key, uint64_t revision, struct strbuf *out);

/*
 * The value is appended to *out. CORDON_E_NOT_FOUND: there is no such key, and *ret_revision is set
 * all the same. CORDON_E_PROTO (the fault quotes an error of the cluster's), CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err etcd_range_answer(const char *text, size_t len, struct strbuf *out,
                                                  uint64_t *ret_revision,
                                                  struct cordon_fault *fault);

/* The stream of a watch: one JSON object a line. All zero but @line_max and @changed. */
struct etcd_stream {
    struct strbuf line;
    size_t line_max;
    /* The newest value of a message; NULL: the key was removed. */
    void (*changed)(void *context, const char *value, size_t len);
    void *context;
    bool created; /* the cluster watches */
};

/*
 * Takes the next bytes. CORDON_E_CLOSED: the cluster ended the watch (compacted, or no leader):
 * read the key anew. CORDON_E_PROTO, _LIMIT, _NOMEM.
 */
CORDON_MUST_USE enum cordon_err etcd_stream_feed(struct etcd_stream *stream, const char *bytes,
                                                 size_t len, struct cordon_fault *fault);
void etcd_stream_deinit(struct etcd_stream *stream);

#endif
