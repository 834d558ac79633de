/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/account.h"

#include "tests/support/check.h"

/* A machine with at most one account. */
static struct {
    bool there, member, denied, hidden;
    struct account_facts facts;
    char password[ACCOUNT_PASSWORD_MAX];
    unsigned calls, fail_at;
    uint32_t fail_code;
    bool unseen; /* what is made does not come to be there */
} machine;

static struct cordon_fault fault;

static uint32_t call(void)
{
    machine.calls++;
    return machine.calls == machine.fail_at ? machine.fail_code : 0;
}

static uint32_t m_random(void *self, uint8_t *bytes, size_t len)
{
    (void)self;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)i;
    }
    return call();
}

static uint32_t m_find(void *self, const char *name, struct account_facts *ret_facts)
{
    const uint32_t code = call();

    (void)self;
    CHECK_STR(name, ACCOUNT_NAME);
    if (code != 0) {
        return code;
    }
    if (machine.there && !machine.unseen) {
        *ret_facts = machine.facts;
        return 0;
    }
    return ACCOUNT_NOT_FOUND;
}

static uint32_t m_make(void *self, const char *name, const char *password, const char *comment)
{
    const uint32_t code = call();

    (void)self;
    (void)name;
    if (code == 0) {
        machine.there = true;
        (void)snprintf(machine.password, sizeof(machine.password), "%s", password);
        (void)snprintf(machine.facts.comment, sizeof(machine.facts.comment), "%s", comment);
        machine.facts.sid = sid_nt(21, 1000);
    }
    return code;
}

static uint32_t m_join(void *self, const struct sid *account, const struct sid *group)
{
    const struct sid users = sid_nt(32, 545);
    const uint32_t code = call();

    (void)self;
    CHECK(sid_equal(account, &machine.facts.sid) && sid_equal(group, &users));
    if (code == 0 && machine.member) {
        return ACCOUNT_IS_MEMBER;
    }
    machine.member = machine.member || code == 0;
    return code;
}

static uint32_t m_deny_logons(void *self, const struct sid *account, bool deny)
{
    const uint32_t code = call();

    (void)self;
    CHECK(sid_equal(account, &machine.facts.sid));
    machine.denied = code == 0 ? deny : machine.denied;
    return code;
}

static uint32_t m_hide(void *self, const char *name, bool hidden)
{
    const uint32_t code = call();

    (void)self;
    (void)name;
    machine.hidden = code == 0 ? hidden : machine.hidden;
    return code;
}

static uint32_t m_erase(void *self, const char *name)
{
    const uint32_t code = call();

    (void)self;
    (void)name;
    if (code == 0) {
        machine.there = machine.member = false;
    }
    return code;
}

static const struct account_api api = {.random = m_random,
                                       .find = m_find,
                                       .make = m_make,
                                       .join = m_join,
                                       .deny_logons = m_deny_logons,
                                       .hide = m_hide,
                                       .erase = m_erase};

static void reset(void)
{
    memset(&machine, 0, sizeof(machine));
    machine.fail_code = 1450;
}

static enum cordon_err ensure(struct sid *ret_sid)
{
    return account_ensure(&api, ACCOUNT_NAME, ret_sid, &fault);
}

TEST(an_account_is_made_once_and_set_up)
{
    struct sid sid;

    reset();
    CHECK(ensure(&sid) == CORDON_OK && sid_equal(&sid, &machine.facts.sid));
    CHECK(machine.member && machine.denied && machine.hidden);
    CHECK(strlen(machine.password) == 68 && strncmp(machine.password, "00010203", 8) == 0);
    CHECK_STR(machine.password + 64, "-Aa1");
    machine.password[0] = '\0';
    CHECK(ensure(&sid) == CORDON_OK && machine.password[0] == '\0');
}

TEST(what_a_crash_left_undone_is_done_again)
{
    struct sid sid;

    reset();
    CHECK(ensure(&sid) == CORDON_OK);
    machine.hidden = machine.denied = machine.member = false;
    CHECK(ensure(&sid) == CORDON_OK && machine.hidden && machine.denied && machine.member);
}

TEST(an_account_of_somebody_elses_is_left_alone)
{
    const char *const comments[] = {"", "Jobs of cordon"};
    struct sid sid;

    for (size_t i = 0; i < 2; i++) {
        reset();
        machine.there = true;
        strcpy(machine.facts.comment, comments[i]);
        CHECK(ensure(&sid) == CORDON_E_DENIED && machine.calls == 1);
        CHECK(account_remove(&api, ACCOUNT_NAME, &fault) == CORDON_E_DENIED && machine.there);
        CHECK(strstr(fault.text, "that cordon did not make") != NULL && fault.remedy[0] != '\0');
    }
}

TEST(one_that_became_more_or_less_is_refused)
{
    struct sid sid;

    reset();
    CHECK(ensure(&sid) == CORDON_OK);
    machine.facts.administrator = true;
    CHECK(ensure(&sid) == CORDON_E_DENIED && strstr(fault.text, "an administrator's") != NULL);
    machine.facts.administrator = false;
    machine.facts.disabled = true;
    CHECK(ensure(&sid) == CORDON_E_DENIED && strstr(fault.text, "disabled") != NULL);
    CHECK(machine.there);
    machine.facts.disabled = false;
    machine.facts.sid.len = 0;
    CHECK(ensure(&sid) == CORDON_E_STATE && machine.there);
}

TEST(every_call_that_fails_leaves_no_half_made_account)
{
    struct sid sid;

    for (unsigned n = 1; n <= 7; n++) {
        reset();
        machine.fail_at = n;
        CHECK(ensure(&sid) == CORDON_E_OS && strstr(fault.text, "1450") != NULL);
        CHECK(!machine.there && !machine.hidden);
    }
    reset();
    machine.fail_at = 8;
    CHECK(ensure(&sid) == CORDON_OK && machine.calls == 7);
    reset();
    machine.unseen = true;
    CHECK(ensure(&sid) == CORDON_E_STATE && !machine.there);
}

/* One that was there before is not taken away for it. */
TEST(a_call_that_fails_later_leaves_the_account)
{
    struct sid sid;

    for (unsigned n = 1; n <= 4; n++) {
        reset();
        CHECK(ensure(&sid) == CORDON_OK);
        machine.calls = 0;
        machine.fail_at = n;
        CHECK(ensure(&sid) == CORDON_E_OS && machine.there);
    }
}

TEST(a_look_changes_nothing_and_says_what_is_wrong)
{
    struct sid sid = {0};

    reset();
    CHECK(account_look(&api, ACCOUNT_NAME, &sid, &fault) == CORDON_E_NOT_FOUND && !machine.there);
    CHECK_STR(fault.text, "there is no account cordon-job");
    CHECK(ensure(&sid) == CORDON_OK);
    machine.calls = 0;
    sid.len = 0;
    CHECK(account_look(&api, ACCOUNT_NAME, &sid, &fault) == CORDON_OK && machine.calls == 1);
    CHECK(sid_equal(&sid, &machine.facts.sid));
    machine.facts.disabled = true;
    CHECK(account_look(&api, ACCOUNT_NAME, &sid, &fault) == CORDON_E_DENIED);
    machine.fail_at = machine.calls + 1;
    CHECK(account_look(&api, ACCOUNT_NAME, &sid, &fault) == CORDON_E_OS);
}

TEST(removal_leaves_nothing_and_can_be_tried_again)
{
    struct sid sid;

    for (unsigned n = 1; n <= 5; n++) {
        reset();
        CHECK(ensure(&sid) == CORDON_OK);
        machine.calls = 0;
        machine.fail_at = n;
        CHECK(account_remove(&api, ACCOUNT_NAME, &fault) == (n == 5 ? CORDON_OK : CORDON_E_OS));
        CHECK(machine.there == (n < 5));
        machine.fail_at = 0;
        CHECK(account_remove(&api, ACCOUNT_NAME, &fault) == CORDON_OK);
        CHECK(!machine.there && !machine.hidden && !machine.denied);
    }
}

TEST_MAIN()
