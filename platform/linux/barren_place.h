/* SPDX-License-Identifier: Apache-2.0 */
/* A directory in which a walk found nothing, between cordon-init (init/barren.h) and who keeps it.
 */
#ifndef CORDON_LINUX_BARREN_PLACE_H
#define CORDON_LINUX_BARREN_PLACE_H

#include <stdint.h>

#include "policy/dfa.h"

#define BARREN_PLACES_MAX 150000U /* some 7 MiB; further ones are read each time */

struct barren_place {
    uint64_t dev, ino;
    int64_t changed_ns; /* its ctime */
    struct dfa_pos pos; /* of the caller's own table, at the end of its name */
    uint32_t size;      /* the lower half of it */
};
_Static_assert(sizeof(struct barren_place) == 48, "no byte of it is left to chance");

#endif
