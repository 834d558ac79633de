/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/etcd.h"

#include <string.h>

#include "fetch/base64.h"
#include "fetch/json.h"
#include "platform/base/jsonw.h"

static void put_key(struct jsonw *json, const char *key)
{
    struct strbuf coded = STRBUF_INIT;

    base64_encode(key, strlen(key), &coded);
    json->out->failed = json->out->failed || coded.failed;
    jsonw_string(json, "key", strbuf_text(&coded));
    strbuf_deinit(&coded);
}

static void put_number(struct jsonw *json, const char *name, uint64_t number)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_printf(&text, "%llu", (unsigned long long)number);
    json->out->failed = json->out->failed || text.failed;
    jsonw_string(json, name, strbuf_text(&text));
    strbuf_deinit(&text);
}

void etcd_range_request(const char *key, struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);

    jsonw_object(&json, NULL);
    put_key(&json, key);
    jsonw_object_end(&json);
}

void etcd_watch_request(const char *key, uint64_t revision, struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);

    jsonw_object(&json, NULL);
    jsonw_object(&json, "create_request");
    put_key(&json, key);
    put_number(&json, "start_revision", revision);
    jsonw_object_end(&json);
    jsonw_object_end(&json);
}

static enum cordon_err bad(struct cordon_fault *fault, const char *what)
{
    return fault_set(fault, CORDON_E_PROTO, NULL, "etcd: %s", what);
}

/* {"error": "text"} or {"error": {"message": "text"}}, by version and by way. */
static enum cordon_err check_error(const struct json *root, struct cordon_fault *fault)
{
    const struct json *error = json_member(root, "error");
    const char *text = json_text(error);

    if (error == NULL) {
        return CORDON_OK;
    }
    if (text == NULL) {
        text = json_text(json_member(error, "message"));
    }
    return bad(fault, text != NULL ? text : "an error without a text");
}

/* The value of a "kv"; an empty one is left out. */
static enum cordon_err take_value(const struct json *kv, struct strbuf *out,
                                  struct cordon_fault *fault)
{
    const struct json *value = json_member(kv, "value");
    const char *text = value == NULL ? "" : json_text(value);
    enum cordon_err err = text == NULL ? CORDON_E_SYNTAX : base64_decode(text, out);

    return err == CORDON_E_SYNTAX ? bad(fault, "a value is not base 64") : err;
}

enum cordon_err etcd_range_answer(const char *text, size_t len, struct strbuf *out,
                                  uint64_t *ret_revision, struct cordon_fault *fault)
{
    struct json *root = json_parse(text, len);
    const struct json *revision = json_member(json_member(root, "header"), "revision");
    const struct json *kv = json_first(json_member(root, "kvs"));
    enum cordon_err err = root == NULL ? bad(fault, "the answer is not JSON") : CORDON_OK;

    if (err == CORDON_OK) {
        err = check_error(root, fault);
    }
    if (err == CORDON_OK && !json_uint64(revision, ret_revision)) {
        err = bad(fault, "the answer has no revision");
    }
    if (err == CORDON_OK) {
        err = kv == NULL ? CORDON_E_NOT_FOUND : take_value(kv, out, fault);
    }
    json_free(root);
    return err;
}

/* The last event of a message is how things are; the ones before are over. */
static enum cordon_err take_events(struct etcd_stream *stream, const struct json *events,
                                   struct cordon_fault *fault)
{
    const struct json *last = json_last(events);
    struct strbuf value = STRBUF_INIT;
    enum cordon_err err = CORDON_OK;
    const char *type;

    if (last == NULL) {
        return CORDON_OK;
    }
    type = json_text(json_member(last, "type"));
    if (type != NULL && strcmp(type, "DELETE") == 0) {
        stream->changed(stream->context, NULL, 0);
        return CORDON_OK;
    }
    err = take_value(json_member(last, "kv"), &value, fault);
    if (err == CORDON_OK) {
        stream->changed(stream->context, strbuf_text(&value), value.len);
    }
    strbuf_deinit(&value);
    return err;
}

static enum cordon_err take_line(struct etcd_stream *stream, struct cordon_fault *fault)
{
    struct json *root = json_parse(strbuf_text(&stream->line), stream->line.len);
    const struct json *result = json_member(root, "result");
    const char *reason = json_text(json_member(result, "cancel_reason"));
    enum cordon_err err = root == NULL ? bad(fault, "the watch is not JSON") : CORDON_OK;

    if (err == CORDON_OK) {
        err = check_error(root, fault);
    }
    if (err == CORDON_OK && json_is_true(json_member(result, "canceled"))) {
        err = fault_set(fault, CORDON_E_CLOSED, NULL, "etcd: the watch was ended: %s",
                        reason != NULL ? reason : "no reason given");
    }
    if (err == CORDON_OK) {
        stream->created = stream->created || json_is_true(json_member(result, "created"));
        err = take_events(stream, json_member(result, "events"), fault);
    }
    json_free(root);
    return err;
}

enum cordon_err etcd_stream_feed(struct etcd_stream *stream, const char *bytes, size_t len,
                                 struct cordon_fault *fault)
{
    while (len > 0) {
        const char *end = memchr(bytes, '\n', len);
        const size_t part = end == NULL ? len : (size_t)(end - bytes);
        enum cordon_err err = CORDON_OK;

        if (part > stream->line_max - stream->line.len) {
            return fault_set(fault, CORDON_E_LIMIT, NULL,
                             "etcd: a message of the watch is too long");
        }
        strbuf_add(&stream->line, bytes, part);
        if (stream->line.failed) {
            return fault_set(fault, CORDON_E_NOMEM, NULL, "etcd: out of memory");
        }
        if (end != NULL && stream->line.len > 0) {
            err = take_line(stream, fault);
        }
        if (end != NULL) {
            strbuf_deinit(&stream->line);
        }
        if (err != CORDON_OK) {
            return err;
        }
        bytes += part + (end != NULL ? 1 : 0);
        len -= part + (end != NULL ? 1 : 0);
    }
    return CORDON_OK;
}

void etcd_stream_deinit(struct etcd_stream *stream)
{
    strbuf_deinit(&stream->line);
}
