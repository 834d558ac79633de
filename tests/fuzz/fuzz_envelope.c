/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a signed document, and any document signed: what parses lies within
 * the input and is believed only with a signature, which no fuzzer finds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct signature_seed seed = {{1, 2, 3}};
    const char *bytes = (const char *)data;
    struct cordon_fault fault = {0};
    struct strbuf out = STRBUF_INIT;
    struct signature_key key;
    const struct envelope_keys keys = {&key, 1};
    struct envelope in = {.generation = size, .text = bytes, .len = size};
    struct envelope parsed;
    enum cordon_err err;

    signature_public(&seed, &key);
    err = envelope_parse(bytes, size, &parsed, &fault);
    if (err == CORDON_OK) {
        require(parsed.generation > 0 && parsed.text + parsed.len == bytes + size);
    } else {
        require(fault.text[0] != '\0');
    }
    require(envelope_verify(bytes, size, &keys, &parsed, &fault) != CORDON_OK);
    if (envelope_sign(&in, &seed, &out, &fault) == CORDON_OK) {
        require(envelope_verify(out.data, out.len, &keys, &parsed, &fault) == CORDON_OK);
        require(parsed.len == size && memcmp(parsed.text, bytes, size) == 0);
    }
    strbuf_deinit(&out);
    return 0;
}
