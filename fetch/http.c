/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_S 10L

struct http {
    CURL *curl;
    char error[CURL_ERROR_SIZE];
};

/* What one exchange hands to the callback. */
struct exchange {
    CURL *curl;
    const struct http_request *request;
    enum cordon_err err; /* of take() */
    struct cordon_fault *fault;
};

enum cordon_err http_new(struct http **ret_http, struct cordon_fault *fault)
{
    struct http *http = calloc(1, sizeof(*http));

    if (http != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        http->curl = curl_easy_init();
    }
    if (http == NULL || http->curl == NULL) {
        free(http);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "libcurl cannot be started");
    }
    *ret_http = http;
    return CORDON_OK;
}

void http_free(struct http *http)
{
    if (http != NULL) {
        curl_easy_cleanup(http->curl);
        curl_global_cleanup();
        free(http);
    }
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    long status = 0;

    (void)curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        return size * count; /* an error page; its time is bounded */
    }
    exchange->err =
        exchange->request->take(exchange->request->context, bytes, size * count, exchange->fault);
    return exchange->err == CORDON_OK ? size * count : CURL_WRITEFUNC_ERROR;
}

/* Called at least once a second. */
static int on_progress(void *context, curl_off_t down, curl_off_t downed, curl_off_t up,
                       curl_off_t upped)
{
    const volatile sig_atomic_t *stop = context;

    (void)down;
    (void)downed;
    (void)up;
    (void)upped;
    return *stop != 0;
}

static void set_connection(CURL *curl, const struct fetch_config *config)
{
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)config->timeout_s);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
    (void)curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
    if (config->ca_file != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca_file);
        (void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (config->client_cert != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_SSLCERT, config->client_cert);
        (void)curl_easy_setopt(curl, CURLOPT_SSLKEY, config->client_key);
    }
}

static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
    char line[HTTP_ETAG_MAX + 64];
    struct curl_slist *more;

    (void)snprintf(line, sizeof(line), "%s: %s", name, value);
    more = curl_slist_append(*headers, line);
    if (more != NULL) {
        *headers = more;
    }
    return more != NULL;
}

static enum cordon_err set_request(CURL *curl, struct exchange *exchange,
                                   struct curl_slist **headers)
{
    const struct http_request *request = exchange->request;
    bool fits = curl_easy_setopt(curl, CURLOPT_URL, request->url) == CURLE_OK;

    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->whole_ms);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    if (request->stop != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)request->stop);
    }
    if (request->body != NULL) {
        fits = fits && add_header(headers, "Content-Type", "application/json");
        /* A member without a leader ends its watches instead of going quiet. */
        fits = fits && add_header(headers, "Grpc-Metadata-hasleader", "true");
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (request->etag != NULL) {
        fits = fits && add_header(headers, "If-None-Match", request->etag);
    }
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
    return fits ? CORDON_OK : CORDON_E_NOMEM;
}

/* Only one that can be sent back as it is: printable, and short. */
static void take_etag(CURL *curl, char ret_etag[HTTP_ETAG_MAX])
{
    struct curl_header *header = NULL;
    const char *at;

    ret_etag[0] = '\0';
    if (curl_easy_header(curl, "ETag", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        return;
    }
    for (at = header->value; *at >= ' ' && *at <= '~'; at++) {
    }
    if (*at == '\0' && strlen(header->value) < HTTP_ETAG_MAX) {
        memcpy(ret_etag, header->value, strlen(header->value) + 1);
    }
}

static enum cordon_err outcome(const struct http *http, const struct exchange *exchange,
                               CURLcode code)
{
    /* The same trouble has the same text, or it would be told in every round: no times. */
    const bool timed = code == CURLE_OPERATION_TIMEDOUT || code == CURLE_COULDNT_CONNECT;
    const char *text = http->error[0] != '\0' && !timed ? http->error : curl_easy_strerror(code);

    if (code == CURLE_OK) {
        return CORDON_OK;
    }
    if (exchange->err != CORDON_OK) {
        return exchange->err;
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return fault_set(exchange->fault, CORDON_E_AGAIN, NULL, "%s: stopped",
                         exchange->request->url);
    }
    return fault_set(exchange->fault,
                     code == CURLE_OPERATION_TIMEDOUT ? CORDON_E_TIMEOUT : CORDON_E_CLOSED, NULL,
                     "%s: %s", exchange->request->url, text);
}

enum cordon_err http_do(struct http *http, const struct fetch_config *config,
                        const struct http_request *request, struct http_answer *ret_answer,
                        struct cordon_fault *fault)
{
    struct exchange exchange = {http->curl, request, CORDON_OK, fault};
    struct curl_slist *headers = NULL;
    struct http_answer answer = {0};
    CURLcode code = CURLE_OUT_OF_MEMORY;
    enum cordon_err err;

    curl_easy_reset(http->curl); /* keeps connections */
    http->error[0] = '\0';
    (void)curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->error);
    set_connection(http->curl, config);
    if (set_request(http->curl, &exchange, &headers) == CORDON_OK) {
        code = curl_easy_perform(http->curl);
    }
    err = outcome(http, &exchange, code);
    (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    take_etag(http->curl, answer.etag);
    curl_slist_free_all(headers);
    *ret_answer = answer;
    return err;
}
