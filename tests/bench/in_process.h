/* SPDX-License-Identifier: Apache-2.0 */
/* A job without a client's process: what an agent that links libcordon does. */
#ifndef CORDON_TESTS_BENCH_IN_PROCESS_H
#define CORDON_TESTS_BENCH_IN_PROCESS_H

/* Connects to the service, once for all jobs; whatever is wrong ends the program. */
void in_process_open(void);

/* Runs a job to its end; its exit status, as cordon(1) gives it. */
int in_process_run(const char *mode, char *const *argv, char *const *env);

#endif
