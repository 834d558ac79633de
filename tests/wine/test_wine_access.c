/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our evaluator and the system's AccessCheck answer alike: the written cases, and many random ones.
 * Where Wine is known to be wrong it must still be: a version that answers rightly ends the row.
 */
#include <windows.h>

#include "platform/windows/sd.h"
#include "tests/support/access_rows.h"
#include "tests/support/check.h"
#include "tests/support/sddl.h"
#include "tests/wine/token.h"

static struct sd sd;
static struct access_token who;
static uint8_t bytes[SD_WRITTEN_MAX];

/*
 * Rows of access_rows that Wine 10 answers otherwise than Windows, by what it does instead. Those
 * of conditions are answered by Windows as by Wine where the condition says so: ours is the upper
 * bound.
 */
static const char *const wrong_in_wine[] = {
    /* An owner has every standard right, and an entry for OWNER RIGHTS is for nobody. */
    "owner, not all",
    "owner rights",
    "owner rights, denied",
    "owner for denials alone",
    /* Members for denials alone do not count. */
    "denials alone deny",
    /* Without a list even the audit list may be had. */
    "no list, audit",
    /* With MAXIMUM_ALLOWED nothing else is looked at. */
    "maximum and more",
    /* Entries with a condition end the check. */
    "condition grants",
    "condition does not deny",
    /* Restricting SIDs are dropped. */
    "restricted, one",
    "restricted by none",
    "restricting denies",
    "restricting owner",
    "write-restricted writes",
    "write-restricted generic",
    "write-restricted deletes",
    "write-restricted changes the list",
    "write-restricted takes over",
    "write-restricted owner",
};

static bool is_listed(const char *what)
{
    for (size_t i = 0; i < sizeof(wrong_in_wine) / sizeof(wrong_in_wine[0]); i++) {
        if (strcmp(wrong_in_wine[i], what) == 0) {
            return true;
        }
    }
    return false;
}

/* AccessCheck takes no descriptor without an owner and a group. */
static void complete(void)
{
    size_t len;

    if (sd.owner.len == 0) {
        sd.owner = sid_system();
    }
    if (sd.group.len == 0) {
        sd.group = sid_system();
    }
    CHECK(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK);
}

static bool asks(HANDLE token, DWORD desired, DWORD *ret_granted)
{
    GENERIC_MAPPING mapping = {sd_mapping_file.read, sd_mapping_file.write, sd_mapping_file.execute,
                               sd_mapping_file.all};
    PRIVILEGE_SET used[4];
    DWORD used_len = sizeof(used);
    BOOL status = FALSE;

    MapGenericMask(&desired, &mapping);
    *ret_granted = 0;
    return AccessCheck(bytes, token, desired, &mapping, used, &used_len, ret_granted, &status) &&
           status;
}

TEST(written_cases_are_answered_alike)
{
    size_t surprises = 0;
    DWORD granted;

    for (size_t i = 0; i < access_row_count; i++) {
        const struct access_row *row = &access_rows[i];
        HANDLE token;
        bool right;

        CHECK(access_token_read(row, &who) && sddl_read(row->sd, &sd));
        complete();
        token = token_make(&who.token, FALSE);
        CHECK(token != NULL);
        right = asks(token, row->desired, &granted) == row->granted;
        (void)CloseHandle(token);
        if (right == is_listed(row->what)) {
            (void)fprintf(stderr, "  %s: %s\n", row->what,
                          right ? "answered rightly by now: take it off the list"
                                : "answered wrongly, and not listed");
            surprises++;
        }
    }
    CHECK(surprises == 0);
}

/* ---- random ones ---- */

static uint32_t seed = 20261126;

static uint32_t roll(uint32_t below)
{
    seed ^= seed << 13U;
    seed ^= seed >> 17U;
    seed ^= seed << 5U;
    return seed % below;
}

#define CROWD 5U
static const char *const crowd[CROWD] = {ACCESS_USER, ACCESS_GROUP, "S-1-1-0", "S-1-5-21-7-7-7-9",
                                         "S-1-3-4"};

static void random_list(void)
{
    const uint32_t count = roll(7);

    sd_init(&sd, SD_DACL_LIST);
    /* Of none of the token's: what owners may do is where Wine is wrong, see above. */
    CHECK(sid_from_text(crowd[3], &sd.owner) == CORDON_OK);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t flags = (uint8_t)(roll(6) == 0 ? SD_INHERIT_ONLY | SD_TREE : 0U);
        const uint8_t type = (uint8_t)(roll(2) == 0 ? SD_ALLOWED : SD_DENIED);
        struct sd_ace ace = {
            .type = type,
            .flags = flags,
            .mask = 1U << roll(9) | 1U << roll(9) | 1U << (16U + roll(5)),
        };

        ace.mask = roll(8) == 0 ? SD_GENERIC_READ : ace.mask;
        ace.mask = roll(12) == 0 ? SD_GENERIC_ALL : ace.mask;
        CHECK(sid_from_text(crowd[roll(CROWD)], &ace.sid) == CORDON_OK);
        CHECK(sd_append(&sd, &ace) == CORDON_OK);
    }
    complete();
}

TEST(ten_thousand_random_lists_grant_alike)
{
    static const struct access_row row = {.members = ACCESS_USER " " ACCESS_GROUP " WD",
                                          .restricting = NULL};
    HANDLE token;
    DWORD granted;

    CHECK(access_token_read(&row, &who));
    token = token_make(&who.token, FALSE);
    CHECK(token != NULL);
    for (uint32_t i = 0; i < 10000; i++) {
        const uint32_t one = 1U << roll(21) & sd_mapping_file.all;
        uint32_t ours;

        random_list();
        ours = sd_granted(&sd, &who.token, &sd_mapping_file);
        (void)asks(token, MAXIMUM_ALLOWED, &granted);
        /* Of all rights at once Wine takes away what a later denial names, too: with lists out of
         * order only one right at a time is comparable. */
        if ((granted != ours && sd_canonical(&sd)) ||
            (one != 0 && asks(token, one, &granted) != ((ours & one) != 0))) {
            struct strbuf text = STRBUF_INIT;

            sd_print(&sd, &text);
            (void)fprintf(stderr, "  case %u: ours 0x%x, theirs 0x%lx: %s\n", i, ours, granted,
                          strbuf_text(&text));
            strbuf_deinit(&text);
            CHECK(false);
        }
    }
    (void)CloseHandle(token);
}

/* What the editor writes is a valid list to the system, and the system removes what it added. */
TEST(edited_lists_are_valid_to_the_system)
{
    struct sd_ace ace = {SD_DENIED, SD_TREE, 0x000d017f, sid_nt(21, 7)};
    BOOL present, defaulted;
    bool added;
    ACL *list;

    for (uint32_t i = 0; i < 2000; i++) {
        size_t len;
        void *first;

        random_list();
        CHECK(sd_add(&sd, &ace, &added) == CORDON_OK && added);
        CHECK(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK);
        CHECK(IsValidSecurityDescriptor(bytes) && GetSecurityDescriptorLength(bytes) == len);
        CHECK(GetSecurityDescriptorDacl(bytes, &present, &list, &defaulted) && present);
        CHECK(IsValidAcl(list) && list->AceCount == sd.ace_count);
        CHECK(GetAce(list, 0, &first));
        CHECK(EqualSid(&((ACCESS_DENIED_ACE *)first)->SidStart, ace.sid.bytes));
        CHECK(DeleteAce(list, 0) && sd_remove(&sd, &ace));
        CHECK(memcmp((BYTE *)list + SD_LIST_HEAD, sd.aces, sd.ace_len) == 0);
    }
}

TEST_MAIN()
