/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/quota.h"
#include "tests/support/check.h"

TEST(a_user_gets_his_sessions_and_not_one_more)
{
    struct quota_charge charges[CORDON_MAX_SESSIONS];
    struct quota_charge more = {NULL, NULL, QUOTA_SESSIONS};
    struct cordon_fault fault;
    struct quota quota;

    quota_init(&quota);
    for (size_t i = 0; i < CORDON_MAX_SESSIONS; i++) {
        CHECK(quota_charge(&quota, 7, QUOTA_SESSIONS, &charges[i], &fault) == CORDON_OK);
    }
    CHECK(quota_charge(&quota, 7, QUOTA_SESSIONS, &more, &fault) == CORDON_E_QUOTA);
    CHECK(more.quota == NULL);
    CHECK(quota_charge(&quota, 8, QUOTA_SESSIONS, &more, &fault) == CORDON_OK);
    CHECK(quota_held(&quota, 7, QUOTA_SESSIONS) == CORDON_MAX_SESSIONS);
    quota_release(&charges[3]);
    CHECK(quota_charge(&quota, 7, QUOTA_SESSIONS, &charges[3], &fault) == CORDON_OK);
    quota_deinit(&quota);
}

TEST(kinds_are_counted_apart)
{
    struct quota_charge session;
    struct quota_charge job;
    struct quota quota;

    quota_init(&quota);
    CHECK(quota_charge(&quota, 1, QUOTA_SESSIONS, &session, NULL) == CORDON_OK);
    CHECK(quota_charge(&quota, 1, QUOTA_JOBS, &job, NULL) == CORDON_OK);
    quota_release(&session);
    CHECK(quota_held(&quota, 1, QUOTA_SESSIONS) == 0 && quota_held(&quota, 1, QUOTA_JOBS) == 1);
    quota_release(&job);
    CHECK(quota.users == NULL);
    quota_deinit(&quota);
}

TEST(releasing_twice_counts_once)
{
    struct quota_charge first;
    struct quota_charge second;
    struct quota quota;

    quota_init(&quota);
    CHECK(quota_charge(&quota, 1, QUOTA_JOBS, &first, NULL) == CORDON_OK);
    CHECK(quota_charge(&quota, 1, QUOTA_JOBS, &second, NULL) == CORDON_OK);
    quota_release(&first);
    quota_release(&first);
    CHECK(quota_held(&quota, 1, QUOTA_JOBS) == 1);
    quota_release(&second);
    quota_deinit(&quota);
}

TEST(all_users_together_are_limited_too)
{
    static struct quota_charge charges[CORDON_MAX_JOBS_ALL];
    struct quota_charge more = {NULL, NULL, QUOTA_JOBS};
    struct quota quota;

    quota_init(&quota);
    for (uint32_t i = 0; i < CORDON_MAX_JOBS_ALL; i++) {
        CHECK(quota_charge(&quota, i, QUOTA_JOBS, &charges[i], NULL) == CORDON_OK);
    }
    CHECK(quota_charge(&quota, 99999, QUOTA_JOBS, &more, NULL) == CORDON_E_QUOTA);
    for (size_t i = 0; i < CORDON_MAX_JOBS_ALL; i++) {
        quota_release(&charges[i]);
    }
    CHECK(quota.users == NULL && quota.total[QUOTA_JOBS] == 0);
    quota_deinit(&quota);
}

TEST_MAIN()
