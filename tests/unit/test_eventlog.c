/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/eventlog.h"

#include "tests/support/check.h"

static struct events_event event;

static void make(enum service_priority priority, const char *line,
                 const struct service_field *fields, size_t count)
{
    events_deinit(&event);
    CHECK(events_make(priority, line, fields, count, &event) == CORDON_OK);
}

static const char *string(size_t at)
{
    return at < event.count ? strbuf_text(&event.strings[at]) : "(none)";
}

TEST(a_record_has_the_number_of_its_kind_and_every_field)
{
    static const struct {
        const char *id;
        enum events_id want;
    } rows[] = {
        {"2a31beb074e54fa09ea043db5a288cba", EVENTS_START},
        {"4a87fbf9b12a40d8a3cac34b2a559d73", EVENTS_END},
        {"94dcf6dfffa940f5b58fd28fd9efd9fd", EVENTS_REFUSED},
        {"9fda906eb57c4791a94f738641659a13", EVENTS_ALARM},
        {"dee98747e92b4a62a6839df47df24d1f", EVENTS_VIOLATION},
        {"2a31beb074e54fa09ea043db5a288cbb", EVENTS_LINE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct service_field fields[] = {
            {"CORDON_JOB", "7"}, {"MESSAGE_ID", rows[i].id}, {"CORDON_UID", "1000"}};

        make(SERVICE_INFO, "job 7 of 1000", fields, 3);
        CHECK(event.id == rows[i].want && event.count == 4);
        CHECK_STR(string(0), "job 7 of 1000");
        CHECK_STR(string(1), "CORDON_JOB=7");
        CHECK(strncmp(string(2), "MESSAGE_ID=", 11) == 0);
        CHECK_STR(string(3), "CORDON_UID=1000");
    }
}

/* A caller's word that is an id of ours makes no other event of his record. */
TEST(only_the_field_of_that_name_says_the_kind)
{
    const struct service_field fields[] = {{"CORDON_COMMAND", "9fda906eb57c4791a94f738641659a13"},
                                           {"MESSAGE_ID", "dee98747e92b4a62a6839df47df24d1f"}};

    make(SERVICE_INFO, "x", fields, 2);
    CHECK(event.id == EVENTS_VIOLATION);
}

TEST(a_line_has_the_priority_as_its_type)
{
    make(SERVICE_ERROR, "broken", NULL, 0);
    CHECK(event.type == EVENTS_TYPE_ERROR && event.id == EVENTS_LINE && event.count == 1);
    make(SERVICE_WARNING, "odd", NULL, 0);
    CHECK(event.type == EVENTS_TYPE_WARNING);
    make(SERVICE_INFO, "listening", NULL, 0);
    CHECK(event.type == EVENTS_TYPE_INFORMATION);
    CHECK_STR(string(0), "listening");
}

TEST(no_string_names_a_place_for_another)
{
    const struct service_field fields[] = {{"CORDON_COMMAND", "%1%%2 %n %"}};

    make(SERVICE_INFO, "%1: 100 %", fields, 1);
    CHECK_STR(string(0), "\\x251: 100 \\x25");
    CHECK_STR(string(1), "CORDON_COMMAND=\\x251\\x25\\x252 \\x25n \\x25");
}

/* At a whole letter, whatever comes where it is cut. */
TEST(what_is_too_long_is_cut_and_says_so)
{
    static char text[EVENTS_STRING_MAX + 100];
    static const char *const fill[] = {"x", "%", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

    for (size_t i = 0; i < 5; i++) {
        const size_t len = strlen(fill[i]);
        size_t at, cut;

        for (at = 0; at + len < sizeof(text); at += len) {
            memcpy(text + at, fill[i], len);
        }
        text[at] = '\0';
        make(SERVICE_INFO, text, NULL, 0);
        cut = event.strings[0].len;
        CHECK(cut <= EVENTS_STRING_MAX + 3 && cut > EVENTS_STRING_MAX - 4);
        CHECK_STR(string(0) + cut - 3, "...");
        CHECK(i == 1 || (cut - 3) % len == 0);
        CHECK(i != 1 || strncmp(string(0) + cut - 7, "\\x25", 4) == 0);
    }
    memset(text, 'x', EVENTS_STRING_MAX);
    text[EVENTS_STRING_MAX] = '\0';
    make(SERVICE_INFO, text, NULL, 0);
    CHECK_STR(string(0), text);
}

TEST(fields_beyond_the_number_there_may_be_are_left_out)
{
    struct service_field fields[SERVICE_FIELDS_MAX + 5];

    for (size_t i = 0; i < SERVICE_FIELDS_MAX + 5; i++) {
        fields[i] = (struct service_field){"A", "b"};
    }
    make(SERVICE_INFO, "x", fields, SERVICE_FIELDS_MAX + 5);
    CHECK(event.count == EVENTS_STRINGS_MAX);
    events_deinit(&event);
}

TEST_MAIN()
