/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/sd.h"

#include "tests/support/check.h"
#include "tests/support/sddl.h"

/* The members of a token: the user, a group, Everyone; "-" before one: for denials alone. */
#define USER "S-1-5-21-7-7-7-1001"
#define GROUP "S-1-5-21-7-7-7-2001"
#define TOKEN USER " " GROUP " WD"
#define MAX SD_MAXIMUM_ALLOWED

struct row {
    const char *what, *sd, *members, *restricting; /* NULL: not restricted */
    bool write_restricted;
    uint32_t desired;
    bool granted;
};

static const struct row rows[] = {
    {"everyone", "D:(A;;FA;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ, true},
    {"group denied", "D:(D;;FR;;;" GROUP ")(A;;FA;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ,
     false},
    {"user denied", "D:(D;;FR;;;" USER ")(A;;FA;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ, false},
    {"another denied", "D:(D;;FR;;;S-1-5-21-7-7-7-9)(A;;FA;;;WD)", TOKEN, NULL, false,
     SD_GENERIC_READ, true},
    {"denied too late", "D:(A;;FA;;;WD)(D;;FR;;;" GROUP ")", TOKEN, NULL, false, SD_GENERIC_READ,
     true},
    {"denied between", "D:(A;;0x1;;;WD)(D;;0x3;;;WD)(A;;0x2;;;WD)", TOKEN, NULL, false, 3, false},
    {"granted in parts", "D:(A;;0x1;;;WD)(A;;0x2;;;" USER ")", TOKEN, NULL, false, 3, true},
    {"a part is missing", "D:(A;;0x1;;;WD)(A;;0x2;;;" USER ")", TOKEN, NULL, false, 7, false},
    {"denial of a part", "D:(D;;0x2;;;WD)(A;;0x3;;;WD)", TOKEN, NULL, false, 1, true},
    {"empty list", "D:", TOKEN, NULL, false, 1, false},
    {"null list", "D:NO_ACCESS_CONTROL", TOKEN, NULL, false, 0x1f01ff, true},
    {"no list", "O:SY", TOKEN, NULL, false, 0x1f01ff, true},
    {"no list, audit", "O:SY", TOKEN, NULL, false, SD_SYSTEM_SECURITY, false},
    {"inherit only", "D:(D;OICIIO;FR;;;WD)(A;;FR;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ, true},
    {"inherit only grant", "D:(A;OICIIO;FR;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ, false},
    {"inherited", "D:(D;ID;FR;;;WD)(A;;FR;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ, false},
    {"generic in list", "D:(A;;GR;;;WD)", TOKEN, NULL, false, 0x120089, true},
    {"generic denial", "D:(D;;GW;;;WD)(A;;GA;;;WD)", TOKEN, NULL, false, 0x4, false},
    {"generic denial, read", "D:(D;;GW;;;WD)(A;;GA;;;WD)", TOKEN, NULL, false, 0x1, true},
    {"audit right", "D:(A;;0x11f01ff;;;WD)", TOKEN, NULL, false, SD_SYSTEM_SECURITY, false},
    {"maximum", "D:(A;;0x1;;;WD)", TOKEN, NULL, false, MAX, true},
    {"maximum of nothing", "D:(D;;FA;;;WD)", TOKEN, NULL, false, MAX, false},
    {"maximum and more", "D:(A;;0x1;;;WD)", TOKEN, NULL, false, MAX | 2, false},
    {"owner", "O:" USER "D:", TOKEN, NULL, false, SD_WRITE_DAC | SD_READ_CONTROL, true},
    {"owner denied", "O:" USER "D:(D;;FA;;;WD)", TOKEN, NULL, false, SD_WRITE_DAC, true},
    {"owner, not all", "O:" USER "D:", TOKEN, NULL, false, SD_DELETE, false},
    {"group owns", "O:" GROUP "D:", TOKEN, NULL, false, SD_WRITE_DAC, true},
    {"owner rights", "O:" USER "D:(A;;RC;;;OW)", TOKEN, NULL, false, SD_WRITE_DAC, false},
    {"owner rights, named", "O:" USER "D:(A;;RC;;;OW)", TOKEN, NULL, false, SD_READ_CONTROL, true},
    {"owner rights, denied", "O:" USER "D:(D;;WD;;;OW)(A;;FA;;;WD)", TOKEN, NULL, false,
     SD_WRITE_DAC, false},
    {"owner rights of another", "O:SYD:(A;;FA;;;OW)", TOKEN, NULL, false, 1, false},
    {"owner rights inherit only", "O:" USER "D:(A;CIIO;RC;;;OW)", TOKEN, NULL, false, SD_WRITE_DAC,
     true},
    {"owner for denials alone", "O:" USER "D:", "-" USER " WD", NULL, false, SD_WRITE_DAC, false},
    {"denials alone deny", "D:(D;;FR;;;" GROUP ")(A;;FA;;;WD)", USER " -" GROUP " WD", NULL, false,
     SD_GENERIC_READ, false},
    {"denials alone do not grant", "D:(A;;FR;;;" GROUP ")", USER " -" GROUP " WD", NULL, false,
     SD_GENERIC_READ, false},
    {"condition grants", "D:(XA;;FR;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ, true},
    {"condition does not deny", "D:(XD;;FR;;;WD)(A;;FR;;;WD)", TOKEN, NULL, false, SD_GENERIC_READ,
     true},

    {"restricted, both", "D:(A;;FA;;;WD)", TOKEN, "WD", false, SD_GENERIC_READ, true},
    {"restricted, one", "D:(A;;FA;;;" USER ")", TOKEN, "WD", false, SD_GENERIC_READ, false},
    {"restricted, other one", "D:(A;;FA;;;S-1-9-1)", TOKEN, "S-1-9-1", false, 1, false},
    {"restricted by none", "D:(A;;FA;;;WD)", TOKEN, "", false, 1, false},
    {"restricting denies", "D:(D;;FR;;;S-1-9-1)(A;;FA;;;WD)", TOKEN, "WD S-1-9-1", false, 1, false},
    {"restricting owner", "O:" USER "D:", TOKEN, "WD", false, SD_WRITE_DAC, false},
    {"restricting owner too", "O:" USER "D:", TOKEN, USER, false, SD_WRITE_DAC, true},
    {"restricted, null list", "D:NO_ACCESS_CONTROL", TOKEN, "S-1-9-1", false, 1, true},
    {"write-restricted reads", "D:(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true, SD_GENERIC_READ,
     true},
    {"write-restricted runs", "D:(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true, SD_GENERIC_EXECUTE,
     true},
    {"write-restricted writes", "D:(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true, 0x2, false},
    {"write-restricted generic", "D:(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true, SD_GENERIC_WRITE,
     false},
    {"write-restricted, granted", "D:(A;;FA;;;" USER ")(A;;0x2;;;S-1-9-1)", TOKEN, "S-1-9-1", true,
     0x2, true},
    /* Why a write-restricted token cannot deny a read. */
    {"write-restricted denial", "D:(D;;FR;;;S-1-9-1)(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true,
     SD_GENERIC_READ, true},
};

static struct sd sd;
static struct sd_member members[8];
static struct sid restricting[8];

static size_t word(const char **at)
{
    size_t len;

    *at += strspn(*at, " ");
    len = strcspn(*at, " ");
    return len;
}

static struct sd_token token_of(const struct row *row)
{
    struct sd_token token = {.members = members, .write_restricted = row->write_restricted};
    size_t len;

    for (const char *at = row->members; (len = word(&at)) > 0; at += len) {
        const bool deny_only = *at == '-';

        CHECK(token.member_count < 8);
        members[token.member_count].deny_only = deny_only;
        CHECK(sddl_sid(at + deny_only, len - deny_only, &members[token.member_count++].sid));
    }
    for (const char *at = row->restricting; at != NULL && (len = word(&at)) > 0; at += len) {
        CHECK(token.restricting_count < 8);
        CHECK(sddl_sid(at, len, &restricting[token.restricting_count++]));
    }
    token.restricting = row->restricting == NULL ? NULL : restricting;
    return token;
}

TEST(access_is_checked_as_the_system_does)
{
    size_t wrong = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct sd_token token = token_of(&rows[i]);

        CHECK(sddl_read(rows[i].sd, &sd));
        if (sd_access_check(&sd, &token, &sd_mapping_file, rows[i].desired) != rows[i].granted) {
            (void)fprintf(stderr, "  wrong: %s\n", rows[i].what);
            wrong++;
        }
    }
    CHECK(wrong == 0);
}

TEST(granted_and_checked_agree_right_by_right)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct sd_token token = token_of(&rows[i]);
        uint32_t granted;

        CHECK(sddl_read(rows[i].sd, &sd));
        granted = sd_granted(&sd, &token, &sd_mapping_file);
        for (unsigned bit = 0; bit < 21; bit++) {
            const uint32_t one = 1U << bit & sd_mapping_file.all;

            CHECK(one == 0 ||
                  sd_access_check(&sd, &token, &sd_mapping_file, one) == ((granted & one) != 0));
        }
    }
}

TEST(a_key_maps_generic_rights_in_its_own_way)
{
    CHECK(sd_map(&sd_mapping_key, SD_GENERIC_READ) == 0x20019);
    CHECK(sd_map(&sd_mapping_key, SD_GENERIC_ALL | 0x100000) == 0x1f003f);
    CHECK(sd_map(&sd_mapping_file, SD_GENERIC_WRITE | SD_GENERIC_EXECUTE) == 0x1201b6);
}

TEST_MAIN()
