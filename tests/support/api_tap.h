/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of platform/windows/api.h over another: writes down every call, makes the n-th fail, or
 * lets the process "crash" at it, after which no call has an effect any more.
 */
#ifndef CORDON_TESTS_API_TAP_H
#define CORDON_TESTS_API_TAP_H

#include "platform/base/strbuf.h"
#include "platform/windows/api.h"

/* What cannot be ended by an error code ends well. */
#define API_TAP_DEAD 1067U /* ERROR_PROCESS_ABORTED */

struct api_tap {
    struct api api; /* what is handed out */
    const struct api *under;
    /* A line a call: "open file C:\a access=0x60080" and " -> CODE" if not 0. */
    struct strbuf trace;
    unsigned calls;      /* made so far; revert, close and now_ms are not counted */
    unsigned fail_at;    /* the call that fails, from 1; 0: none */
    unsigned fail_count; /* and that many from there on; 0: one */
    uint32_t fail_code;
    unsigned crash_at; /* the call at which the process ends, from 1; 0: none */
    bool crash_after;  /* once the call had its effect; else before */
    bool dead;
    void (*die)(void); /* called instead of being dead: a process that really ends; NULL: none */
};

/* Not 0 while a call is made: what is allocated then is the test's own. */
extern unsigned api_tap_inside;

void api_tap_init(struct api_tap *tap, const struct api *under);
void api_tap_deinit(struct api_tap *tap);

/* A call of another table, written down and counted with these: false: it is not made, and
 * *ret_code is what it returns; else api_tap_end() with its code. */
bool api_tap_begin(struct api_tap *tap, uint32_t *ret_code, const char *fmt, ...)
    CORDON_PRINTF(3, 4);
uint32_t api_tap_end(struct api_tap *tap, uint32_t code);

#endif
