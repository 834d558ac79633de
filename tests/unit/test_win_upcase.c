/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/upcase.h"

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

TEST_MAIN()
