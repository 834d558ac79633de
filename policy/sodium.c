/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only user of libsodium here. None of the functions used needs sodium_init():
 * they draw no random numbers, and have one implementation each or begin with the one for any
 * machine.
 */
#include <sodium.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/signature.h"

_Static_assert(DIGEST_BYTES == crypto_hash_sha256_BYTES, "a digest");
_Static_assert(DIGEST_BYTES == crypto_generichash_BYTES, "a digest");
_Static_assert(DIGEST_BYTES == crypto_generichash_KEYBYTES, "a key");
_Static_assert(SIGNATURE_KEY == crypto_sign_PUBLICKEYBYTES, "a public key");
_Static_assert(SIGNATURE_SEED == crypto_sign_SEEDBYTES, "a seed");
_Static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "a signature");

void digest_sha256(const void *data, size_t len, struct digest *ret)
{
    (void)crypto_hash_sha256(ret->bytes, data, len);
}

void digest_keyed(const struct digest *key, const struct digest_part *parts, size_t count,
                  struct digest *ret)
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, key->bytes, sizeof(key->bytes), sizeof(ret->bytes));
    for (size_t i = 0; i < count; i++) {
        const uint64_t len = parts[i].len;

        (void)crypto_generichash_update(&state, (const unsigned char *)&len, sizeof(len));
        (void)crypto_generichash_update(&state, parts[i].data, parts[i].len);
    }
    (void)crypto_generichash_final(&state, ret->bytes, sizeof(ret->bytes));
}

bool digest_same(const struct digest *a, const struct digest *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
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
