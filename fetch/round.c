/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/round.h"

#include <stdio.h>
#include <string.h>

#include "fetch/etcd.h"

#define LASTED_MS 1000U /* a watch that was not broken from the beginning */

/* A whole body, bounded. */
struct body {
    struct strbuf text;
    size_t max;
};

static enum cordon_err take_body(void *context, const char *bytes, size_t len,
                                 struct cordon_fault *fault)
{
    struct body *body = context;

    if (len > body->max - body->text.len) {
        return fault_set(fault, CORDON_E_LIMIT, "see max_bytes in fetch.toml",
                         "the source sends more than %zu bytes", body->max);
    }
    strbuf_add(&body->text, bytes, len);
    return body->text.failed ? fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory") : CORDON_OK;
}

static void offer(struct fetcher *fetcher, const char *bytes, size_t len)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    enum cordon_err err = spool_offer(&fetcher->spool, &fetcher->config, bytes, len, &fault);

    if (err != CORDON_OK && err != CORDON_E_AGAIN) {
        spool_alarm(&fetcher->spool, &fault);
        return;
    }
    if (err == CORDON_OK) {
        spool_log("generation %llu from %s", (unsigned long long)fetcher->spool.generation,
                  fetcher->config.source);
    }
    spool_alarm(&fetcher->spool, NULL);
}

static uint32_t timeout_ms(const struct fetcher *fetcher)
{
    return fetcher->config.timeout_s * 1000U;
}

/* ---- a URL ---- */

static enum cordon_err bad_status(const struct fetcher *fetcher, long status,
                                  struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_PROTO, NULL, "%s: the answer is HTTP %ld",
                     fetcher->config.source, status);
}

static enum cordon_err round_url(struct fetcher *fetcher, struct cordon_fault *fault)
{
    struct spool *spool = &fetcher->spool;
    struct body body = {.max = fetcher->config.max_bytes};
    const struct http_request request = {.url = fetcher->config.url,
                                         .etag = spool->etag[0] != '\0' ? spool->etag : NULL,
                                         .whole_ms = timeout_ms(fetcher),
                                         .take = take_body,
                                         .context = &body};
    struct http_answer answer;
    enum cordon_err err = http_do(fetcher->http, &fetcher->config, &request, &answer, fault);

    if (err == CORDON_OK && answer.status == 304 && request.etag != NULL) {
        spool_confirm(spool);
        spool_alarm(spool, NULL);
    } else if (err == CORDON_OK && answer.status == 200) {
        offer(fetcher, strbuf_text(&body.text), body.text.len);
        /* Only of what is stored: that of a refused one would hide it from the next round. */
        if (spool->alarm[0] == '\0') {
            spool_set_etag(spool, &fetcher->config, answer.etag);
        }
    } else if (err == CORDON_OK) {
        err = bad_status(fetcher, answer.status, fault);
    }
    strbuf_deinit(&body.text);
    return err;
}

/* ---- an etcd cluster ---- */

/* A document in base 64, and what is around it. */
static size_t message_max(const struct fetcher *fetcher)
{
    return (size_t)fetcher->config.max_bytes / 3 * 4 + 65536U;
}

static void make_url(const struct fetcher *fetcher, const char *path, char *ret_url, size_t size)
{
    const char *endpoint = fetcher->config.endpoints[fetcher->endpoint];
    size_t len = strlen(endpoint);

    while (len > 0 && endpoint[len - 1] == '/') {
        len--;
    }
    (void)snprintf(ret_url, size, "%.*s%s", (int)len, endpoint, path);
}

static void next_endpoint(struct fetcher *fetcher)
{
    fetcher->endpoint = (fetcher->endpoint + 1) % fetcher->config.endpoint_count;
}

/* As etcd_range_answer(), of one member. */
static enum cordon_err range(struct fetcher *fetcher, struct strbuf *out, uint64_t *ret_revision,
                             struct cordon_fault *fault)
{
    char url[2048];
    struct strbuf post = STRBUF_INIT;
    struct body body = {.max = message_max(fetcher)};
    struct http_request request = {
        .url = url, .whole_ms = timeout_ms(fetcher), .take = take_body, .context = &body};
    struct http_answer answer;
    enum cordon_err err;

    make_url(fetcher, ETCD_RANGE, url, sizeof(url));
    etcd_range_request(fetcher->config.etcd_key, &post);
    request.body = strbuf_text(&post);
    err = http_do(fetcher->http, &fetcher->config, &request, &answer, fault);
    if (err == CORDON_OK && answer.status != 200) {
        err = fault_set(fault, CORDON_E_PROTO, NULL, "%s: the answer is HTTP %ld", url,
                        answer.status);
    }
    if (err == CORDON_OK) {
        err = etcd_range_answer(strbuf_text(&body.text), body.text.len, out, ret_revision, fault);
    }
    strbuf_deinit(&body.text);
    strbuf_deinit(&post);
    return err;
}

static void gone(struct fetcher *fetcher)
{
    struct cordon_fault fault;

    (void)fault_set(&fault, CORDON_E_NOT_FOUND, "put the signed requirements there",
                    "%s: there is no such key in the cluster", fetcher->config.source);
    spool_alarm(&fetcher->spool, &fault);
}

static void on_change(void *context, const char *value, size_t len)
{
    if (value == NULL) {
        gone(context);
    } else {
        offer(context, value, len);
    }
}

static enum cordon_err take_watch(void *context, const char *bytes, size_t len,
                                  struct cordon_fault *fault)
{
    return etcd_stream_feed(context, bytes, len, fault);
}

/* CORDON_OK: until the time was over, or a signal came; CORDON_E_AGAIN: it broke off. */
static enum cordon_err watch(struct fetcher *fetcher, uint64_t revision)
{
    char url[2048];
    struct cordon_fault fault = {.err = CORDON_OK};
    struct strbuf post = STRBUF_INIT;
    struct etcd_stream stream = {
        .line_max = message_max(fetcher), .changed = on_change, .context = fetcher};
    struct http_request request = {.url = url,
                                   .whole_ms = fetcher->config.interval_s * 1000U,
                                   .take = take_watch,
                                   .context = &stream,
                                   .stop = fetcher->look};
    struct http_answer answer;
    enum cordon_err err;

    make_url(fetcher, ETCD_WATCH, url, sizeof(url));
    etcd_watch_request(fetcher->config.etcd_key, revision, &post);
    request.body = strbuf_text(&post);
    err = http_do(fetcher->http, &fetcher->config, &request, &answer, &fault);
    if (*fetcher->look != 0 || (err == CORDON_E_TIMEOUT && stream.created)) {
        err = CORDON_OK;
    } else {
        spool_log("the watch at %s broke off: %s", fetcher->config.endpoints[fetcher->endpoint],
                  err == CORDON_OK ? "it was closed" : fault.text);
        next_endpoint(fetcher);
        err = CORDON_E_AGAIN;
    }
    etcd_stream_deinit(&stream);
    strbuf_deinit(&post);
    return err;
}

static enum cordon_err round_etcd(struct fetcher *fetcher, struct cordon_fault *fault)
{
    struct strbuf value = STRBUF_INIT;
    const uint64_t began_ms = host_now_ms();
    uint64_t revision = 0;
    enum cordon_err err = CORDON_E_CLOSED;

    fetcher->endpoint %= fetcher->config.endpoint_count;
    for (size_t i = 0; i < fetcher->config.endpoint_count; i++) {
        strbuf_deinit(&value);
        err = range(fetcher, &value, &revision, fault);
        if (err == CORDON_OK || err == CORDON_E_NOT_FOUND) {
            break;
        }
        next_endpoint(fetcher);
    }
    if (err == CORDON_OK) {
        offer(fetcher, strbuf_text(&value), value.len);
    } else if (err == CORDON_E_NOT_FOUND) {
        gone(fetcher);
        err = CORDON_OK;
    }
    strbuf_deinit(&value);
    if (err == CORDON_OK) {
        err = watch(fetcher, revision + 1);
    }
    /* A member that went away after a while: another one is asked at once. */
    return err == CORDON_E_AGAIN && host_now_ms() - began_ms > LASTED_MS ? CORDON_OK : err;
}

enum cordon_err round_run(struct fetcher *fetcher, bool *ret_wait)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    enum cordon_err err;

    *ret_wait = fetcher->config.url != NULL;
    err = fetcher->config.url != NULL ? round_url(fetcher, &fault) : round_etcd(fetcher, &fault);
    if (err != CORDON_OK && err != CORDON_E_AGAIN) {
        spool_alarm(&fetcher->spool, &fault);
    }
    return err;
}
