/* SPDX-License-Identifier: Apache-2.0 */
/* The proof that the kernel asks the program: a job with one denied file. */
#ifndef CORDON_LINUX_BPF_CANARY_H
#define CORDON_LINUX_BPF_CANARY_H

/* Descriptors of the maps of these names. */
struct canary_maps {
    int tags, jobs, places, summary;
};

/* NULL: all was as it should be; else what was not, in a few words. */
const char *canary_fly(const struct canary_maps *maps);

#endif
