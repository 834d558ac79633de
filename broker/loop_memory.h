/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libevent keeps a note of 16 bytes for every descriptor's number that it ever saw, as long as the
 * loop is there. They come when most is busy; each would keep a page of the heap from being given
 * back. So they lie together.
 */
#ifndef CORDON_BROKER_LOOP_MEMORY_H
#define CORDON_BROKER_LOOP_MEMORY_H

void loop_memory(void); /* before anything else of libevent's; again is allowed */

#endif
