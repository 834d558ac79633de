/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/quota.h"

#include <stdlib.h>
#include <string.h>

struct quota_user {
    struct quota_user *next;
    uint32_t uid;
    uint32_t held[QUOTA_KIND_COUNT];
};

static const struct {
    const char *name;
    uint32_t each, all;
} limits[QUOTA_KIND_COUNT] = {
    [QUOTA_SESSIONS] = {"connections", CORDON_MAX_SESSIONS, CORDON_MAX_SESSIONS_ALL},
    [QUOTA_JOBS] = {"jobs", CORDON_MAX_JOBS, CORDON_MAX_JOBS_ALL},
};

void quota_init(struct quota *quota)
{
    memset(quota, 0, sizeof(*quota));
}

void quota_deinit(struct quota *quota)
{
    while (quota->users != NULL) {
        struct quota_user *user = quota->users;

        quota->users = user->next;
        free(user);
    }
}

static struct quota_user *find(const struct quota *quota, uint32_t uid)
{
    struct quota_user *user = quota->users;

    while (user != NULL && user->uid != uid) {
        user = user->next;
    }
    return user;
}

enum cordon_err quota_charge(struct quota *quota, uint32_t uid, enum quota_kind kind,
                             struct quota_charge *ret_charge, struct cordon_fault *fault)
{
    struct quota_user *user = find(quota, uid);

    if (quota->total[kind] >= limits[kind].all) {
        return fault_set(fault, CORDON_E_QUOTA, "try again later", "the service has %u %s already",
                         limits[kind].all, limits[kind].name);
    }
    if (user != NULL && user->held[kind] >= limits[kind].each) {
        return fault_set(fault, CORDON_E_QUOTA, "end some first", "user %u has %u %s already", uid,
                         limits[kind].each, limits[kind].name);
    }
    if (user == NULL) {
        user = calloc(1, sizeof(*user));
        if (user == NULL) {
            return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
        }
        user->uid = uid;
        user->next = quota->users;
        quota->users = user;
    }
    user->held[kind]++;
    quota->total[kind]++;
    *ret_charge = (struct quota_charge){quota, user, kind};
    return CORDON_OK;
}

static void forget_if_idle(struct quota *quota, struct quota_user *user)
{
    struct quota_user **link = &quota->users;

    for (int i = 0; i < QUOTA_KIND_COUNT; i++) {
        if (user->held[i] > 0) {
            return;
        }
    }
    while (*link != user) {
        link = &(*link)->next;
    }
    *link = user->next;
    free(user);
}

void quota_release(struct quota_charge *charge)
{
    struct quota *quota = charge->quota;

    if (quota == NULL) {
        return;
    }
    charge->quota = NULL;
    charge->user->held[charge->kind]--;
    quota->total[charge->kind]--;
    forget_if_idle(quota, charge->user);
}

uint32_t quota_held(const struct quota *quota, uint32_t uid, enum quota_kind kind)
{
    const struct quota_user *user = find(quota, uid);

    return user == NULL ? 0 : user->held[kind];
}
