/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed requirements document, as cordon-fetch fetches it. One text:
 *
 *   signature 128 HEXADECIMAL DIGITS
 *   cordon-requirements 1
 *   generation 42
 *   not-after 1767225600
 *   key 16 HEXADECIMAL DIGITS
 *   (an empty line)
 *   the document, a requirements.toml, to the end
 *
 * Exactly these lines in this order, each ended by one newline, numbers without
 * leading zeros. The Ed25519 signature is over every byte after the first line:
 * these begin with "cordon-requirements 1", so that nothing else that is ever
 * signed with the same key can be taken for requirements.
 */
#ifndef CORDON_POLICY_ENVELOPE_H
#define CORDON_POLICY_ENVELOPE_H

#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/strbuf.h"
#include "policy/signature.h"

#define ENVELOPE_MAX (1024U * 1024U) /* bytes, the header included */
#define ENVELOPE_ID 8U               /* bytes of a public key that name it */
#define ENVELOPE_ID_HEX (2 * ENVELOPE_ID + 1)

struct envelope {
    uint64_t generation; /* from 1; a greater one replaces a smaller one */
    uint64_t not_after;  /* seconds since 1970; 0: without end */
    char key[ENVELOPE_ID_HEX];
    const char *text; /* the document; in the bytes that were parsed */
    size_t len;
};

/* A set of public keys; any of them may sign. */
struct envelope_keys {
    const struct signature_key *keys;
    size_t count;
};

/*
 * What the header says, the signature unchecked: for a file that only root can have
 * written. CORDON_E_LIMIT, CORDON_E_SYNTAX.
 */
CORDON_MUST_USE enum cordon_err envelope_parse(const char *bytes, size_t len,
                                               struct envelope *ret_envelope,
                                               struct cordon_fault *fault);

/* As envelope_parse(), and CORDON_E_DENIED when none of @keys has signed these very bytes. */
CORDON_MUST_USE enum cordon_err envelope_verify(const char *bytes, size_t len,
                                                const struct envelope_keys *keys,
                                                struct envelope *ret_envelope,
                                                struct cordon_fault *fault);

/* Appends the envelope of @in (its key aside). CORDON_E_INVALID, _LIMIT, _NOMEM. */
CORDON_MUST_USE enum cordon_err envelope_sign(const struct envelope *in,
                                              const struct signature_seed *seed, struct strbuf *out,
                                              struct cordon_fault *fault);

/*
 * Whether @fresh may take the place of a document of @generation with @bytes (NULL: none).
 * CORDON_OK it is newer; CORDON_E_AGAIN the same; CORDON_E_DENIED older, or another one of the same
 * generation.
 */
struct envelope_old {
    uint64_t generation; /* 0: none */
    const char *bytes;
    size_t len;
};
CORDON_MUST_USE enum cordon_err envelope_follows(const struct envelope *fresh, const char *bytes,
                                                 size_t len, const struct envelope_old *old,
                                                 struct cordon_fault *fault);

/* The name of a key. */
void envelope_key_id(const struct signature_key *key, char ret_id[ENVELOPE_ID_HEX]);

#endif
