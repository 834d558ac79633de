/* SPDX-License-Identifier: Apache-2.0 */
/* How much a user may hold, charged before the work is done. */
#ifndef CORDON_BROKER_QUOTA_H
#define CORDON_BROKER_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

enum quota_kind { QUOTA_SESSIONS, QUOTA_JOBS, QUOTA_KIND_COUNT };

#define CORDON_MAX_SESSIONS 128U /* of one user */
#define CORDON_MAX_JOBS 256U
#define CORDON_MAX_SESSIONS_ALL 2048U
#define CORDON_MAX_JOBS_ALL 2048U

struct quota_user;

struct quota {
    struct quota_user *users; /* who holds anything */
    uint32_t total[QUOTA_KIND_COUNT];
};

/* One unit held; release it with quota_release(), once or more. */
struct quota_charge {
    struct quota *quota; /* NULL: nothing is held */
    struct quota_user *user;
    enum quota_kind kind;
};

void quota_init(struct quota *quota);
void quota_deinit(struct quota *quota);

/* CORDON_E_QUOTA: the user, or all users together, hold too much; CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err quota_charge(struct quota *quota, uint32_t uid,
                                             enum quota_kind kind, struct quota_charge *ret_charge,
                                             struct cordon_fault *fault);
void quota_release(struct quota_charge *charge);
uint32_t quota_held(const struct quota *quota, uint32_t uid, enum quota_kind kind);

#endif
