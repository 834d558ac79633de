/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/access_rows.h"

#include <string.h>

#include "tests/support/sddl.h"

#define USER ACCESS_USER
#define GROUP ACCESS_GROUP
#define TOKEN USER " " GROUP " WD"
#define MAX SD_MAXIMUM_ALLOWED

const struct access_row access_rows[] = {
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
    {"write-restricted deletes", "D:(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true, SD_DELETE, false},
    {"write-restricted changes the list", "D:(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true,
     SD_WRITE_DAC, false},
    {"write-restricted takes over", "D:(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true, SD_WRITE_OWNER,
     false},
    {"write-restricted deletes, granted", "D:(A;;FA;;;" USER ")(A;;SD;;;S-1-9-1)", TOKEN, "S-1-9-1",
     true, SD_DELETE, true},
    {"write-restricted reads the list", "D:(A;;RC;;;" USER ")", TOKEN, "S-1-9-1", true,
     SD_READ_CONTROL, true},
    {"write-restricted owner", "O:" USER "D:", TOKEN, "S-1-9-1", true, SD_READ_CONTROL, false},
    {"write-restricted owner too", "O:" USER "D:", TOKEN, USER, true, SD_WRITE_DAC, true},
    {"owner who restricts only", "O:S-1-9-1D:(A;;FR;;;WD)(A;;WD;;;OW)", TOKEN, "S-1-9-1", false,
     SD_WRITE_DAC, false},
    {"write-restricted, owner rights", "O:" USER "D:(A;;0x1;;;OW)", TOKEN, "S-1-9-1", true, 1,
     false},
    /* Why a write-restricted token cannot deny a read. */
    {"write-restricted denial", "D:(D;;FR;;;S-1-9-1)(A;;FA;;;" USER ")", TOKEN, "S-1-9-1", true,
     SD_GENERIC_READ, true},
};

const size_t access_row_count = sizeof(access_rows) / sizeof(access_rows[0]);

static size_t word(const char **at)
{
    *at += strspn(*at, " ");
    return strcspn(*at, " ");
}

bool access_token_read(const struct access_row *row, struct access_token *ret_token)
{
    struct sd_token *token = &ret_token->token;
    size_t len;

    *token =
        (struct sd_token){.members = ret_token->members, .write_restricted = row->write_restricted};
    for (const char *at = row->members; (len = word(&at)) > 0; at += len) {
        struct sd_member *member = &ret_token->members[token->member_count++];

        member->deny_only = *at == '-';
        if (token->member_count == ACCESS_SIDS ||
            !sddl_sid(at + member->deny_only, len - member->deny_only, &member->sid)) {
            return false;
        }
    }
    for (const char *at = row->restricting; at != NULL && (len = word(&at)) > 0; at += len) {
        if (token->restricting_count == ACCESS_SIDS ||
            !sddl_sid(at, len, &ret_token->restricting[token->restricting_count++])) {
            return false;
        }
    }
    token->restricting = row->restricting == NULL ? NULL : ret_token->restricting;
    return true;
}
