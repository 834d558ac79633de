/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text from outside. */
#ifndef CORDON_BASE_NUMBER_H
#define CORDON_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* True if @text is nothing but decimal digits, at least one, of a number up to @most. */
bool number_parse(const char *text, uint64_t most, uint64_t *ret_number);

#endif
