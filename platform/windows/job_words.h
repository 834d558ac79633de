/* SPDX-License-Identifier: Apache-2.0 */
/* What the init of a job says on its standard output, each as one write; the end of it without
 * EXITED or FAILED: the job was ended. */
#ifndef CORDON_PLATFORM_WINDOWS_JOB_WORDS_H
#define CORDON_PLATFORM_WINDOWS_JOB_WORDS_H

#include <stdint.h>

enum job_word_kind { JOB_RUNNING = 1, JOB_FAILED, JOB_EXITED };
struct job_word {
    uint32_t kind;
    uint32_t code; /* FAILED: a Win32 code; EXITED: the command's status */
};

#endif
