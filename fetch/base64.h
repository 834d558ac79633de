/* SPDX-License-Identifier: Apache-2.0 */
/* Base 64 with padding (RFC 4648, 4), as etcd's gateway writes keys and values. */
#ifndef CORDON_FETCH_BASE64_H
#define CORDON_FETCH_BASE64_H

#include "platform/base/strbuf.h"

void base64_encode(const char *bytes, size_t len, struct strbuf *out);
/* CORDON_E_SYNTAX for anything but the one way to write it; CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err base64_decode(const char *text, struct strbuf *out);

#endif
