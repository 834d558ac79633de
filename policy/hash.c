/* SPDX-License-Identifier: Apache-2.0 */
/* The only user of libsodium here. */
#include <sodium.h>

#include "policy/policy.h"

_Static_assert(POLICY_HASH_HEX == 2 * crypto_hash_sha256_BYTES + 1, "room for the digits");

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
