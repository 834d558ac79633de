/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "broker/ring.h"
#include "tests/support/check.h"

static void add(struct rings *rings, uint32_t uid, uint64_t job, uint64_t lost, const char *path)
{
    static struct ipc_violation what;
    const struct rule_text text = {"deny_read[2]", "/etc/codex/requirements.toml:7"};
    const struct ring_denial denial = {uid, job, &what, &text};

    memset(&what, 0, sizeof(what));
    what.operation = path == NULL ? IPC_OPERATION_NONE : IPC_OPERATION_OPEN;
    what.lost = lost;
    what.path_len = path == NULL ? 0 : (uint16_t)strlen(path);
    memcpy(what.path, path == NULL ? "" : path, what.path_len);
    rings_add(rings, &denial);
}

static struct ipc_records_head read_head(const struct rings *rings, const struct ring_query *query,
                                         struct strbuf *out)
{
    struct ipc_records_head head;

    out->len = 0;
    rings_read(rings, query, out);
    memcpy(&head, out->data, sizeof(head));
    return head;
}

TEST(a_record_says_what_it_was_told)
{
    struct rings rings = {0};
    struct strbuf out = STRBUF_INIT;
    const struct ring_query mine = {.uid = 7};
    struct ipc_records_head head;
    struct ipc_record record;
    const char *texts;

    add(&rings, 7, 3, 0, "/a\nb");
    head = read_head(&rings, &mine, &out);
    CHECK(head.magic == IPC_MAGIC && head.count == 1 && head.total == 1 && head.more == 0);
    memcpy(&record, out.data + sizeof(head), sizeof(record));
    CHECK(record.uid == 7 && record.job == 3 && record.number == head.next);
    texts = out.data + sizeof(head) + sizeof(record);
    CHECK(record.path_len == 4 && memcmp(texts, "/a\nb", 4) == 0);
    CHECK(record.rule_len == 12 && memcmp(texts + 4, "deny_read[2]", 12) == 0);
    CHECK(out.len == sizeof(head) + sizeof(record) + 4 + 12 + record.origin_len);
    strbuf_deinit(&out);
    rings_deinit(&rings);
}

TEST(nobody_is_told_of_anothers_but_who_may_see_all)
{
    struct rings rings = {0};
    struct strbuf out = STRBUF_INIT;
    const struct ring_query mine = {.uid = 7};
    const struct ring_query other = {.uid = 8};
    const struct ring_query all = {.all = true};
    const struct ring_query job = {.uid = 7, .job = 2};

    add(&rings, 7, 1, 0, "/one");
    add(&rings, 8, 5, 0, "/two");
    add(&rings, 7, 2, 0, "/three");
    CHECK(read_head(&rings, &mine, &out).count == 2);
    CHECK(read_head(&rings, &other, &out).count == 1);
    CHECK(read_head(&rings, &all, &out).count == 3 && read_head(&rings, &all, &out).total == 3);
    CHECK(read_head(&rings, &job, &out).count == 1);
    CHECK(!rings_has(&rings, &(const struct ring_query){.uid = 9}));
    CHECK(!rings_has(&rings, &(const struct ring_query){.uid = 8, .job = 1}));
    strbuf_deinit(&out);
    rings_deinit(&rings);
}

TEST(what_leaves_the_ring_stays_counted)
{
    struct rings rings = {0};
    struct strbuf out = STRBUF_INIT;
    struct ring_query query = {.uid = 7};
    struct ipc_records_head head;
    uint64_t told = 0;

    for (unsigned i = 0; i < 3 * RING_RECORDS_MAX; i++) {
        add(&rings, 7, 1, i % 3 == 0 ? 2 : 0, "/path");
    }
    add(&rings, 7, 1, 40, NULL); /* a record that only counts */
    do {
        head = read_head(&rings, &query, &out);
        told += head.count;
        query.after = head.next;
        CHECK(out.len <= IPC_RECORDS_MAX);
    } while (head.more != 0);
    CHECK(told == RING_RECORDS_MAX);
    CHECK(head.total == 3 * RING_RECORDS_MAX + 2 * RING_RECORDS_MAX + 40);
    CHECK(!rings_has(&rings, &query));
    rings_deinit(&rings);
    CHECK(rings.bytes == 0 && rings.first == NULL);
    strbuf_deinit(&out);
}

TEST(all_rings_together_are_bounded)
{
    static char path[4001];
    struct rings rings = {0};

    memset(path, 'x', sizeof(path) - 1);
    for (uint32_t uid = 1; uid <= 100; uid++) {
        for (int i = 0; i < 200; i++) {
            add(&rings, uid, 1, 0, path);
        }
    }
    CHECK(rings.bytes <= RINGS_BYTES_MAX && rings.total == 20000);
    CHECK(rings_has(&rings, &(const struct ring_query){.uid = 100}));
    rings_deinit(&rings);
}

TEST(a_rules_texts_are_found_and_a_damaged_block_gives_none)
{
    struct policy_rule rules[2] = {
        {.spelled = "/k", .origin = {.layer = LAYER_MANAGED, .key = "deny_read[0]", .file = "/f"}},
        {.spelled = "~/x", .origin = {.layer = LAYER_COMMAND_LINE}}};
    const struct policy_ruleset set = {.rules = rules, .count = 2};
    struct strbuf block = STRBUF_INIT;
    struct rule_text text;

    rules[0].origin.line = 7;
    rule_texts_make(&set, &block);
    CHECK(rule_texts_find(block.data, block.len, 0, &text));
    CHECK_STR(text.rule, "deny_read[0]");
    CHECK_STR(text.origin, "/f:7");
    CHECK(rule_texts_find(block.data, block.len, 1, &text));
    CHECK_STR(text.rule, "~/x");
    CHECK_STR(text.origin, "command line");
    CHECK(!rule_texts_find(block.data, block.len, 2, &text) && text.rule[0] == '\0');
    /* Cut anywhere, and with every byte changed: nothing is read outside (see the sanitizers). */
    for (size_t len = 0; len < block.len; len++) {
        char *copy = malloc(len + 1);

        memcpy(copy, block.data, len);
        CHECK(!rule_texts_find(copy, len, 1, &text));
        free(copy);
    }
    for (size_t at = 0; at < block.len; at++) {
        block.data[at] = (char)(block.data[at] ^ 0x80);
        (void)rule_texts_find(block.data, block.len, 0, &text);
        (void)rule_texts_find(block.data, block.len, 1, &text);
        block.data[at] = (char)(block.data[at] ^ 0x80);
    }
    strbuf_deinit(&block);
}

TEST_MAIN()
