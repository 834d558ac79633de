/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ed25519 (RFC 8032), and the hexadecimal that keys and signatures are written
 * in. Deterministic: a new key's seed comes from the caller.
 */
#ifndef CORDON_POLICY_SIGNATURE_H
#define CORDON_POLICY_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#define SIGNATURE_KEY 32U  /* bytes of a public key */
#define SIGNATURE_SEED 32U /* ... of a private one */
#define SIGNATURE_BYTES 64U

struct signature_key {
    unsigned char bytes[SIGNATURE_KEY];
};
struct signature_seed {
    unsigned char bytes[SIGNATURE_SEED]; /* wipe with signature_wipe() */
};

bool signature_verify(const unsigned char signature[SIGNATURE_BYTES], const void *text, size_t len,
                      const struct signature_key *key);
void signature_make(const struct signature_seed *seed, const void *text, size_t len,
                    unsigned char ret_signature[SIGNATURE_BYTES]);
void signature_public(const struct signature_seed *seed, struct signature_key *ret_key);
void signature_wipe(struct signature_seed *seed);

/* Lower case, with a NUL: @ret_hex has room for 2 * len + 1. */
void signature_to_hex(const unsigned char *bytes, size_t len, char *ret_hex);
/* True if @hex begins with exactly 2 * len lower-case digits; what follows is not looked at. */
bool signature_from_hex(const char *hex, size_t hex_len, unsigned char *ret_bytes, size_t len);

#endif
