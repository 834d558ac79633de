/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: SHA-256, and BLAKE2b with a key, which only who knows that can make. */
#ifndef CORDON_POLICY_DIGEST_H
#define CORDON_POLICY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_BYTES 32U

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

void digest_sha256(const void *data, size_t len, struct digest *ret);

/* Each part counts with its length: what is at the end of one is not at the beginning of the next.
 */
struct digest_part {
    const void *data;
    size_t len;
};
void digest_keyed(const struct digest *key, const struct digest_part *parts, size_t count,
                  struct digest *ret);
/* Takes as long wherever they differ. */
bool digest_same(const struct digest *a, const struct digest *b);

#endif
