/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/replaced.h"

#include <stdlib.h>

bool replaced_take(struct replaced *replaced, int32_t thread)
{
    for (size_t i = 0; i < replaced->count; i++) {
        if (replaced->threads[i] == thread) {
            replaced->threads[i] = replaced->threads[--replaced->count];
            return true;
        }
    }
    return false;
}

bool replaced_expect(struct replaced *replaced, int32_t thread)
{
    (void)replaced_take(replaced, thread);
    if (replaced->count == replaced->room) {
        size_t room = replaced->room == 0 ? 16 : replaced->room * 2;
        int32_t *grown = realloc(replaced->threads, room * sizeof(*grown));

        if (grown == NULL) {
            return false;
        }
        replaced->threads = grown;
        replaced->room = room;
    }
    replaced->threads[replaced->count++] = thread;
    return true;
}
