/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an audit record says, as fields: a JSON object has them under their
 * names, the journal as CORDON_NAME. Nothing is in one that is not in the other.
 */
#ifndef CORDON_BROKER_AUDIT_FIELDS_H
#define CORDON_BROKER_AUDIT_FIELDS_H

#include "broker/audit.h"
#include "platform/base/strbuf.h"

#define AUDIT_FIELDS_MAX 30U

struct audit_field {
    const char *name; /* in lower case */
    const char *text; /* NULL: a number, or if @truth true or false */
    uint64_t number;
    bool truth;
};

struct audit_fields {
    struct audit_field items[AUDIT_FIELDS_MAX];
    size_t count;
};

/* The texts are those of @event. */
void audit_fields_of(const struct audit_event *event, struct audit_fields *ret_fields);

/* The record for a person, in one line; as it is, not escaped. */
void audit_message(const struct audit_event *event, struct strbuf *out);

/* What journalctl finds all records of a kind by: the value of MESSAGE_ID. */
const char *audit_message_id(enum audit_event_kind kind);

#endif
