/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/fetch_config.h"
#include "tests/support/check.h"

#define KEY "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""
#define KEYS "public_keys = [" KEY "]\n"
#define URL "url = \"https://policy.example.com/r\"\n"

static struct arena arena;
static struct fetch_config config;
static struct cordon_fault fault;

static enum cordon_err parse(const char *text)
{
    arena_deinit(&arena);
    arena_init(&arena, 1U << 20);
    memset(&fault, 0, sizeof(fault));
    return fetch_config_parse("/etc/cordon/fetch.toml", text, strlen(text), &arena, &config,
                              &fault);
}

TEST(a_url_and_a_key_are_enough)
{
    CHECK(parse(URL KEYS) == CORDON_OK);
    CHECK_STR(config.url, "https://policy.example.com/r");
    CHECK_STR(config.source, config.url);
    CHECK(config.key_count == 1 && config.keys[0].bytes[1] == 0x11);
    CHECK(config.interval_s == 60 && config.timeout_s == 10 && config.max_age_s == 86400);
    CHECK(config.max_bytes == ENVELOPE_MAX && !config.refuse_stale && !config.allow_first);
}

TEST(every_key_is_taken)
{
    CHECK(parse(KEYS "ca_file = \"/etc/cordon/ca.pem\"\nclient_cert = \"/c\"\nclient_key = \"/k\"\n"
                     "interval_s = 2\ntimeout_s = 3\nmax_age_s = 4\nmax_bytes = 5000\n"
                     "when_stale = \"refuse\"\nbefore_first = \"allow\"\n"
                     "[etcd]\nkey = \"/cordon/r\"\n"
                     "endpoints = [\"https://a.example:2379\", \"http://127.0.0.1:2379\"]\n") ==
          CORDON_OK);
    CHECK(config.url == NULL && config.endpoint_count == 2);
    CHECK_STR(config.endpoints[1], "http://127.0.0.1:2379");
    CHECK_STR(config.source, "etcd:/cordon/r");
    CHECK_STR(config.ca_file, "/etc/cordon/ca.pem");
    CHECK_STR(config.client_cert, "/c");
    CHECK_STR(config.client_key, "/k");
    CHECK(config.interval_s == 2 && config.timeout_s == 3 && config.max_age_s == 4);
    CHECK(config.max_bytes == 5000 && config.refuse_stale && config.allow_first);
}

TEST(an_unknown_key_is_an_error_with_a_suggestion)
{
    CHECK(parse(URL KEYS "intervall_s = 2\n") == CORDON_E_INVALID);
    CHECK(strstr(fault.text, "/etc/cordon/fetch.toml:3:1: unknown key") != NULL);
    CHECK(strstr(fault.remedy, "interval_s") != NULL);
    CHECK(parse(URL KEYS "endpoints = []\n") == CORDON_E_INVALID);
    CHECK(strstr(fault.remedy, "belongs in [etcd]") != NULL);
    CHECK(parse(URL KEYS "when_stale = \"keeep\"\n") == CORDON_E_INVALID);
    CHECK(strstr(fault.remedy, "keep") != NULL);
}

TEST(what_makes_no_sense_is_an_error)
{
    static const char *const bad[] = {
        "",
        URL,
        KEYS,
        URL "public_keys = []\n",
        URL "public_keys = [\"00\"]\n",
        URL
        "public_keys = [\"00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff\"]\n",
        URL KEYS "ca_file = \"ca.pem\"\n",
        URL KEYS "client_cert = \"/c\"\n",
        URL KEYS "interval_s = 0\n",
        URL KEYS "max_bytes = 1048577\n",
        URL KEYS "[etcd]\nkey = \"k\"\nendpoints = [\"https://a.example:1\"]\n",
        KEYS "[etcd]\nkey = \"k\"\nendpoints = []\n",
        KEYS "[etcd]\nendpoints = [\"https://a.example:1\"]\n",
        KEYS "[etcd]\nkey = \"a b\"\nendpoints = [\"https://a.example:1\"]\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(bad[i]) == CORDON_OK || fault.text[0] == '\0') {
            (void)fprintf(stderr, "accepted: %s\n", bad[i]);
            CHECK(false);
        }
    }
}

TEST(plain_http_goes_no_further_than_this_host)
{
    static const struct {
        const char *text;
        enum cordon_err err;
    } rows[] = {
        {"url = \"http://policy.example.com/r\"\n" KEYS, CORDON_E_INVALID},
        {"url = \"http://127.0.0.1:80@policy.example.com/r\"\n" KEYS, CORDON_E_INVALID},
        {"url = \"file:///etc/passwd\"\n" KEYS, CORDON_E_INVALID},
        {"url = \"https://\"\n" KEYS, CORDON_E_INVALID},
        {"url = \"https://policy.example.com/a b\"\n" KEYS, CORDON_E_INVALID},
        {"url = \"http://127.0.0.1:8080/r\"\n" KEYS, CORDON_OK},
        {"url = \"http://[::1]:8080/r\"\n" KEYS, CORDON_OK},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(parse(rows[i].text) == rows[i].err);
    }
}

TEST_MAIN()
