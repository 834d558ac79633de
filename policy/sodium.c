/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only user of libsodium here. None of the functions used needs sodium_init():
 * they have one implementation each and draw no random numbers.
 */
#include <sodium.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/signature.h"

_Static_assert(POLICY_HASH_HEX == 2 * crypto_hash_sha256_BYTES + 1, "room for the digits");
_Static_assert(SIGNATURE_KEY == crypto_sign_PUBLICKEYBYTES, "a public key");
_Static_assert(SIGNATURE_SEED == crypto_sign_SEEDBYTES, "a seed");
_Static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "a signature");

enum cordon_err policy_hash(const struct policy *policy, char ret_hex[POLICY_HASH_HEX])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    struct strbuf text = STRBUF_INIT;

    policy_dump(policy, &text);
    if (text.failed) {
        strbuf_deinit(&text);
        return CORDON_E_NOMEM;
    }
    (void)crypto_hash_sha256(digest, (const unsigned char *)strbuf_text(&text), text.len);
    strbuf_deinit(&text);
    (void)sodium_bin2hex(ret_hex, POLICY_HASH_HEX, digest, sizeof(digest));
    return CORDON_OK;
}

bool signature_verify(const unsigned char signature[SIGNATURE_BYTES], const void *text, size_t len,
                      const struct signature_key *key)
{
    return crypto_sign_verify_detached(signature, text, len, key->bytes) == 0;
}

void signature_make(const struct signature_seed *seed, const void *text, size_t len,
                    unsigned char ret_signature[SIGNATURE_BYTES])
{
    unsigned char key[crypto_sign_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_SECRETKEYBYTES];

    (void)crypto_sign_seed_keypair(key, secret, seed->bytes);
    (void)crypto_sign_detached(ret_signature, NULL, text, len, secret);
    sodium_memzero(secret, sizeof(secret));
}

void signature_public(const struct signature_seed *seed, struct signature_key *ret_key)
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES];

    (void)crypto_sign_seed_keypair(ret_key->bytes, secret, seed->bytes);
    sodium_memzero(secret, sizeof(secret));
}

void signature_wipe(struct signature_seed *seed)
{
    sodium_memzero(seed->bytes, sizeof(seed->bytes));
}

void signature_to_hex(const unsigned char *bytes, size_t len, char *ret_hex)
{
    (void)sodium_bin2hex(ret_hex, 2 * len + 1, bytes, len);
}

bool signature_from_hex(const char *hex, size_t hex_len, unsigned char *ret_bytes, size_t len)
{
    size_t done = 0;

    if (hex_len < 2 * len || memchr(hex, '\0', 2 * len) != NULL ||
        sodium_hex2bin(ret_bytes, len, hex, 2 * len, NULL, &done, NULL) != 0 || done != len) {
        return false;
    }
    for (size_t i = 0; i < 2 * len; i++) {
        if (hex[i] >= 'A' && hex[i] <= 'F') {
            return false;
        }
    }
    return true;
}
