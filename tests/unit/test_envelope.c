/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/envelope.h"
#include "tests/support/check.h"

#define DOCUMENT "[permissions.filesystem]\ndeny_read = [\"/srv/secret\"]\n"

static struct signature_seed seed;
static struct signature_key key;
static struct cordon_fault fault;

static struct envelope_keys ours(void)
{
    memset(seed.bytes, 7, sizeof(seed.bytes));
    signature_public(&seed, &key);
    return (struct envelope_keys){&key, 1};
}

static struct strbuf sealed(uint64_t generation, uint64_t not_after, const char *text)
{
    const struct envelope in = {
        .generation = generation, .not_after = not_after, .text = text, .len = strlen(text)};
    struct strbuf out = STRBUF_INIT;

    (void)ours();
    CHECK(envelope_sign(&in, &seed, &out, &fault) == CORDON_OK);
    return out;
}

static enum cordon_err check_bytes(const char *bytes, size_t len)
{
    const struct envelope_keys keys = ours();
    struct envelope envelope;

    return envelope_verify(bytes, len, &keys, &envelope, &fault);
}

/* The signature over other bytes, made good: what remains is the header's own syntax. */
static enum cordon_err check_body(const char *body, size_t len)
{
    unsigned char signature[SIGNATURE_BYTES];
    char hex[2 * SIGNATURE_BYTES + 1];
    struct strbuf out = STRBUF_INIT;
    enum cordon_err err;

    (void)ours();
    signature_make(&seed, body, len, signature);
    signature_to_hex(signature, sizeof(signature), hex);
    strbuf_printf(&out, "signature %s\n", hex);
    strbuf_add(&out, body, len);
    err = check_bytes(out.data, out.len);
    strbuf_deinit(&out);
    return err;
}

/* RFC 8032, 7.1, TEST 1 (an empty message). */
TEST(the_signature_is_that_of_the_standard)
{
    static const char secret[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    static const char open_key[] =
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    static const char want[] = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                               "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    unsigned char signature[SIGNATURE_BYTES];
    char hex[2 * SIGNATURE_BYTES + 1];
    struct signature_seed own;
    struct signature_key made;

    CHECK(signature_from_hex(secret, strlen(secret), own.bytes, sizeof(own.bytes)));
    signature_public(&own, &made);
    signature_to_hex(made.bytes, sizeof(made.bytes), hex);
    CHECK_STR(hex, open_key);
    signature_make(&own, "", 0, signature);
    signature_to_hex(signature, sizeof(signature), hex);
    CHECK_STR(hex, want);
    CHECK(signature_verify(signature, "", 0, &made));
    CHECK(!signature_verify(signature, "x", 1, &made));
}

TEST(what_was_signed_is_read_back)
{
    struct strbuf text = sealed(42, 1767225600, DOCUMENT);
    const struct envelope_keys keys = ours();
    struct envelope envelope;
    char id[ENVELOPE_ID_HEX];

    CHECK(envelope_verify(text.data, text.len, &keys, &envelope, &fault) == CORDON_OK);
    CHECK(envelope.generation == 42 && envelope.not_after == 1767225600);
    CHECK(envelope.len == strlen(DOCUMENT) && memcmp(envelope.text, DOCUMENT, envelope.len) == 0);
    envelope_key_id(&key, id);
    CHECK_STR(envelope.key, id);
    strbuf_deinit(&text);
}

TEST(every_changed_bit_is_refused)
{
    struct strbuf text = sealed(42, 0, DOCUMENT);

    for (size_t i = 0; i < text.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text.data[i] = (char)(text.data[i] ^ (1 << bit));
            CHECK(check_bytes(text.data, text.len) != CORDON_OK);
            text.data[i] = (char)(text.data[i] ^ (1 << bit));
        }
    }
    CHECK(check_bytes(text.data, text.len) == CORDON_OK);
    strbuf_deinit(&text);
}

TEST(a_text_cut_short_or_lengthened_is_refused)
{
    struct strbuf text = sealed(42, 0, DOCUMENT);

    for (size_t len = 0; len < text.len; len++) {
        CHECK(check_bytes(text.data, len) != CORDON_OK);
    }
    strbuf_puts(&text, "\n");
    CHECK(check_bytes(text.data, text.len) == CORDON_E_DENIED);
    strbuf_deinit(&text);
}

TEST(a_key_that_is_none_of_ours_is_refused_by_name)
{
    struct strbuf text = sealed(1, 0, DOCUMENT);
    struct signature_key other = key;
    const struct envelope_keys none = {NULL, 0};
    const struct envelope_keys wrong = {&other, 1};
    struct envelope envelope;

    CHECK(envelope_verify(text.data, text.len, &none, &envelope, &fault) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "is none of ours") != NULL);
    /* The same name, another key. */
    other.bytes[SIGNATURE_KEY - 1] ^= 1;
    CHECK(envelope_verify(text.data, text.len, &wrong, &envelope, &fault) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "does not fit") != NULL);
    strbuf_deinit(&text);
}

TEST(a_header_has_one_way_to_be_written)
{
    static const struct {
        const char *head;
        enum cordon_err err;
    } rows[] = {
        {"cordon-requirements 1\ngeneration 7\nnot-after 0\nkey @\n\n", CORDON_OK},
        {"cordon-requirements 2\ngeneration 7\nnot-after 0\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration 0\nnot-after 0\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration 07\nnot-after 0\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration +7\nnot-after 0\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration -7\nnot-after 0\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration \nnot-after 0\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration 7\nnot-after 00\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\nnot-after 0\ngeneration 7\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration 7\nnot-after 0\nkey @\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\r\ngeneration 7\nnot-after 0\nkey @\n\n", CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration 18446744073709551615\nnot-after 0\nkey @\n\n",
         CORDON_OK},
        {"cordon-requirements 1\ngeneration 18446744073709551616\nnot-after 0\nkey @\n\n",
         CORDON_E_SYNTAX},
        {"cordon-requirements 1\ngeneration 99999999999999999999\nnot-after 0\nkey @\n\n",
         CORDON_E_SYNTAX},
    };
    char id[ENVELOPE_ID_HEX];

    (void)ours();
    envelope_key_id(&key, id);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf body = STRBUF_INIT;
        const char *at = strchr(rows[i].head, '@');

        strbuf_add(&body, rows[i].head, (size_t)(at - rows[i].head));
        strbuf_puts(&body, id);
        strbuf_puts(&body, at + 1);
        strbuf_puts(&body, DOCUMENT);
        if (check_body(body.data, body.len) != rows[i].err) {
            (void)fprintf(stderr, "row %zu: %s\n", i, fault.text);
            CHECK(false);
        }
        strbuf_deinit(&body);
    }
}

TEST(more_than_a_mebibyte_is_neither_signed_nor_read)
{
    static char big[ENVELOPE_MAX + 1];
    const struct envelope in = {.generation = 1, .text = big, .len = ENVELOPE_MAX - 200};
    const struct envelope over = {.generation = 1, .text = big, .len = ENVELOPE_MAX - 199};
    struct strbuf out = STRBUF_INIT;

    (void)ours();
    memset(big, '#', sizeof(big));
    CHECK(envelope_sign(&over, &seed, &out, &fault) != CORDON_OK || out.len <= ENVELOPE_MAX);
    strbuf_deinit(&out);
    CHECK(envelope_sign(&in, &seed, &out, &fault) != CORDON_OK || out.len <= ENVELOPE_MAX);
    strbuf_deinit(&out);
    CHECK(check_bytes(big, sizeof(big)) == CORDON_E_LIMIT);
}

TEST(generations_only_move_forward)
{
    const struct envelope fresh = {.generation = 5};
    const struct {
        struct envelope_old old;
        enum cordon_err err;
    } rows[] = {
        {{0, NULL, 0}, CORDON_OK},       {{4, "old", 3}, CORDON_OK},
        {{5, "new", 3}, CORDON_E_AGAIN}, {{5, "neu", 3}, CORDON_E_DENIED},
        {{5, "ne", 2}, CORDON_E_DENIED}, {{5, NULL, 0}, CORDON_E_DENIED},
        {{6, "x", 1}, CORDON_E_DENIED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(envelope_follows(&fresh, "new", 3, &rows[i].old, &fault) == rows[i].err);
    }
    CHECK(strstr(fault.text, "generation 5 is older than 6") != NULL);
}

TEST_MAIN()
