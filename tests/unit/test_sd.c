/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/sd.h"

#include "tests/support/check.h"
#include "tests/support/sddl.h"

#define JOB "S-1-5-21-7-7-7-9"

static struct sd sd, other;
static struct strbuf printed;
static uint8_t bytes[SD_WRITTEN_MAX + 16];

static const char *text_of(const struct sd *of)
{
    strbuf_deinit(&printed);
    sd_print(of, &printed);
    return strbuf_text(&printed);
}

static struct sd_ace entry(uint8_t type, uint8_t flags, uint32_t mask, const char *sid)
{
    struct sd_ace ace = {.type = type, .flags = flags, .mask = mask};

    CHECK(sid_from_text(sid, &ace.sid) == CORDON_OK);
    return ace;
}

static struct sd_ace deny(uint8_t flags, uint32_t mask)
{
    return entry(SD_DENIED, flags, mask, JOB);
}

/* ---- reading and writing ---- */

TEST(what_is_written_is_read_back_alike)
{
    static const char *const texts[] = {
        "",
        "O:S-1-5-18",
        "O:S-1-5-18G:S-1-5-32-544D:",
        "D:NO_ACCESS_CONTROL",
        "O:S-1-5-18D:PAI(D;OICI;0xd017f;;;" JOB ")(A;ID;0x1f01ff;;;S-1-1-0)",
        "D:(XA;OICINPIOID;0x1;;;S-1-1-0)(XD;;0x2;;;S-1-3-4)",
    };
    size_t len;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK(sddl_read(texts[i], &sd));
        CHECK_STR(text_of(&sd), texts[i]);
        CHECK(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK);
        CHECK(sd_parse(bytes, len, &other) == CORDON_OK);
        CHECK_STR(text_of(&other), texts[i]);
        CHECK(len == 0 || sd_write(&sd, bytes, len - 1, &len) == CORDON_E_LIMIT);
    }
}

TEST(every_cut_of_a_descriptor_is_refused)
{
    size_t len;

    CHECK(sddl_read("O:SYG:SYD:(D;;FR;;;" JOB ")(A;;FA;;;WD)", &sd));
    CHECK(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1); /* so that a sanitizer sees a read behind it */

        memcpy(copy, bytes, cut);
        CHECK(sd_parse(copy, cut, &other) == CORDON_E_SYNTAX);
        free(copy);
    }
}

struct damage {
    size_t at;
    uint8_t value;
};

/* O:SY: 20 head, 12 owner, then the list: head 8 at 32, entry at 40: head 4, mask, SID at 48. */
TEST(hostile_fields_are_refused)
{
    static const struct damage damages[] = {
        {0, 2},    /* revision */
        {3, 0},    /* not self-relative */
        {4, 1},    /* owner inside the head */
        {5, 0xff}, /* owner behind the end */
        {16, 19},  /* list inside the head */
        {17, 1},   /* list behind the end */
        {32, 1},   /* revision of the list: too old */
        {32, 5},   /* and too new */
        {34, 7},   /* size of the list: less than its head */
        {35, 1},   /* more than there is */
        {36, 2},   /* more entries than fit */
        {42, 0},   /* size of the entry: nothing, which would never end */
        {42, 2},   /* less than its head */
        {42, 19},  /* not a multiple of 4 */
        {42, 24},  /* behind the list */
        {42, 8},   /* no SID in it */
        {42, 16},  /* a SID cut short */
        {48, 9},   /* revision of the SID */
        {49, 200}, /* sub-authorities of the SID */
        {40, SD_ALLOWED_OBJECT},
    };
    size_t len;

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        CHECK(sddl_read("O:SYD:(D;;FR;;;WD)", &sd));
        CHECK(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK && len == 60);
        CHECK(sd_parse(bytes, len, &other) == CORDON_OK);
        bytes[damages[i].at] = damages[i].value;
        if (sd_parse(bytes, len, &other) != CORDON_E_SYNTAX) {
            (void)fprintf(stderr, "  taken: byte %zu = %u\n", damages[i].at, damages[i].value);
            CHECK(false);
        }
    }
}

TEST(entries_of_unknown_types_are_kept_and_say_nothing)
{
    size_t len;
    struct sd_ace ace, mine = deny(0, 1);
    uint32_t at = 0;
    bool added;

    CHECK(sddl_read("D:(A;CI;0x7;;;WD)", &sd));
    CHECK(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK);
    bytes[28] = 0x13;
    CHECK(sd_parse(bytes, len, &sd) == CORDON_OK);
    CHECK(sd_next(&sd, &at, &ace) && ace.sid.len == 0 && ace.mask == 0);
    CHECK(!sd_next(&sd, &at, &ace));
    CHECK(sd_add(&sd, &mine, &added) == CORDON_OK && sd_remove(&sd, &mine));
    CHECK_STR(text_of(&sd), "D:(0x13;CI;;;;)");
    CHECK(memcmp(sd.aces, bytes + 28, sd.ace_len) == 0);
}

TEST(object_entries_have_their_sid_behind_guids)
{
    /* Flags say: one GUID. */
    static const uint8_t list[] = {4, 0,  56, 0,  1, 0, 0, 0, SD_DENIED_OBJECT,
                                   0, 48, 0,  7,  0, 0, 0, 1, 0,
                                   0, 0,  9,  9,  9, 9, 9, 9, 9,
                                   9, 9,  9,  9,  9, 9, 9, 9, 9,
                                   1, 2,  0,  0,  0, 0, 0, 5, 32,
                                   0, 0,  0,  32, 2, 0, 0, 0, 0,
                                   0, 0};
    static const uint8_t head[20] = {1, 0, 4, 0x80, [16] = 20};
    const struct sid admins = sid_administrators();
    struct sd_ace ace;
    uint32_t at = 0;

    memcpy(bytes, head, sizeof(head));
    memcpy(bytes + sizeof(head), list, sizeof(list));
    CHECK(sd_parse(bytes, sizeof(head) + sizeof(list), &sd) == CORDON_OK);
    CHECK(sd_next(&sd, &at, &ace) && ace.mask == 7 && sid_equal(&ace.sid, &admins));
}

TEST(spare_room_of_a_list_is_dropped)
{
    static const uint8_t empty[] = {1, 0, 4, 0x80, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0,
                                    0, 0, 2, 0,    16, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9,  9};

    CHECK(sd_parse(empty, sizeof(empty), &sd) == CORDON_OK);
    CHECK(sd.dacl == SD_DACL_LIST && sd.ace_len == 0);
}

/* ---- editing ---- */

static void check_edit(const char *before, struct sd_ace ace, const char *after)
{
    bool added = false;

    CHECK(sddl_read(before, &sd));
    sd_copy(&other, &sd);
    CHECK(sd_add(&sd, &ace, &added) == CORDON_OK);
    CHECK_STR(text_of(&sd), after == NULL ? before : after);
    CHECK(added == (after != NULL));
    if (added) {
        CHECK(sd_count(&sd, &ace) == sd_count(&other, &ace) + 1);
        CHECK(sd_remove(&sd, &ace));
        CHECK(sd_count(&other, &ace) > 0 || strcmp(text_of(&sd), before) == 0);
    }
}

#define OTHERS "(A;;0x1f01ff;;;S-1-5-18)(A;ID;0x1;;;S-1-1-0)"
#define MINE "(D;OICI;0xd017f;;;" JOB ")"

TEST(a_denial_goes_in_front)
{
    check_edit("D:", deny(SD_TREE, 0xd017f), "D:" MINE);
    check_edit("D:AI" OTHERS, deny(SD_TREE, 0xd017f), "D:AI" MINE OTHERS);
    check_edit("D:P(D;;0x1;;;S-1-1-0)" OTHERS, deny(SD_TREE, 0xd017f),
               "D:P" MINE "(D;;0x1;;;S-1-1-0)" OTHERS);
    /* A list that is out of order stays so. */
    check_edit("D:(A;;0x1;;;S-1-1-0)(D;;0x1;;;S-1-1-0)", deny(0, 1),
               "D:(D;;0x1;;;" JOB ")(A;;0x1;;;S-1-1-0)(D;;0x1;;;S-1-1-0)");
}

TEST(a_grant_goes_behind_explicit_entries_and_before_inherited_ones)
{
    const struct sd_ace allow = entry(SD_ALLOWED, 0, 1, JOB);

    check_edit("D:", allow, "D:(A;;0x1;;;" JOB ")");
    check_edit("D:(D;;0x2;;;S-1-1-0)" OTHERS, allow,
               "D:(D;;0x2;;;S-1-1-0)(A;;0x1f01ff;;;S-1-5-18)(A;;0x1;;;" JOB
               ")(A;ID;0x1;;;S-1-1-0)");
    check_edit("D:(D;ID;0x2;;;S-1-1-0)", allow, "D:(A;;0x1;;;" JOB ")(D;ID;0x2;;;S-1-1-0)");
}

TEST(the_same_entry_is_not_added_twice)
{
    check_edit("D:" MINE OTHERS, deny(SD_TREE, 0xd017f), NULL);
    check_edit("D:(D;;0x1;;;S-1-1-0)" MINE, deny(SD_TREE, 0xd017f), NULL);
    check_edit("D:(A;;0x1;;;" JOB ")", entry(SD_ALLOWED, 0, 1, JOB), NULL);
}

TEST(a_narrower_wider_or_other_entry_is_no_reason_not_to_add)
{
    static const char *const present[] = {
        "D:(D;OICI;0x1;;;" JOB ")",       "D:(D;OICI;0x1f01ff;;;" JOB ")",
        "D:(D;;0xd017f;;;" JOB ")",       "D:(D;OICIID;0xd017f;;;" JOB ")",
        "D:(D;OICIIO;0xd017f;;;" JOB ")", "D:(A;OICI;0xd017f;;;" JOB ")",
        "D:(XD;OICI;0xd017f;;;" JOB ")",  "D:(D;OICI;0xd017f;;;S-1-5-21-7-7-7-8)",
        "D:(A;;0x1;;;S-1-1-0)" MINE, /* there, but behind a grant */
    };
    char after[400];

    for (size_t i = 0; i < sizeof(present) / sizeof(present[0]); i++) {
        (void)snprintf(after, sizeof(after), "D:%s%s", MINE, present[i] + 2);
        check_edit(present[i], deny(SD_TREE, 0xd017f), after);
    }
}

TEST(removal_is_exact)
{
    static const char *const kept[] = {"D:(D;OICI;0xd0177;;;" JOB ")",
                                       "D:(D;;0xd017f;;;" JOB ")",
                                       "D:(D;OICIID;0xd017f;;;" JOB ")",
                                       "D:(A;OICI;0xd017f;;;" JOB ")",
                                       "D:(D;OICI;0xd017f;;;S-1-5-21-7-7-7-8)",
                                       "D:",
                                       "D:NO_ACCESS_CONTROL",
                                       ""};
    const struct sd_ace mine = deny(SD_TREE, 0xd017f);

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        CHECK(sddl_read(kept[i], &sd));
        CHECK(!sd_remove(&sd, &mine));
        CHECK_STR(text_of(&sd), kept[i]);
    }
    CHECK(sddl_read("D:" MINE "(D;;0x1;;;S-1-1-0)" MINE OTHERS, &sd));
    CHECK(sd_count(&sd, &mine) == 2 && sd_remove(&sd, &mine));
    CHECK_STR(text_of(&sd), "D:(D;;0x1;;;S-1-1-0)" MINE OTHERS);
}

TEST(a_null_list_is_not_an_empty_one)
{
    const struct sd_ace mine = deny(0, 1);
    bool added;

    CHECK(sddl_read("D:NO_ACCESS_CONTROL", &sd));
    CHECK(sd_add(&sd, &mine, &added) == CORDON_E_UNSUPPORTED);
    CHECK(sd_append(&sd, &mine) == CORDON_E_UNSUPPORTED);
    CHECK_STR(text_of(&sd), "D:NO_ACCESS_CONTROL");
    CHECK(sddl_read("O:SY", &sd));
    CHECK(sd_add(&sd, &mine, &added) == CORDON_E_UNSUPPORTED);
    CHECK(sddl_read("D:", &sd));
    CHECK(sd_add(&sd, &mine, &added) == CORDON_OK && added);
}

TEST(a_list_is_never_longer_than_its_size_can_say)
{
    const struct sd_ace mine = deny(0, 0x80000000U);
    struct sd_ace ace = deny(0, 0);
    size_t len, count = 0;
    bool added;

    CHECK(sddl_read("D:", &sd));
    while (sd_append(&sd, &ace) == CORDON_OK) {
        ace.mask++;
        count++;
    }
    CHECK(count == SD_ACES_MAX / (8U + ace.sid.len));
    CHECK(sd_add(&sd, &mine, &added) == CORDON_E_LIMIT && sd.ace_count == count);
    CHECK(sd_write(&sd, bytes, sizeof(bytes), &len) == CORDON_OK && len <= SD_WRITTEN_MAX);
    CHECK(sd_parse(bytes, len, &other) == CORDON_OK && other.ace_count == count);
    CHECK(sd_inherit(&sd, true, &sd_mapping_file, &other) == CORDON_OK);
}

static bool denied(const char *list, uint32_t mask)
{
    struct sid sid;

    CHECK(sddl_read(list, &sd) && sid_from_text(JOB, &sid) == CORDON_OK);
    return sd_denies(&sd, &sid, mask, &sd_mapping_file);
}

TEST(denials_cover_or_they_do_not)
{
    CHECK(denied("D:(D;;0x7;;;" JOB ")", 7));
    CHECK(denied("D:(D;;0xf;;;" JOB ")", 7));
    CHECK(!denied("D:(D;;0x3;;;" JOB ")", 7));
    CHECK(denied("D:(D;;0x3;;;" JOB ")(D;;0x1;;;WD)(D;;0x4;;;" JOB ")", 7));
    CHECK(denied("D:(D;ID;0x7;;;" JOB ")", 7));
    CHECK(denied("D:(D;;GR;;;" JOB ")", 0x120089));
    CHECK(!denied("D:(D;OICIIO;0x7;;;" JOB ")", 7));
    CHECK(!denied("D:(A;;0x1;;;WD)(D;;0x7;;;" JOB ")", 7));
    CHECK(!denied("D:(XD;;0x7;;;" JOB ")", 7));
    CHECK(!denied("D:(D;;0x7;;;WD)", 7));
    CHECK(!denied("D:NO_ACCESS_CONTROL", 0));
    CHECK(!denied("D:", 7));
}

static bool in_order(const char *list)
{
    CHECK(sddl_read(list, &sd));
    return sd_canonical(&sd);
}

TEST(order_is_denials_grants_inherited)
{
    CHECK(in_order("D:"));
    CHECK(in_order("D:(D;;0x1;;;WD)(A;;0x1;;;WD)(A;ID;0x1;;;WD)(D;ID;0x1;;;WD)"));
    CHECK(!in_order("D:(A;;0x1;;;WD)(D;;0x1;;;WD)"));
    CHECK(!in_order("D:(D;ID;0x1;;;WD)(D;;0x1;;;WD)"));
}

/* ---- inheritance ---- */

static void check_child(const char *parent, bool container, const char *child, const char *after)
{
    CHECK(sddl_read(parent, &sd) && sddl_read(child, &other));
    CHECK(sd_inherit(&sd, container, &sd_mapping_file, &other) == CORDON_OK);
    CHECK_STR(text_of(&other), after);
}

TEST(a_file_inherits_what_is_for_objects)
{
    check_child("D:(D;OICI;0x7;;;WD)(A;CI;0x1;;;WD)(A;OI;0x2;;;WD)(A;;0x4;;;WD)", false,
                "D:", "D:(D;ID;0x7;;;S-1-1-0)(A;ID;0x2;;;S-1-1-0)");
    check_child("D:(D;OIIOID;0x7;;;WD)(D;OINP;0x1;;;WD)", false,
                "D:", "D:(D;ID;0x7;;;S-1-1-0)(D;ID;0x1;;;S-1-1-0)");
}

TEST(a_folder_inherits_and_passes_on)
{
    check_child("D:(D;OICI;0x7;;;WD)(A;CI;0x1;;;WD)(A;OI;0x2;;;WD)(A;;0x4;;;WD)", true,
                "D:", "D:(D;OICIID;0x7;;;S-1-1-0)(A;CIID;0x1;;;S-1-1-0)(A;OIIOID;0x2;;;S-1-1-0)");
    check_child("D:(D;OICINP;0x7;;;WD)(A;OINP;0x2;;;WD)(A;CIIO;0x1;;;WD)", true,
                "D:", "D:(D;ID;0x7;;;S-1-1-0)(A;CIID;0x1;;;S-1-1-0)");
}

TEST(generic_rights_and_creators_are_settled_on_the_child)
{
    check_child("D:(A;OICI;GR;;;WD)", false, "D:", "D:(A;ID;0x120089;;;S-1-1-0)");
    check_child("D:(A;OICI;GR;;;WD)", true,
                "D:", "D:(A;ID;0x120089;;;S-1-1-0)(A;OICIIOID;0x80000000;;;S-1-1-0)");
    check_child("D:(A;OICIIO;0x7;;;CO)(A;CINP;0x1;;;CG)", true, "O:SYG:BAD:",
                "O:S-1-5-18G:S-1-5-32-544D:(A;ID;0x7;;;S-1-5-18)(A;OICIIOID;0x7;;;S-1-3-0)"
                "(A;ID;0x1;;;S-1-5-32-544)");
    check_child("D:(A;OI;0x7;;;CO)", false, "D:", "D:(A;ID;0x7;;;S-1-3-0)");
}

TEST(what_has_a_condition_is_inherited_as_it_is)
{
    check_child("D:(XA;OI;GR;;;WD)", false, "D:", "D:(XA;ID;0x80000000;;;S-1-1-0)");
}

TEST(a_child_takes_the_newer_revision_of_its_parents_list)
{
    CHECK(sddl_read("D:(A;OI;0x1;;;WD)", &sd) && sddl_read("D:", &other));
    sd.revision = 4;
    CHECK(sd_inherit(&sd, false, &sd_mapping_file, &other) == CORDON_OK && other.revision == 4);
    sd.revision = 2;
    CHECK(sd_inherit(&sd, false, &sd_mapping_file, &other) == CORDON_OK && other.revision == 4);
}

TEST(explicit_entries_stay_and_old_inherited_ones_go)
{
    check_child("D:(D;OI;0x7;;;WD)", false, "D:AI(A;;0x1;;;SY)(D;ID;0x2;;;SY)(A;ID;0x9;;;WD)",
                "D:AI(A;;0x1;;;S-1-5-18)(D;ID;0x7;;;S-1-1-0)");
    check_child("D:", false, "D:AI(A;ID;0x9;;;WD)", "D:AI");
}

TEST(a_protected_child_and_one_without_a_list_inherit_nothing)
{
    check_child("D:(D;OI;0x7;;;WD)", false, "D:P(A;ID;0x1;;;SY)", "D:P(A;ID;0x1;;;S-1-5-18)");
    check_child("D:(D;OI;0x7;;;WD)", false, "D:NO_ACCESS_CONTROL", "D:NO_ACCESS_CONTROL");
    check_child("D:(D;OI;0x7;;;WD)", false, "", "");
}

TEST(what_does_not_fit_is_not_half_inherited)
{
    struct sd_ace ace = deny(SD_OBJECT_INHERIT, 0);

    CHECK(sddl_read("D:", &sd) && sddl_read("D:AI(A;;0x1;;;SY)(A;ID;0x9;;;WD)", &other));
    while (sd_append(&sd, &ace) == CORDON_OK) {
        ace.mask++;
    }
    CHECK(sd_inherit(&sd, false, &sd_mapping_file, &other) == CORDON_E_LIMIT);
    CHECK_STR(text_of(&other), "D:AI(A;;0x1;;;S-1-5-18)(A;ID;0x9;;;S-1-1-0)");
}

TEST_MAIN()
