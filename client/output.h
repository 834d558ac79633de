/* SPDX-License-Identifier: Apache-2.0 */
/* The few lines that cordon itself says, on standard error. */
#ifndef CORDON_CLIENT_OUTPUT_H
#define CORDON_CLIENT_OUTPUT_H

#include <stdbool.h>

#include "client/include/cordon/cordon.h"
#include "platform/base/strbuf.h"

/* "cordon: TEXT; REMEDY" and a newline; @remedy may be NULL or "". */
void output_failure(const char *text, const char *remedy);

/* As output_failure(), or {"event":"failed",...} on a line of JSON. */
void output_error(const struct cordon_error *error, bool json);

/* Appends "cordon: TEXT", or {"event":"notice",...}, to @lines. */
void output_notice(const char *text, bool json, struct strbuf *lines);

/* Appends one denial as POLICY.md section 3 shows it, or as a line of JSON. */
void output_violation(const struct cordon_event *event, bool json, struct strbuf *out);

/* The same with time, job and uid, as cordon violations prints it. */
void output_record(const struct cordon_event *event, bool json, struct strbuf *out);

/* Appends how many denials have no record. */
void output_missed(uint32_t missed, bool json, struct strbuf *out);

/* To standard error. */
void output_lines(const struct strbuf *lines);

/* To standard output; 0, or 1 when it could not be written. */
int output_text(const struct strbuf *text);

#endif
