/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first record on the channel between a worker and the init of a job, written by the
 * supervisor: whose process that is. The worker gives it the job's handles with his own rights: a
 * process in a sandbox could take none, and the supervisor touches no live handle of a caller's.
 */
#ifndef CORDON_PLATFORM_WINDOWS_JOB_HELLO_H
#define CORDON_PLATFORM_WINDOWS_JOB_HELLO_H

#include <stdint.h>

#define JOB_HELLO_MAGIC 0x54494e49U
struct job_hello {
    uint32_t magic;
    uint32_t pid;
};

/* What the init says on its standard output, each as one write; the end of it without EXITED: the
 * job was ended. */
enum job_word_kind { JOB_RUNNING = 1, JOB_FAILED, JOB_EXITED };
struct job_word {
    uint32_t kind;
    uint32_t code; /* FAILED: a Win32 code; EXITED: the command's status */
};

#endif
