/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/base/number.h"

#include <stddef.h>

#include "tests/support/check.h"

TEST(a_number_is_digits_and_nothing_else)
{
    static const char *const none[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1.", "1e3", "\xb2", "a"};
    uint64_t number = 7;

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK(!number_parse(none[i], UINT64_MAX, &number) && number == 7);
    }
    CHECK(number_parse("0", 0, &number) && number == 0);
    CHECK(number_parse("007", 7, &number) && number == 7);
}

TEST(a_number_over_its_most_is_none_also_where_it_would_wrap)
{
    uint64_t number = 7;

    CHECK(number_parse("64", 64, &number) && number == 64);
    CHECK(!number_parse("65", 64, &number) && !number_parse("5", 4, &number) && number == 64);
    CHECK(number_parse("18446744073709551615", UINT64_MAX, &number) && number == UINT64_MAX);
    CHECK(!number_parse("18446744073709551616", UINT64_MAX, &number));
    CHECK(!number_parse("99999999999999999999999", UINT64_MAX, &number) && number == UINT64_MAX);
}

TEST_MAIN()
