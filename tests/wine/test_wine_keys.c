/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine and its state with the system's own calls: denials on keys of the registry are put on,
 * read back, enforced against a process of a made-up principal, and taken off. With files, whose
 * lists Wine does not keep, the launch is refused for just that reason.
 */
#include "tests/wine/keys.h"

#include <aclapi.h>

#include "tests/support/check.h"
#include "tests/wine/token.h"

#define DENY 0x000d017fU

static struct state *state;
static struct cordon_fault fault;
static struct strbuf before, after;
static HANDLE job, job_primary, other_primary;

static struct sid sid_of(const char *text)
{
    struct sid sid;

    CHECK(sid_from_text(text, &sid) == CORDON_OK);
    return sid;
}

static HANDLE token_of(const char *user, BOOL primary)
{
    const struct sd_member members[] = {
        {sid_of(user), false}, {sid_everyone(), false}, {sid_nt(32, 545), false}};
    const struct sd_token token = {.members = members, .member_count = 3};
    HANDLE made = token_make(&token, primary);

    CHECK(made != NULL);
    return made;
}

static void start(void)
{
    const struct state_config config = keys_config(api_win32());

    if (job == NULL) {
        job = token_of(KEYS_JOB, FALSE);
        job_primary = token_of(KEYS_JOB, TRUE);
        other_primary = token_of("S-1-5-21-9-9-9-9", TRUE);
    }
    state_close(state);
    state = NULL;
    CHECK(keys_make());
    CHECK(state_open(&config, &state, &fault) == CORDON_OK);
    keys_print(&before);
}

static struct state_target denied(const char *path, uint32_t mask)
{
    return (struct state_target){{.object = API_KEY, .type = SD_DENIED, .mask = mask, .path = path},
                                 STATE_REFUSE};
}

static enum cordon_err apply(const struct state_target *targets, size_t count)
{
    const struct state_request request = {.principal = sid_of(KEYS_JOB),
                                          .token = (api_handle)job,
                                          .holder = "session",
                                          .targets = targets,
                                          .target_count = count};

    return state_apply(state, &request, &fault);
}

static bool drop(void)
{
    const struct sid sid = sid_of(KEYS_JOB);

    return state_drop(state, &sid, "session", &fault) == CORDON_OK &&
           strcmp(state_notices(state), "") == 0;
}

/* For a key KEY_QUERY_VALUE is 1, which the mask of a denied file has, too. */
TEST(a_denied_key_is_closed_to_the_principal_and_to_nobody_else)
{
    const struct state_target targets[] = {denied(KEYS_A, DENY)};

    start();
    CHECK(keys_open_as(job_primary, KEYS_A) == 0);
    CHECK(apply(targets, 1) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_A) == API_ACCESS_DENIED);
    CHECK(keys_open_as(other_primary, KEYS_A) == 0);
    CHECK(keys_open_here(KEYS_A) == 0);
    CHECK(keys_open_as(job_primary, KEYS_B) == 0);
    CHECK(drop());
    CHECK(keys_open_as(job_primary, KEYS_A) == 0);
    keys_print(&after);
    CHECK_STR(strbuf_text(&after), strbuf_text(&before));
}

TEST(a_key_below_a_denied_one_is_closed_too)
{
    const struct state_target targets[] = {denied(KEYS_B, DENY)};

    start();
    CHECK(apply(targets, 1) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_BELOW) == API_ACCESS_DENIED);
    CHECK(drop());
    keys_print(&after);
    CHECK_STR(strbuf_text(&after), strbuf_text(&before));
}

TEST(a_relaxed_policy_opens_what_it_no_longer_denies)
{
    const struct state_target targets[] = {denied(KEYS_A, DENY), denied(KEYS_B, DENY)};

    start();
    CHECK(apply(targets, 2) == CORDON_OK && apply(targets, 1) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_A) == API_ACCESS_DENIED);
    CHECK(keys_open_as(job_primary, KEYS_B) == 0 && keys_open_as(job_primary, KEYS_BELOW) == 0);
    CHECK(drop());
}

TEST(a_denial_of_writing_leaves_reading)
{
    const struct state_target targets[] = {denied(KEYS_A, 0x000d0006)};

    start();
    CHECK(apply(targets, 1) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_A) == 0);
    CHECK(drop());
}

TEST(a_missing_key_is_made_closed_and_removed)
{
    struct state_target targets[] = {denied(KEYS_NEW, DENY)};

    start();
    CHECK(apply(targets, 1) == CORDON_E_NOT_FOUND);
    targets[0].missing = STATE_MAKE_CONTAINER;
    CHECK(apply(targets, 1) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_NEW) == API_ACCESS_DENIED);
    CHECK(drop());
    CHECK(keys_open_here(KEYS_TOP "\\n") == API_FILE_NOT_FOUND);
}

TEST(a_hive_is_no_object_to_deny)
{
    const struct state_target targets[] = {denied("HKLM", DENY)};

    start();
    CHECK(apply(targets, 1) == CORDON_E_DENIED);
}

/* What a profile grants above it does not reopen what an administrator denies, for whomever. */
TEST(a_managed_denial_holds_for_two_principals_whatever_their_profiles_grant)
{
    static const char *const users[] = {KEYS_JOB, KEYS_DOMAIN "-1002"};
    struct state_target targets[] = {denied(KEYS_TOP, 0x000f003f), denied(KEYS_A, DENY)};
    HANDLE tokens[2];

    start();
    targets[0].acl.type = SD_ALLOWED;
    targets[1].acl.managed = true;
    for (size_t i = 0; i < 2; i++) {
        const HANDLE actor = token_of(users[i], FALSE);
        const struct state_request request = {.principal = sid_of(users[i]),
                                              .token = (api_handle)actor,
                                              .holder = users[i],
                                              .targets = targets,
                                              .target_count = 2};

        tokens[i] = token_of(users[i], TRUE);
        CHECK(state_apply(state, &request, &fault) == CORDON_OK);
        (void)CloseHandle(actor);
    }
    CHECK(keys_open_as(tokens[0], KEYS_A) == API_ACCESS_DENIED);
    CHECK(keys_open_as(tokens[1], KEYS_A) == API_ACCESS_DENIED);
    CHECK(keys_open_as(tokens[0], KEYS_TOP) == 0 && keys_open_as(other_primary, KEYS_A) == 0);
    for (size_t i = 0; i < 2; i++) {
        const struct sid sid = sid_of(users[i]);

        CHECK(state_drop(state, &sid, users[i], &fault) == CORDON_OK);
        /* The other's stays until he goes. */
        CHECK(keys_open_as(tokens[i], KEYS_A) == 0);
        CHECK(keys_open_as(tokens[1], KEYS_A) == (i == 0 ? API_ACCESS_DENIED : 0));
        (void)CloseHandle(tokens[i]);
    }
    keys_print(&after);
    CHECK_STR(strbuf_text(&after), strbuf_text(&before));
}

TEST(a_narrower_entry_that_stands_there_does_not_pass_for_the_denial)
{
    const struct state_target narrow[] = {denied(KEYS_A, 0x00000002)};
    const struct state_target whole[] = {denied(KEYS_A, DENY)};
    struct state_request request = {
        .principal = sid_of(KEYS_JOB), .holder = "earlier", .targets = narrow, .target_count = 1};

    start();
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_A) == 0);
    CHECK(apply(whole, 1) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_A) == API_ACCESS_DENIED);
    CHECK(drop());
    CHECK(keys_open_as(job_primary, KEYS_A) == 0);
    CHECK(state_drop(state, &request.principal, "earlier", &fault) == CORDON_OK);
    keys_print(&after);
    CHECK_STR(strbuf_text(&after), strbuf_text(&before));
}

TEST(what_the_principal_owns_is_taken_over_before_it_is_denied)
{
    const struct state_target targets[] = {denied(KEYS_A, DENY)};
    const struct sid owner = sid_of(KEYS_JOB);
    HKEY key;

    start();
    CHECK(RegOpenKeyExA(HKEY_LOCAL_MACHINE, &KEYS_A[5], 0, WRITE_OWNER, &key) == 0);
    CHECK(SetSecurityInfo((HANDLE)key, SE_REGISTRY_KEY, OWNER_SECURITY_INFORMATION,
                          (PSID)(uintptr_t)owner.bytes, NULL, NULL, NULL) == 0);
    (void)RegCloseKey(key);
    CHECK(apply(targets, 1) == CORDON_OK);
    CHECK(keys_open_as(job_primary, KEYS_A) == API_ACCESS_DENIED);
    CHECK(drop());
}

/* The service acts as the caller while it opens his objects: Wine asks the thread's token. */
TEST(a_caller_without_the_right_to_change_a_list_is_refused)
{
    const struct state_target targets[] = {denied(KEYS_A, DENY)};
    struct state_request request = {
        .principal = sid_of(KEYS_JOB), .holder = "session", .targets = targets, .target_count = 1};

    start();
    CHECK(apply(targets, 1) == CORDON_OK);
    request.caller = (api_handle)job; /* whom the entry denies WRITE_DAC */
    request.principal = sid_of(KEYS_DOMAIN "-1002");
    request.holder = "another";
    CHECK(state_apply(state, &request, &fault) == CORDON_E_DENIED);
    CHECK(drop());
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
}

/* ---- files ---- */

static bool make_file(const char *path)
{
    HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);

    return file != INVALID_HANDLE_VALUE && CloseHandle(file);
}

TEST(lists_of_files_do_not_stick_here_and_the_launch_is_refused_for_that)
{
    struct state_target targets[] = {
        {{.object = API_FILE, .type = SD_DENIED, .mask = DENY, .path = "C:\\secret.txt"},
         STATE_REFUSE},
        {{.object = API_FILE, .type = SD_DENIED, .mask = DENY, .path = "C:\\made\\.env"},
         STATE_MAKE_FILE},
    };

    start();
    CHECK(make_file("C:\\secret.txt"));
    CHECK(apply(targets, 1) == CORDON_E_STATE);
    CHECK(strstr(fault.text, "the access list of C:\\secret.txt did not stick") != NULL);
    CHECK(strstr(fault.remedy, "NTFS") != NULL);
    CHECK(state_size(state) == 0);
    /* What was made for the denial goes as well. */
    CHECK(apply(targets + 1, 1) == CORDON_E_STATE);
    CHECK(GetFileAttributesA("C:\\made") == INVALID_FILE_ATTRIBUTES);
}

TEST(files_are_opened_as_what_they_are)
{
    struct state_target target = {
        {.object = API_FILE, .type = SD_DENIED, .mask = DENY, .path = "C:\\"}, STATE_REFUSE};

    start();
    CHECK(apply(&target, 1) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "root of a volume") != NULL);
    target.acl.path = "C:\\gone\\x";
    CHECK(apply(&target, 1) == CORDON_E_NOT_FOUND);
    target.acl.path = "C:\\secret2.txt";
    CHECK(make_file("C:\\secret2.txt"));
    target.acl.resolved = "C:\\elsewhere.txt";
    CHECK(apply(&target, 1) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "lies elsewhere") != NULL);
    target.acl.resolved = NULL;
    target.acl.type = SD_ALLOWED;
    CHECK(CreateHardLinkA("C:\\secret3.txt", "C:\\secret2.txt", NULL));
    CHECK(apply(&target, 1) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "has 2 names") != NULL);
}

int main(int argc, char **argv)
{
    int status;

    return keys_child(argc, argv, &status) ? status : check_main(argc, argv);
}
