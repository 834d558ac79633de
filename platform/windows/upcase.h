/* SPDX-License-Identifier: Apache-2.0 */
/* Characters of Windows names: strict UTF-8 in, upper case as NTFS compares. Pure. */
#ifndef CORDON_PLATFORM_WINDOWS_UPCASE_H
#define CORDON_PLATFORM_WINDOWS_UPCASE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The character at @text (@len > 0 bytes) and its length in bytes; 0 for what is no well-formed
 * UTF-8 (RFC 3629): overlong forms, surrogates and values above U+10FFFF included.
 */
size_t win_utf8(const char *text, size_t len, uint32_t *ret_char);

/* Writes @value as UTF-8 to @out (room for 4 bytes); gives the length. */
size_t win_utf8_put(uint32_t value, char *out);

/* UTF-16 units that @value takes: what Windows counts the length of names in. */
size_t win_utf16_units(uint32_t value);

/*
 * @value as a volume's $UpCase table has it, as far as every NTFS since Windows 2000 agrees: one
 * UTF-16 unit to one, never what has no way back (sharp s, dotless i, long s, final sigma, Kelvin),
 * nothing above U+FFFF. What a newer table folds as well stays two names here: then one object
 * gets two entries, which is harmless, while folding too much would let one of two objects go
 * without any.
 */
uint32_t win_upcase(uint32_t value);

#endif
