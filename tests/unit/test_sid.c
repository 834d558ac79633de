/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/sid.h"

#include "tests/support/check.h"

static bool round_trips(const char *text)
{
    char back[SID_TEXT_MAX];
    struct sid sid, again;

    if (sid_from_text(text, &sid) != CORDON_OK) {
        return false;
    }
    sid_text(&sid, back);
    return strcmp(back, text) == 0 && sid_parse(sid.bytes, sid.len, &again) == CORDON_OK &&
           sid_equal(&sid, &again);
}

TEST(text_and_bytes_say_the_same)
{
    CHECK(round_trips("S-1-0-0"));
    CHECK(round_trips("S-1-5-18"));
    CHECK(round_trips("S-1-5-21-4294967295-0-1-1001"));
    CHECK(round_trips("S-1-4294967295-1"));
    CHECK(round_trips("S-1-0x000100000000-1"));
    CHECK(round_trips("S-1-0xffffffffffff"));
    CHECK(round_trips("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"));
    CHECK(round_trips("S-1-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-"
                      "4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-"
                      "4294967295-4294967295-4294967295-4294967295"));
}

TEST(bytes_are_those_of_the_specification)
{
    static const uint8_t admins[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
    struct sid sid = sid_administrators();

    CHECK(sid.len == sizeof(admins) && memcmp(sid.bytes, admins, sizeof(admins)) == 0);
}

TEST(other_text_is_refused)
{
    static const char *const bad[] = {"",
                                      "S",
                                      "S-1",
                                      "S-1-",
                                      "S-2-5-18",
                                      "S-1-5-",
                                      "S-1-5-18-",
                                      "S-1-5-018",
                                      "S-1-05-1",
                                      "S-1-5-+1",
                                      "S-1-5-1 ",
                                      " S-1-5-1",
                                      "X-1-5-1",
                                      "S-1-5-18x",
                                      "S-1-0x-1",
                                      "S-1-5--1",
                                      "S-1-5-0x1",
                                      "S-1-5-4294967296",
                                      "SY",
                                      "S-1-281474976710656-1",
                                      "S-1-0x1000000000000-1",
                                      "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"};
    struct sid sid;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (sid_from_text(bad[i], &sid) == CORDON_OK) {
            (void)fprintf(stderr, "  taken: \"%s\"\n", bad[i]);
            CHECK(false);
        }
    }
}

TEST(bytes_cut_short_or_of_another_revision_are_refused)
{
    struct sid sid = sid_administrators(), read;
    uint8_t bytes[SID_BYTES_MAX + 4] = {1, SID_SUBS_MAX + 1};

    for (size_t len = 0; len < sid.len; len++) {
        CHECK(sid_parse(sid.bytes, len, &read) == CORDON_E_SYNTAX);
    }
    CHECK(sid_parse(bytes, sizeof(bytes), &read) == CORDON_E_SYNTAX);
    sid.bytes[0] = 2;
    CHECK(sid_parse(sid.bytes, sid.len, &read) == CORDON_E_SYNTAX);
}

TEST(what_follows_a_sid_is_not_its)
{
    uint8_t bytes[20] = {0};
    const struct sid system = sid_system();
    struct sid read;

    memcpy(bytes, system.bytes, system.len);
    CHECK(sid_parse(bytes, sizeof(bytes), &read) == CORDON_OK);
    CHECK(sid_equal(&read, &system));
}

TEST(no_sid_equals_nothing)
{
    const struct sid none = {0}, everyone = sid_everyone(), owner = sid_creator_owner();
    char text[SID_TEXT_MAX];

    CHECK(!sid_equal(&none, &none));
    CHECK(!sid_equal(&none, &everyone));
    CHECK(!sid_equal(&owner, &everyone));
    CHECK(sid_equal(&owner, &owner));
    sid_text(&none, text);
    CHECK_STR(text, "");
}

TEST_MAIN()
