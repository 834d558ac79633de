/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as etcd 3.4 and 3.5 send them. */
#include "fetch/base64.h"
#include "fetch/etcd.h"
#include "tests/support/check.h"

#define HEADER                                                                                     \
    "\"header\":{\"cluster_id\":\"1\",\"member_id\":\"2\",\"revision\":\"42\",\"raft_term\":"      \
    "\"3\"}"
#define EVENT(value) "{\"kv\":{\"key\":\"L3I=\",\"mod_revision\":\"43\",\"value\":\"" value "\"}}"
#define RESULT(rest) "{\"result\":{" HEADER rest "}}\n"

static struct cordon_fault fault;
static struct strbuf seen; /* what changed, one a line */

static void changed(void *context, const char *value, size_t len)
{
    (void)context;
    if (value == NULL) {
        strbuf_puts(&seen, "(removed)");
    } else {
        strbuf_add(&seen, value, len);
    }
    strbuf_puts(&seen, "\n");
}

/* Feeds @text in pieces of @piece bytes. */
static enum cordon_err feed(const char *text, size_t piece, bool *ret_created)
{
    struct etcd_stream stream = {.line_max = 1000, .changed = changed};
    const size_t len = strlen(text);
    enum cordon_err err = CORDON_OK;

    strbuf_deinit(&seen);
    memset(&fault, 0, sizeof(fault));
    for (size_t i = 0; err == CORDON_OK && i < len; i += piece) {
        err = etcd_stream_feed(&stream, text + i, len - i < piece ? len - i : piece, &fault);
    }
    if (ret_created != NULL) {
        *ret_created = stream.created;
    }
    etcd_stream_deinit(&stream);
    return err;
}

static enum cordon_err answer(const char *text, uint64_t *ret_revision)
{
    strbuf_deinit(&seen);
    memset(&fault, 0, sizeof(fault));
    return etcd_range_answer(text, strlen(text), &seen, ret_revision, &fault);
}

TEST(base64_is_that_of_the_standard)
{
    static const struct {
        const char *text, *coded;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf out = STRBUF_INIT;

        base64_encode(rows[i].text, strlen(rows[i].text), &out);
        CHECK_STR(strbuf_text(&out), rows[i].coded);
        strbuf_deinit(&out);
        CHECK(base64_decode(rows[i].coded, &out) == CORDON_OK);
        CHECK_STR(strbuf_text(&out), rows[i].text);
        strbuf_deinit(&out);
    }
}

TEST(base64_has_one_way_to_be_written)
{
    static const char *const bad[] = {"Z",    "Zg",       "Zg=",    "Zh==", "Zm9=", "Z===",
                                      "====", "Zg==Zg==", "Zm9v\n", "Zm-_", "=m9v", "Zm 9"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct strbuf out = STRBUF_INIT;

        CHECK(base64_decode(bad[i], &out) == CORDON_E_SYNTAX);
        strbuf_deinit(&out);
    }
}

TEST(requests_are_what_the_gateway_takes)
{
    struct strbuf out = STRBUF_INIT;

    etcd_range_request("/r", &out);
    CHECK_STR(strbuf_text(&out), "{\"key\":\"L3I=\"}");
    strbuf_deinit(&out);
    etcd_watch_request("/r", 18446744073709551615U, &out);
    CHECK_STR(strbuf_text(&out), "{\"create_request\":{\"key\":\"L3I=\",\"start_revision\":"
                                 "\"18446744073709551615\"}}");
    strbuf_deinit(&out);
}

TEST(a_range_gives_value_and_revision)
{
    uint64_t revision = 0;

    CHECK(answer("{" HEADER ",\"kvs\":[{\"key\":\"L3I=\",\"value\":\"Zm9v\"}],\"count\":\"1\"}",
                 &revision) == CORDON_OK);
    CHECK_STR(strbuf_text(&seen), "foo");
    CHECK(revision == 42);
    CHECK(answer("{" HEADER ",\"kvs\":[{\"key\":\"L3I=\"}]}", &revision) == CORDON_OK);
    CHECK_STR(strbuf_text(&seen), "");
}

TEST(a_key_that_is_not_there_has_a_revision_all_the_same)
{
    uint64_t revision = 0;

    CHECK(answer("{" HEADER "}", &revision) == CORDON_E_NOT_FOUND && revision == 42);
}

TEST(what_is_no_answer_is_refused)
{
    static const char *const bad[] = {
        "",
        "[]",
        "null",
        "{",
        "{}",
        "{\"header\":{\"revision\":42}}",
        "{\"header\":{\"revision\":\"-1\"}}",
        "{\"header\":{\"revision\":\"18446744073709551616\"}}",
        "{" HEADER "} {" HEADER "}",
        "{" HEADER ",\"kvs\":[{\"value\":\"Zg\"}]}",
        "{" HEADER ",\"kvs\":[{\"value\":7}]}",
        "{" HEADER "}\x01",
    };
    uint64_t revision = 0;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (answer(bad[i], &revision) != CORDON_E_PROTO) {
            (void)fprintf(stderr, "accepted: %s\n", bad[i]);
            CHECK(false);
        }
    }
    CHECK(answer("{\"error\":\"etcdserver: no leader\",\"code\":14}", &revision) == CORDON_E_PROTO);
    CHECK(strstr(fault.text, "no leader") != NULL);
}

TEST(a_watch_tells_of_each_change_in_whatever_pieces_it_comes)
{
    static const char text[] = RESULT(",\"created\":true") RESULT(",\"events\":[" EVENT("Zm9v") "]")
        RESULT("") RESULT(",\"events\":[" EVENT("Zm9v") "," EVENT("YmFy") "]")
            RESULT(",\"events\":[{\"type\":\"DELETE\",\"kv\":{\"key\":\"L3I=\"}}]");

    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        bool created = false;

        CHECK(feed(text, piece, &created) == CORDON_OK && created);
        CHECK_STR(strbuf_text(&seen), "foo\nbar\n(removed)\n");
    }
}

TEST(a_watch_that_the_cluster_ends_is_closed_with_its_reason)
{
    CHECK(feed(RESULT(",\"canceled\":true,\"compact_revision\":\"50\""), 9, NULL) ==
          CORDON_E_CLOSED);
    CHECK(feed(RESULT(",\"canceled\":true,\"cancel_reason\":\"etcdserver: no leader\""), 9, NULL) ==
          CORDON_E_CLOSED);
    CHECK(strstr(fault.text, "no leader") != NULL);
    CHECK(feed("{\"error\":{\"grpc_code\":14,\"message\":\"no leader\"}}\n", 5, NULL) ==
          CORDON_E_PROTO);
    CHECK(strstr(fault.text, "no leader") != NULL);
}

TEST(a_watch_that_makes_no_sense_is_refused)
{
    char big[1100];

    CHECK(feed("nonsense\n", 3, NULL) == CORDON_E_PROTO);
    CHECK(feed(RESULT(",\"events\":[{\"kv\":{\"value\":\"Z\"}}]"), 100, NULL) == CORDON_E_PROTO);
    memset(big, ' ', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    CHECK(feed(big, 64, NULL) == CORDON_E_LIMIT);
    CHECK(feed("", 1, NULL) == CORDON_OK);
    strbuf_deinit(&seen);
}

TEST_MAIN()
