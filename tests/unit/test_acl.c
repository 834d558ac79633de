/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/acl_world.h"

/* Acting as USER, to whom what is taken over goes. */
static void start_as_caller(void)
{
    start();
    acl.caller = fake_token(&world, USER " WD");
    CHECK(sid_from_text(USER, &acl.owner) == CORDON_OK);
}

static enum cordon_err put_on(const struct acl_target *target)
{
    enum cordon_err err = acl_open(&acl, target, &object, &fault);

    if (err == CORDON_OK) {
        err = acl_set(&acl, target, &object, &fault);
    }
    return err;
}

static enum cordon_err deny(const char *path)
{
    const struct acl_target target = target_of(path);

    return put_on(&target);
}

#define ALL_INHERITED "(A;ID;0x1f01ff;;;S-1-1-0)"

TEST(a_file_gets_its_entry_without_inheritance)
{
    start();
    CHECK(deny("C:\\d\\f") == CORDON_OK);
    CHECK_STR(fake_list(&world, API_FILE, "C:\\d\\f"), "D:(D;;0xd017f;;;" JOB ")" ALL_INHERITED);
    finish();
}

TEST(a_folder_passes_its_entry_on)
{
    start();
    CHECK(deny("C:\\d") == CORDON_OK);
    CHECK_STR(fake_list(&world, API_FILE, "C:\\d"),
              "D:(D;OICI;0xd017f;;;" JOB ")(A;OICIID;0x1f01ff;;;S-1-1-0)");
    CHECK_STR(fake_list(&world, API_FILE, "C:\\d\\f"), "D:(D;ID;0xd017f;;;" JOB ")" ALL_INHERITED);
    finish();
}

TEST(a_key_is_an_object_like_another)
{
    start();
    CHECK(deny("HKLM\\k") == CORDON_OK);
    CHECK_STR(fake_list(&world, API_KEY, "HKLM\\k"),
              "D:(D;CI;0xd017f;;;" JOB ")(A;CIID;0xf003f;;;S-1-1-0)");
    finish();
}

TEST(what_is_there_already_is_not_written_again)
{
    start();
    CHECK(deny("C:\\d\\f") == CORDON_OK && !object.present);
    finish();
    strbuf_deinit(&tap.trace);
    CHECK(deny("C:\\d\\f") == CORDON_OK && object.present);
    CHECK(strstr(strbuf_text(&tap.trace), "set-security") == NULL);
    finish();
}

TEST(a_narrower_entry_does_not_count_as_there)
{
    start();
    (void)fake_add(&world, API_FILE, "C:\\n", "O:SYD:(D;;0x1;;;" JOB ")(A;;FA;;;WD)");
    CHECK(deny("C:\\n") == CORDON_OK && !object.present);
    CHECK_STR(fake_list(&world, API_FILE, "C:\\n"),
              "D:(D;;0xd017f;;;" JOB ")(D;;0x1;;;" JOB ")(A;;0x1f01ff;;;S-1-1-0)");
    finish();
}

TEST(removal_leaves_the_list_as_it_was)
{
    struct acl_target target = target_of("C:\\d");
    char before[256];

    start();
    (void)snprintf(before, sizeof(before), "%s", fake_list(&world, API_FILE, "C:\\d"));
    CHECK(deny("C:\\d") == CORDON_OK);
    CHECK(acl_remove(&acl, &target, &object, &fault) == CORDON_OK);
    CHECK_STR(fake_list(&world, API_FILE, "C:\\d"), before);
    CHECK_STR(fake_list(&world, API_FILE, "C:\\d\\f"), "D:" ALL_INHERITED);
    CHECK(acl_remove(&acl, &target, &object, &fault) == CORDON_OK);
    finish();
}

struct refusal {
    const char *path, *resolved;
    uint8_t type;
    enum cordon_err err;
    const char *says;
};

TEST(what_cannot_be_relied_on_is_refused)
{
    static const struct refusal rows[] = {
        {"C:\\gone", NULL, SD_DENIED, CORDON_E_NOT_FOUND, "no such object"},
        {"C:\\gone\\x", NULL, SD_DENIED, CORDON_E_NOT_FOUND, "no such path"},
        {"C:\\", NULL, SD_DENIED, CORDON_E_DENIED, "is the root of a volume"},
        {"HKLM", NULL, SD_DENIED, CORDON_E_DENIED, "is the root of a volume"},
        {"\\\\srv\\share", NULL, SD_DENIED, CORDON_E_DENIED, "is the root of a volume"},
        {"\\\\srv\\share\\", NULL, SD_DENIED, CORDON_E_DENIED, "is the root of a volume"},
        {"\\\\srv\\share\\x", NULL, SD_DENIED, CORDON_E_NOT_FOUND, "no such path"},
        {"C:\\d\\j", NULL, SD_DENIED, CORDON_E_DENIED, "became a link"},
        {"C:\\d\\j\\f", NULL, SD_DENIED, CORDON_E_DENIED, "lies elsewhere"},
        {"C:\\d\\f", "C:\\e\\f", SD_DENIED, CORDON_E_DENIED, "lies elsewhere"},
        {"C:\\d\\null", NULL, SD_DENIED, CORDON_E_UNSUPPORTED, "has no access list"},
        {"C:\\d\\two", NULL, SD_ALLOWED, CORDON_E_DENIED, "has 2 names"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct acl_target target = target_of(rows[i].path);

        start();
        target.type = rows[i].type;
        target.resolved = rows[i].resolved;
        CHECK(acl_open(&acl, &target, &object, &fault) == rows[i].err);
        if (strstr(fault.text, rows[i].says) == NULL) {
            CHECK_STR(fault.text, rows[i].says);
        }
        finish();
    }
}

static const char *owner_of(const char *path)
{
    static char text[SID_TEXT_MAX];
    struct fake_node *node = fake_find(&world, API_FILE, path);

    CHECK(sd_parse(node->sd, node->sd_len, &acl.after) == CORDON_OK);
    sid_text(&acl.after.owner, text);
    return text;
}

TEST(what_the_principal_owns_becomes_the_callers)
{
    struct acl_target target = target_of("C:\\d\\own");

    start();
    CHECK(deny("C:\\d\\own") == CORDON_OK);
    CHECK_STR(owner_of("C:\\d\\own"), "S-1-5-32-544");
    finish();
    start_as_caller();
    CHECK(deny("C:\\d\\own") == CORDON_OK && world.acting == 0);
    CHECK_STR(owner_of("C:\\d\\own"), USER);
    finish();
    /* A grant can be taken back by nobody who loses by it. */
    start_as_caller();
    target.type = SD_ALLOWED;
    CHECK(acl_open(&acl, &target, &object, &fault) == CORDON_OK);
    CHECK_STR(owner_of("C:\\d\\own"), JOB);
    finish();
}

TEST(what_the_caller_cannot_take_over_is_refused)
{
    start_as_caller();
    (void)fake_add(&world, API_FILE, "C:\\d\\hers", "O:" JOB "D:(A;;0x60080;;;WD)");
    CHECK(deny("C:\\d\\hers") == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "from the job's principal") != NULL);
    CHECK_STR(owner_of("C:\\d\\hers"), JOB);
    finish();
}

TEST(a_link_is_denied_itself_and_an_alias_by_what_it_leads_to)
{
    struct acl_target target = target_of("C:\\d\\j");

    start();
    target.link = true;
    CHECK(put_on(&target) == CORDON_OK && object.ace.flags == 0);
    CHECK_STR(fake_list(&world, API_FILE, "D:\\t"), "D:(A;OICIID;0x1f01ff;;;S-1-1-0)");
    finish();
    target = target_of("C:\\d\\j\\f");
    target.resolved = "d:\\T\\f";
    CHECK(put_on(&target) == CORDON_OK);
    CHECK(strstr(fake_list(&world, API_FILE, "D:\\t\\f"), JOB) != NULL);
    finish();
}

TEST(paths_are_compared_as_ntfs_does)
{
    struct acl_target target = target_of("C:\\d\\f");

    CHECK(acl_same_path("C:\\\xc3\x84rger", "c:\\\xc3\xa4RGER")); /* Ae */
    CHECK(acl_same_path("C:\\\xe2\xb1\xaf", "C:\\\xe2\xb1\xaf"));
    CHECK(acl_same_path("\xd0\x96", "\xd0\xb6")); /* Zhe */
    CHECK(!acl_same_path("stra\xc3\x9f"
                         "e",
                         "STRASSE")); /* has no way back */
    CHECK(!acl_same_path("\xc3\xa4", "\xc3\xa4x") && !acl_same_path("x", ""));
    /* What is no text is only itself. */
    CHECK(acl_same_path("\xc3", "\xc3") && !acl_same_path("\xc3", "\xe3"));
    /* The system tells a name as the volume has it, a rule as its author wrote it. */
    start();
    (void)fake_add(&world, API_FILE, "C:\\d\\\xc3\x84", NULL);
    target.path = "C:\\d\\\xc3\x84";
    target.resolved = "C:\\d\\\xc3\xa4";
    CHECK(put_on(&target) == CORDON_OK);
    finish();
}

TEST(a_file_with_two_names_can_be_denied)
{
    start();
    CHECK(deny("C:\\d\\two") == CORDON_OK);
    finish();
}

TEST(a_caller_denies_only_what_he_may_change)
{
    struct acl_target target = target_of("C:\\d\\theirs");

    start_as_caller();
    CHECK(deny("C:\\d\\theirs") == CORDON_E_DENIED);
    CHECK(strstr(fault.remedy, "may change") != NULL);
    finish();
    target.managed = true;
    CHECK(acl_open(&acl, &target, &object, &fault) == CORDON_OK);
    finish();
    CHECK(deny("C:\\d\\f") == CORDON_OK);
    finish();
    CHECK(world.acting == 0);
}

TEST(a_list_that_does_not_stick_is_an_error)
{
    start();
    world.lists_do_not_stick = true;
    CHECK(deny("C:\\d\\f") == CORDON_E_STATE);
    CHECK(strstr(fault.text, "did not stick") != NULL);
    CHECK(strstr(fault.remedy, "NTFS") != NULL);
    finish();
}

TEST(what_the_system_would_still_grant_is_an_error)
{
    struct acl_target target = target_of("C:\\d\\f");

    start();
    /* A token that is not the principal's: the denial has no effect for it. */
    acl.token = fake_token(&world, USER " WD");
    CHECK(deny("C:\\d\\f") == CORDON_E_STATE);
    CHECK(strstr(fault.text, "would still grant 0xd017f") != NULL);
    finish();
    acl.token = fake_token(&world, JOB " WD");
    CHECK(deny("C:\\d\\f") == CORDON_OK);
    finish();
    /* A grant that a denial of ours narrows is meant so; another's is an error. */
    target.type = SD_ALLOWED;
    target.mask = 1;
    CHECK(put_on(&target) == CORDON_OK);
    finish();
    (void)fake_add(&world, API_FILE, "C:\\d\\no", "O:SYD:(D;;0x1;;;WD)(A;;FA;;;WD)");
    target.path = "C:\\d\\no";
    CHECK(put_on(&target) == CORDON_E_STATE);
    CHECK(strstr(fault.text, "would not grant 0x1") != NULL);
    finish();
}

/* The world's own lists are small. */
static uint32_t full_list(void *self, api_handle handle, uint8_t *bytes, size_t size,
                          size_t *ret_len)
{
    static struct sd full;
    struct sd_ace ace = {SD_DENIED, 0, 0, sid_nt(21, 5)};

    (void)self;
    (void)handle;
    sd_init(&full, SD_DACL_LIST);
    while (sd_append(&full, &ace) == CORDON_OK) {
        ace.mask++;
    }
    return sd_write(&full, bytes, size, ret_len) == CORDON_OK ? API_OK
                                                              : (uint32_t)API_INSUFFICIENT_BUFFER;
}

TEST(a_full_list_takes_no_more)
{
    start();
    tap.api.get_security = full_list;
    CHECK(deny("C:\\d\\f") == CORDON_E_LIMIT && !object.present);
    CHECK(strstr(fault.text, "takes no more entries") != NULL);
    CHECK(strstr(strbuf_text(&tap.trace), "set-security") == NULL);
    CHECK(sd_add(&acl.after, &object.ace, &(bool){false}) == CORDON_E_LIMIT);
    finish();
}

static void start_with_tokens(void)
{
    start_as_caller();
    acl.token = fake_token(&world, JOB " WD");
}

static void fail_every_call(const char *path, unsigned at_least)
{
    unsigned calls;

    start_with_tokens();
    CHECK(deny(path) == CORDON_OK);
    calls = tap.calls;
    CHECK(calls >= at_least);
    finish();
    for (unsigned n = 1; n <= calls; n++) {
        start_with_tokens();
        tap.fail_at = n;
        tap.fail_code = 1450; /* ERROR_NO_SYSTEM_RESOURCES */
        CHECK(deny(path) == CORDON_E_OS);
        CHECK(strstr(fault.text, "(error 1450)") != NULL && fault.os_code == 1450);
        finish();
        CHECK(world.acting == 0);
    }
}

static uint32_t path_of_a_volume(void *self, enum api_object kind, api_handle handle,
                                 char *ret_path, size_t size)
{
    (void)self;
    (void)kind;
    (void)handle;
    (void)snprintf(ret_path, size, "D:\\");
    return API_OK;
}

TEST(what_turns_out_to_be_a_volume_is_refused)
{
    start();
    tap.api.path = path_of_a_volume;
    CHECK(deny("C:\\d\\f") == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "is the root of a volume") != NULL);
    finish();
}

static uint32_t keep_owner(void *self, enum api_object kind, api_handle handle,
                           const struct sid *sid)
{
    (void)self;
    (void)kind;
    (void)handle;
    (void)sid;
    return API_OK;
}

TEST(an_owner_that_does_not_change_is_an_error)
{
    start();
    tap.api.set_owner = keep_owner;
    CHECK(deny("C:\\d\\own") == CORDON_E_STATE);
    CHECK(strstr(fault.text, "the owner of C:\\d\\own did not change") != NULL);
    CHECK(strstr(strbuf_text(&tap.trace), "set-security") == NULL);
    finish();
}

TEST(a_malformed_list_is_refused)
{
    start();
    fake_find(&world, API_FILE, "C:\\d\\f")->sd[0] = 9;
    CHECK(deny("C:\\d\\f") == CORDON_E_SYNTAX);
    CHECK(strstr(fault.text, "is malformed") != NULL);
    finish();
}

TEST(every_call_that_fails_is_told_and_leaves_no_handle)
{
    fail_every_call("C:\\d\\f", 8);
    fail_every_call("C:\\d\\own", 12);
}

TEST_MAIN()
