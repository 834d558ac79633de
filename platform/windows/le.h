/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as bytes, the lowest first, at any address: what SIDs, lists and the pipe have. Pure. */
#ifndef CORDON_PLATFORM_WINDOWS_LE_H
#define CORDON_PLATFORM_WINDOWS_LE_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t le_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8U);
}

static inline uint32_t le_get32(const uint8_t *at)
{
    return le_get16(at) | (uint32_t)le_get16(at + 2) << 16U;
}

/* Of @value only what fits is written. */
static inline void le_put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8U);
}

static inline void le_put32(uint8_t *at, size_t value)
{
    le_put16(at, value);
    le_put16(at + 2, value >> 16U);
}

#endif
