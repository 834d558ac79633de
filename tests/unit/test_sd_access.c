/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/sd.h"

#include "tests/support/access_rows.h"
#include "tests/support/check.h"
#include "tests/support/sddl.h"

static struct sd sd;
static struct access_token who;

TEST(access_is_checked_as_the_system_does)
{
    size_t wrong = 0;

    for (size_t i = 0; i < access_row_count; i++) {
        CHECK(access_token_read(&access_rows[i], &who));
        CHECK(sddl_read(access_rows[i].sd, &sd));
        if (sd_access_check(&sd, &who.token, &sd_mapping_file, access_rows[i].desired) !=
            access_rows[i].granted) {
            (void)fprintf(stderr, "  wrong: %s\n", access_rows[i].what);
            wrong++;
        }
    }
    CHECK(wrong == 0);
}

TEST(granted_and_checked_agree_right_by_right)
{
    for (size_t i = 0; i < access_row_count; i++) {
        uint32_t granted;

        CHECK(access_token_read(&access_rows[i], &who));
        CHECK(sddl_read(access_rows[i].sd, &sd));
        granted = sd_granted(&sd, &who.token, &sd_mapping_file);
        for (unsigned bit = 0; bit < 21; bit++) {
            const uint32_t one = 1U << bit & sd_mapping_file.all;

            CHECK(one == 0 || sd_access_check(&sd, &who.token, &sd_mapping_file, one) ==
                                  ((granted & one) != 0));
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
