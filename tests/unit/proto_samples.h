/* SPDX-License-Identifier: Apache-2.0 */
/* One well-filled message of every type, for the tests of proto/ and the fuzzers' seeds. */
#ifndef CORDON_TESTS_PROTO_SAMPLES_H
#define CORDON_TESTS_PROTO_SAMPLES_H

#include "platform/base/strbuf.h"
#include "proto/message.h"

#define SAMPLE_COUNT 17U

/* The sample at @index, in the order of frame_rule_at(); static storage. */
struct message sample_message(size_t index);

/* Appends to @out what protobuf writes: a field's tag and a number, or a string. */
void wire_number(struct strbuf *out, uint32_t field, uint64_t value);
void wire_string(struct strbuf *out, uint32_t field, const char *text, size_t len);
void wire_tag(struct strbuf *out, uint32_t field, uint32_t wire_type);
void wire_varint(struct strbuf *out, uint64_t value);

#endif
