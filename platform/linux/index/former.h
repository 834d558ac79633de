/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The former names that guards told of, for the guards to come. They lie, behind struct begun, in a
 * memfd that the supervisor made and keeps: should cordon-index die, the next one has them. They
 * end with the service; before that one goes only when its object is gone or has that name again,
 * and only when room is needed.
 *
 * What does not fit is not forgotten silently: its user is marked, and his jobs are refused where
 * a guard decides and names go. So are those of a user whose jobs ran when
 * cordon-index died, since nobody heard what their guards saw last.
 */
#ifndef CORDON_LINUX_INDEX_FORMER_H
#define CORDON_LINUX_INDEX_FORMER_H

#include "platform/linux/index/hold.h"
#include "platform/linux/index/record.h"
#include "platform/linux/index/wire.h"

#define FORMER_NOBODY UINT32_MAX
#define FORMER_MAX 65536U
#define FORMER_USER_MAX 4096U
#define FORMER_USER_BYTES (1024U * 1024U)

/* @fd, which it takes over, is the supervisor's memfd. False: it cannot be used. */
bool former_open(int fd);
/* Of a record of @former->uid's job. */
void former_add(const struct former *former);
/* Former names of @uid's jobs were lost, or could not be taken. */
void former_mark(uint32_t uid, const char *why);
/* All of them: *ret_fd is the former's own; -1: there are none. False: it cannot be had. */
bool former_records(int *ret_fd);
/* The same for a guard of @uid's. */
enum index_status former_answer(uint32_t uid, int *ret_fd);
/* Place @at of the jobs that run is @uid's, or nobody's yet; there are @count of them. */
void former_live(size_t at, uint32_t uid, size_t count);
/* The job that was made ahead and has that pid 1 got its command: see begun.h. */
bool former_has_begun(pid_t pid);
/* All that there was to know of it is known. */
void former_is_taken_in(pid_t pid);

/* ---- over.c ---- */
/* The object is gone, or has that name. */
bool former_is_over(const struct former *former);
/* No file system stays open. */
void former_systems_close(void);

#endif
