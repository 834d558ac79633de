/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the answer to a range, and as the stream of a watch in two kinds of pieces, which
 * have to tell the same changes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/base64.h"
#include "fetch/etcd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MAX_BYTES 65536U

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void changed(void *context, const char *value, size_t len)
{
    struct strbuf *seen = context;

    strbuf_puts(seen, value == NULL ? "-" : "+");
    strbuf_add(seen, value == NULL ? "" : value, len);
}

static enum cordon_err feed(const char *bytes, size_t size, size_t piece, struct strbuf *seen)
{
    struct etcd_stream stream = {.line_max = LINE_MAX_BYTES, .changed = changed, .context = seen};
    struct cordon_fault fault = {0};
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < size; i += piece) {
        err = etcd_stream_feed(&stream, bytes + i, size - i < piece ? size - i : piece, &fault);
        require(stream.line.len <= LINE_MAX_BYTES);
        require(err == CORDON_OK || fault.text[0] != '\0');
    }
    etcd_stream_deinit(&stream);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct strbuf value = STRBUF_INIT;
    struct strbuf other = STRBUF_INIT;
    struct cordon_fault fault = {0};
    uint64_t revision;
    enum cordon_err err = etcd_range_answer(bytes, size, &value, &revision, &fault);

    require(err == CORDON_OK || err == CORDON_E_NOT_FOUND || fault.text[0] != '\0');
    strbuf_deinit(&value);
    err = feed(bytes, size, size > 0 ? size : 1, &value);
    require(feed(bytes, size, 7, &other) == err);
    require(value.len == other.len &&
            memcmp(strbuf_text(&value), strbuf_text(&other), value.len) == 0);
    strbuf_deinit(&value);
    strbuf_deinit(&other);
    base64_encode(bytes, size, &value);
    require(base64_decode(strbuf_text(&value), &other) == CORDON_OK && other.len == size);
    require(size == 0 || memcmp(other.data, bytes, size) == 0);
    strbuf_deinit(&value);
    strbuf_deinit(&other);
    return 0;
}
