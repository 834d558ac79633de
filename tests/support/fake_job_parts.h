/* SPDX-License-Identifier: Apache-2.0 */
/* What fake_job.c and fake_job_token.c share. */
#ifndef CORDON_TESTS_FAKE_JOB_PARTS_H
#define CORDON_TESTS_FAKE_JOB_PARTS_H

#include "tests/support/fake_job.h"

/* The head of a call: its line, and the end of it if it is not made. */
#define CALL(...)                                                                                  \
    struct fake_job *fake = self;                                                                  \
    uint32_t code;                                                                                 \
    if (!api_tap_begin(fake->tap, &code, __VA_ARGS__)) {                                           \
        return code;                                                                               \
    }
#define DONE return api_tap_end(fake->tap, API_OK)

/* A token of the world's: one that is none ends the test. */
struct fake_token *fake_job_token(struct fake_job *fake, api_handle handle);

/* The head of a call that is given a descriptor; as api_tap_begin(). */
bool fake_job_begin_listed(struct fake_job *fake, uint32_t *ret_code, const char *what,
                           const uint8_t *bytes, size_t len);

void fake_job_tokens(struct fake_job *fake);

#endif
