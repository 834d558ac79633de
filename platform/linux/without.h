/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test builds (CORDON_TEST_WITHOUT) can leave one layer out, silently, so that the adversarial
 * cases show what that layer alone holds: tests/adversarial/run --without=LAYER. In every other
 * build the answer is a constant, and nothing that could ask is compiled in.
 */
#ifndef CORDON_LINUX_WITHOUT_H
#define CORDON_LINUX_WITHOUT_H

#include <stdbool.h>

enum layer { LAYER_BPF, LAYER_FANOTIFY, LAYER_MASK, LAYER_LANDLOCK, LAYER_SECCOMP, LAYER_COUNT };

#ifdef CORDON_TEST_WITHOUT
/* Read once, before main(), from WITHOUT_FILE: the view has no such file. */
bool without(enum layer layer);
#else
static inline bool without(enum layer layer)
{
    (void)layer;
    return false;
}
#endif

#endif
