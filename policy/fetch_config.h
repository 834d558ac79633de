/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/cordon/fetch.toml: where signed requirements are, and who may sign them. */
#ifndef CORDON_POLICY_FETCH_CONFIG_H
#define CORDON_POLICY_FETCH_CONFIG_H

#include "platform/base/arena.h"
#include "policy/envelope.h"
#include "policy/schema.h"

#define FETCH_ENDPOINTS_MAX 16U
#define FETCH_KEYS_MAX 16U

/* Everything is in the arena. A path that is not given is NULL. */
struct fetch_config {
    const char *url; /* NULL: from an etcd cluster */
    const char *endpoints[FETCH_ENDPOINTS_MAX];
    size_t endpoint_count; /* 0: from @url */
    const char *etcd_key;
    const char *source; /* for people: the URL, or "etcd:KEY" */
    struct signature_key keys[FETCH_KEYS_MAX];
    size_t key_count; /* from 1 */
    const char *ca_file, *client_cert, *client_key;
    uint32_t interval_s, timeout_s, max_age_s;
    uint32_t max_bytes;
    bool refuse_stale; /* a document that is too old refuses every job */
    bool allow_first;  /* before the first document jobs run */
};

/*
 * CORDON_E_SYNTAX, _INVALID with "FILE:LINE:COLUMN: what"; CORDON_E_LIMIT, _NOMEM.
 */
CORDON_MUST_USE enum cordon_err fetch_config_parse(const char *file, const char *text, size_t len,
                                                   struct arena *arena,
                                                   struct fetch_config *ret_config,
                                                   struct cordon_fault *fault);

extern const struct schema schema_fetch;

#endif
