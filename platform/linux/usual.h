/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files the jobs of one recipe open: of those that a guard need not be asked about again
 * (init/exempt.h), the first. The guard of a job that is made ahead of time looks at them before
 * its command comes. In a memfd that the supervisor, cordon-init and those guards have, and no
 * command; a hint that nothing rests on.
 */
#ifndef CORDON_LINUX_USUAL_H
#define CORDON_LINUX_USUAL_H

#include <stdint.h>

#define USUAL_FILES 64U
#define USUAL_PATH_MAX 188U /* bytes; what is longer is not kept */

struct usual {
    uint32_t given; /* how many were given out; may be more than there are */
    struct {
        uint32_t len; /* 0: not written yet */
        char path[USUAL_PATH_MAX];
    } files[USUAL_FILES];
};

#endif
