/* SPDX-License-Identifier: Apache-2.0 */
/* PROTOCOL.md, broker.proto and the tables of the code say the same. */
#include "platform/base/strbuf.h"
#include "proto/fields.h"
#include "proto/frame.h"
#include "tests/support/check.h"

static char protocol[64 * 1024];
static char schema[16 * 1024];

static void read_text(const char *name, char *ret_text, size_t size)
{
    char path[4096];
    FILE *file;
    size_t len;

    CHECK(snprintf(path, sizeof(path), "%s/%s", PROTO_SOURCE_DIR, name) < (int)sizeof(path));
    file = fopen(path, "re");
    CHECK(file != NULL);
    len = fread(ret_text, 1, size - 1, file);
    CHECK(len > 0 && len < size - 1);
    ret_text[len] = '\0';
    (void)fclose(file);
}

static void read_texts(void)
{
    read_text("PROTOCOL.md", protocol, sizeof(protocol));
    read_text("broker.proto", schema, sizeof(schema));
}

/* The text from @from up to the next @until. */
static struct strbuf section(const char *text, const char *from, const char *until)
{
    struct strbuf part = STRBUF_INIT;
    const char *begin = strstr(text, from);
    const char *end;

    if (begin == NULL) {
        (void)fprintf(stderr, "missing: %s\n", from);
    }
    CHECK(begin != NULL);
    begin += strlen(from);
    end = strstr(begin, until);
    strbuf_add(&part, begin, end == NULL ? strlen(begin) : (size_t)(end - begin));
    return part;
}

static void need(const struct strbuf *part, const char *wanted, const char *where)
{
    if (strstr(strbuf_text(part), wanted) == NULL) {
        (void)fprintf(stderr, "%s does not say: %s\n", where, wanted);
        CHECK(!"missing from the text");
    }
}

/* What the "allowed" column says of @field: the part that the table fixes. */
static void allowed_text(const struct msg_field *field, char *ret_text, size_t size)
{
    switch (field->kind) {
    case MSG_BOOL:
        (void)snprintf(ret_text, size, "| bool |");
        break;
    case MSG_NUMBER:
        if (field->max == 127) {
            (void)snprintf(ret_text, size, "| number | 1, 2, 124..%u |", field->max);
        } else {
            (void)snprintf(ret_text, size, "| number | %u..%u |", field->min, field->max);
        }
        break;
    case MSG_ENUM:
        (void)snprintf(ret_text, size, "| enum |");
        break;
    case MSG_TEXT:
    case MSG_BYTES:
        (void)snprintf(ret_text, size, "| %s | %s%u |", field->kind == MSG_TEXT ? "text" : "bytes",
                       field->min > 0 ? "1.." : "", field->max);
        break;
    case MSG_TEXT_LIST:
    case MSG_BYTES_LIST:
        (void)snprintf(ret_text, size, "| %s list | %u..%u entries of %u",
                       field->kind == MSG_TEXT_LIST ? "text" : "bytes", field->min,
                       field->count_max, field->max);
        break;
    case MSG_NUMBER_LIST:
        (void)snprintf(ret_text, size, "| number list | %u..%u entries of 3..%u", field->min,
                       field->count_max, field->max);
        break;
    }
}

static void check_field(const struct strbuf *part, const struct msg_field *field)
{
    char allowed[128];
    char row[256];

    allowed_text(field, allowed, sizeof(allowed));
    (void)snprintf(row, sizeof(row), "\n| %s | %u %s", field->name, field->number, allowed);
    need(part, row, "PROTOCOL.md");
    if (field->total_max > 0) {
        (void)snprintf(row, sizeof(row), "total %u", field->total_max);
        need(part, row, "PROTOCOL.md");
    }
}

TEST(every_message_and_its_caps_are_in_the_protocol)
{
    const struct frame_rule *rule;
    size_t i;

    read_texts();
    for (i = 0; (rule = frame_rule_at(i)) != NULL; i++) {
        struct strbuf all = STRBUF_INIT;
        const struct frame_rule *other;
        char row[256];

        strbuf_puts(&all, protocol);
        (void)snprintf(row, sizeof(row), "\n| %s | %d | %s | %u | ", rule->name, (int)rule->type,
                       rule->direction == FRAME_TO_BROKER ? "to the broker" : "to the client",
                       rule->body_max);
        need(&all, row, "PROTOCOL.md");
        strbuf_deinit(&all);
        all = section(protocol, row, "\n");
        (void)snprintf(row, sizeof(row), rule->fds_max > 1 ? "at most %u" : "%u", rule->fds_max);
        need(&all, row, "PROTOCOL.md");
        strbuf_deinit(&all);
        CHECK(msg_shape_find(rule->type) != NULL);
        for (size_t j = 0; j < i; j++) {
            other = frame_rule_at(j);
            CHECK(other->type != rule->type && strcmp(other->name, rule->name) != 0);
        }
    }
    CHECK(i == 17 && msg_shape_find((enum cordon_msg_type)0) == NULL);
}

TEST(every_field_is_in_the_protocol_with_its_number_and_caps)
{
    const struct frame_rule *rule;

    read_texts();
    for (size_t i = 0; (rule = frame_rule_at(i)) != NULL; i++) {
        const struct msg_shape *shape = msg_shape_find(rule->type);
        bool plan = rule->type == CORDON_MSG_PLAN;
        struct strbuf part;
        char title[64];

        if (shape->field_count == 0) {
            continue;
        }
        (void)snprintf(title, sizeof(title), "\n### %s\n", rule->name);
        part = section(protocol, title, "\n### ");
        for (size_t j = 0; j < shape->field_count; j++) {
            /* PLAN's choice is told once, under SPAWN. */
            if (!plan || shape->fields[j].number > 10) {
                check_field(&part, &shape->fields[j]);
            }
        }
        strbuf_deinit(&part);
    }
}

static const char *wire_kind(const struct msg_field *field)
{
    static const char *const kinds[] = {
        [MSG_BOOL] = "bool ",
        [MSG_NUMBER] = "uint32 ",
        [MSG_ENUM] = "",
        [MSG_TEXT] = "  string ",
        [MSG_BYTES] = "  bytes ",
        [MSG_TEXT_LIST] = "repeated string ",
        [MSG_BYTES_LIST] = "repeated bytes ",
        [MSG_NUMBER_LIST] = "repeated uint32 ",
    };

    return kinds[field->kind];
}

/* "PLAN_TEXT" is message PlanText. */
static void schema_name(const char *name, char *ret_name)
{
    bool upper = true;

    for (; *name != '\0'; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        *ret_name++ = (char)(upper ? *name : *name + ('a' - 'A'));
        upper = false;
    }
    *ret_name = '\0';
}

static size_t count_of(const char *text, char wanted)
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        count += *text == wanted;
    }
    return count;
}

TEST(the_schema_has_the_fields_of_the_table_and_no_others)
{
    const struct frame_rule *rule;

    read_texts();
    for (size_t i = 0; (rule = frame_rule_at(i)) != NULL; i++) {
        const struct msg_shape *shape = msg_shape_find(rule->type);
        char name[64];
        char title[96];
        struct strbuf part;

        schema_name(rule->name, name);
        (void)snprintf(title, sizeof(title), "\nmessage %s {", name);
        part = section(schema, title, "}");
        CHECK(count_of(strbuf_text(&part), ';') == shape->field_count);
        for (size_t j = 0; j < shape->field_count; j++) {
            const struct msg_field *field = &shape->fields[j];
            char row[128];

            (void)snprintf(row, sizeof(row), "%s%s = %u;", wire_kind(field), field->name,
                           field->number);
            need(&part, row, "broker.proto");
            CHECK(msg_field_find(shape, field->number) == field);
            CHECK(j == 0 || shape->fields[j - 1].number < field->number);
            CHECK(field->number < 32);
        }
        strbuf_deinit(&part);
    }
}

TEST(every_enum_value_of_the_schema_is_in_the_protocol)
{
    const char *at;
    size_t seen = 0;

    read_texts();
    for (at = strstr(schema, "\nenum "); at != NULL; at = strstr(at + 1, "\nenum ")) {
        struct strbuf body = section(at, "{", "}");
        struct strbuf all = STRBUF_INIT;
        char *line = strtok(body.data, "\n");

        strbuf_puts(&all, protocol);
        for (; line != NULL; line = strtok(NULL, "\n")) {
            line[strcspn(line, ";")] = '\0';
            need(&all, line + strspn(line, " "), "PROTOCOL.md");
            seen++;
        }
        strbuf_deinit(&all);
        strbuf_deinit(&body);
    }
    CHECK(seen == 30);
}

TEST(errors_of_the_wire_are_all_errors_there_are)
{
    struct strbuf part;

    read_texts();
    part = section(schema, "enum Error {", "}");
    CHECK(count_of(strbuf_text(&part), ';') == CORDON_ERR_COUNT);
    strbuf_deinit(&part);
}

TEST(the_general_caps_are_in_the_protocol)
{
    struct strbuf all = STRBUF_INIT;

    read_texts();
    strbuf_puts(&all, protocol);
    _Static_assert(MSG_UNKNOWN_MAX == 64 && MSG_REPEAT_MAX == 64, "PROTOCOL.md says 64");
    _Static_assert(MSG_ARGS_TOTAL_MAX == 8388608, "PROTOCOL.md says 8388608");
    _Static_assert(FRAME_BODY_MAX == 16777216, "PROTOCOL.md says 16 MiB");
    need(&all, "more than 64 unknown fields; more than 64 repetitions", "PROTOCOL.md");
    need(&all, "more than 160 descriptors", "PROTOCOL.md");
    need(&all, "argv and env together take at most 8388608 bytes", "PROTOCOL.md");
    need(&all, "the bytes `CRDN` (0x4e445243)", "PROTOCOL.md");
    strbuf_deinit(&all);
}

TEST_MAIN()
