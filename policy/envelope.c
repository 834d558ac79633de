/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/envelope.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC "cordon-requirements 1\n"
#define SIGNATURE_LINE (sizeof("signature ") - 1 + 2 * SIGNATURE_BYTES + 1)

struct reader {
    const char *at, *end;
    bool broken;
};

/* Steps over @word, which has to be next. */
static void take_word(struct reader *reader, const char *word)
{
    const size_t len = strlen(word);

    if (reader->broken || (size_t)(reader->end - reader->at) < len ||
        memcmp(reader->at, word, len) != 0) {
        reader->broken = true;
        return;
    }
    reader->at += len;
}

/* "WORD NUMBER\n", in the one way to write it. */
static uint64_t take_number(struct reader *reader, const char *word)
{
    uint64_t value = 0;
    const char *first;

    take_word(reader, word);
    first = reader->at;
    while (!reader->broken && reader->at < reader->end && *reader->at >= '0' &&
           *reader->at <= '9') {
        const unsigned digit = (unsigned)(*reader->at++ - '0');

        reader->broken = value > (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    reader->broken = reader->broken || reader->at == first || (*first == '0' && value != 0) ||
                     (value == 0 && reader->at - first != 1);
    take_word(reader, "\n");
    return value;
}

static void take_hex(struct reader *reader, const char *word, unsigned char *bytes, size_t len)
{
    take_word(reader, word);
    if (reader->broken ||
        !signature_from_hex(reader->at, (size_t)(reader->end - reader->at), bytes, len)) {
        reader->broken = true;
        return;
    }
    reader->at += 2 * len;
    take_word(reader, "\n");
}

static enum cordon_err parse(const char *bytes, size_t len, struct envelope *ret_envelope,
                             unsigned char ret_signature[SIGNATURE_BYTES],
                             struct cordon_fault *fault)
{
    struct reader reader = {bytes, bytes + len, false};
    struct envelope envelope = {.generation = 0};
    unsigned char id[ENVELOPE_ID];

    if (len > ENVELOPE_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "signed requirements: more than %u bytes",
                         ENVELOPE_MAX);
    }
    take_hex(&reader, "signature ", ret_signature, SIGNATURE_BYTES);
    take_word(&reader, MAGIC);
    envelope.generation = take_number(&reader, "generation ");
    envelope.not_after = take_number(&reader, "not-after ");
    take_hex(&reader, "key ", id, sizeof(id));
    take_word(&reader, "\n");
    if (reader.broken || envelope.generation == 0) {
        return fault_set(fault, CORDON_E_SYNTAX, "sign it with cordon policy sign",
                         "signed requirements: the header is malformed");
    }
    signature_to_hex(id, sizeof(id), envelope.key);
    envelope.text = reader.at;
    envelope.len = (size_t)(reader.end - reader.at);
    *ret_envelope = envelope;
    return CORDON_OK;
}

enum cordon_err envelope_parse(const char *bytes, size_t len, struct envelope *ret_envelope,
                               struct cordon_fault *fault)
{
    unsigned char signature[SIGNATURE_BYTES];

    return parse(bytes, len, ret_envelope, signature, fault);
}

enum cordon_err envelope_verify(const char *bytes, size_t len, const struct envelope_keys *keys,
                                struct envelope *ret_envelope, struct cordon_fault *fault)
{
    unsigned char signature[SIGNATURE_BYTES];
    struct envelope envelope;
    enum cordon_err err = parse(bytes, len, &envelope, signature, fault);
    bool known = false;

    if (err != CORDON_OK) {
        return err;
    }
    for (size_t i = 0; i < keys->count; i++) {
        char id[ENVELOPE_ID_HEX];

        envelope_key_id(&keys->keys[i], id);
        if (strcmp(id, envelope.key) != 0) {
            continue;
        }
        known = true;
        if (signature_verify(signature, bytes + SIGNATURE_LINE, len - SIGNATURE_LINE,
                             &keys->keys[i])) {
            *ret_envelope = envelope;
            return CORDON_OK;
        }
    }
    return fault_set(fault, CORDON_E_DENIED, NULL,
                     known ? "signed requirements: the signature of key %s does not fit"
                           : "signed requirements: key %s is none of ours",
                     envelope.key);
}

enum cordon_err envelope_sign(const struct envelope *in, const struct signature_seed *seed,
                              struct strbuf *out, struct cordon_fault *fault)
{
    unsigned char signature[SIGNATURE_BYTES];
    char hex[2 * SIGNATURE_BYTES + 1];
    char id[ENVELOPE_ID_HEX];
    struct strbuf body = STRBUF_INIT;
    struct signature_key key;
    enum cordon_err err = CORDON_OK;

    if (in->generation == 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "generations count from 1");
    }
    signature_public(seed, &key);
    envelope_key_id(&key, id);
    strbuf_printf(&body, MAGIC "generation %" PRIu64 "\nnot-after %" PRIu64 "\nkey %s\n\n",
                  in->generation, in->not_after, id);
    strbuf_add(&body, in->text, in->len);
    if (body.len + SIGNATURE_LINE > ENVELOPE_MAX) {
        err = fault_set(fault, CORDON_E_LIMIT, NULL, "more than %u bytes with the header",
                        ENVELOPE_MAX);
    } else if (!body.failed) {
        signature_make(seed, body.data, body.len, signature);
        signature_to_hex(signature, sizeof(signature), hex);
        strbuf_printf(out, "signature %s\n", hex);
        strbuf_add(out, body.data, body.len);
    }
    if (err == CORDON_OK && (body.failed || out->failed)) {
        err = fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    strbuf_deinit(&body);
    return err;
}

enum cordon_err envelope_follows(const struct envelope *fresh, const char *bytes, size_t len,
                                 const struct envelope_old *old, struct cordon_fault *fault)
{
    if (fresh->generation > old->generation) {
        return CORDON_OK;
    }
    if (fresh->generation < old->generation) {
        return fault_set(fault, CORDON_E_DENIED, "sign anew with a greater generation",
                         "signed requirements: generation %" PRIu64 " is older than %" PRIu64
                         ", which is in force",
                         fresh->generation, old->generation);
    }
    if (old->bytes != NULL && old->len == len && memcmp(old->bytes, bytes, len) == 0) {
        return CORDON_E_AGAIN;
    }
    return fault_set(fault, CORDON_E_DENIED, "sign anew with a greater generation",
                     "signed requirements: generation %" PRIu64 " was something else before",
                     fresh->generation);
}

void envelope_key_id(const struct signature_key *key, char ret_id[ENVELOPE_ID_HEX])
{
    signature_to_hex(key->bytes, ENVELOPE_ID, ret_id);
}
