/* SPDX-License-Identifier: Apache-2.0 */
/* Letters and names, apart from the paths they are in. */
#include "platform/windows/upcase.h"

#include "platform/windows/path.h"
#include "tests/support/check.h"

TEST(folding_never_loses_the_way_back)
{
    uint32_t folded = 0;

    for (uint32_t value = 0; value < 0x110000; value++) {
        uint32_t up = win_upcase(value);

        CHECK(win_upcase(up) == up);
        CHECK((up < 0x10000) == (value < 0x10000));
        folded += up != value;
        /* Each upper-case letter has one lower-case letter alone. */
        for (uint32_t other = value + 1; up != value && other < value + 3; other++) {
            CHECK(win_upcase(other) != up || other == up);
        }
    }
    CHECK(folded > 500);
}

TEST(utf8_is_written_as_it_was_read)
{
    for (uint32_t value = 0; value < 0x110000; value += value < 0x800 ? 1 : 37) {
        char text[4];
        uint32_t read = 0;
        size_t len = win_utf8_put(value, text);

        if (value >= 0xd800 && value < 0xe000) {
            CHECK(win_utf8(text, len, &read) == 0);
            continue;
        }
        CHECK(win_utf8(text, len, &read) == len && read == value);
        CHECK(len == 1 || win_utf8(text, len - 1, &read) == 0);
    }
}

TEST(what_is_no_utf8_is_folded_byte_by_byte)
{
    struct arena arena;
    const char *folded;

    arena_init(&arena, (size_t)1 << 16);
    folded = win_fold("a\xff\xc3\xa4z", 5, &arena);
    CHECK_STR(folded, "A\xff\xc3\x84Z");
    arena_deinit(&arena);
}

TEST(a_name_by_itself_is_held_to_the_same)
{
    static const char *const bad[] = {"",    "\xff", "a\xc3", "a\x01", "a/b",
                                      "a:b", "a.",   "nul",   "A~1"};
    struct cordon_fault fault;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(win_name_check(bad[i], strlen(bad[i]), &fault) == CORDON_E_INVALID);
    }
    CHECK(win_name_check("a b", 3, &fault) == CORDON_OK);
}

TEST_MAIN()
