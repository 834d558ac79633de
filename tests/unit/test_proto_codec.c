/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/validate.h"
#include "proto_samples.h"
#include "tests/support/check.h"

static struct cordon_fault fault;

static enum cordon_err encode(const struct message *message)
{
    struct strbuf body = STRBUF_INIT;
    enum cordon_err err;

    strbuf_puts(&body, "before");
    err = msg_encode(message, &body, &fault);
    CHECK(err == CORDON_OK || body.len == strlen("before"));
    strbuf_deinit(&body);
    return err;
}

static struct message sample_of(enum cordon_msg_type type)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        if (sample_message(i).type == type) {
            return sample_message(i);
        }
    }
    abort();
}

static struct message spawn_of(const struct msg_list *argv)
{
    return (struct message){.type = CORDON_MSG_SPAWN, .u.spawn = {.argv = *argv}};
}

/* A list of @count pointers to one string; free items. */
static struct msg_list list_of(size_t count, char *item)
{
    char **items = calloc(count == 0 ? 1 : count, sizeof(*items));

    CHECK(items != NULL);
    for (size_t i = 0; i < count; i++) {
        items[i] = item;
    }
    return (struct msg_list){items, count};
}

static char *text_of(size_t len)
{
    char *text = malloc(len + 1);

    CHECK(text != NULL);
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

static void list_free(const struct msg_list *list)
{
    char *const *items = list->items;
    void *memory;

    memcpy(&memory, &items, sizeof(memory));
    free(memory);
}

TEST(every_message_survives_encoding_and_decoding)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message sample = sample_message(i);
        struct message message;
        struct strbuf body = STRBUF_INIT;
        struct strbuf again = STRBUF_INIT;
        struct arena arena;

        CHECK(sample.type == frame_rule_at(i)->type);
        arena_init(&arena, MSG_ARENA_MAX);
        CHECK(msg_encode(&sample, &body, &fault) == CORDON_OK);
        CHECK(msg_decode(sample.type, body.data, body.len, &arena, &message, &fault) == CORDON_OK);
        CHECK(message.type == sample.type && message.unknown == 0);
        CHECK(msg_encode(&message, &again, &fault) == CORDON_OK);
        CHECK(again.len == body.len);
        CHECK(body.len == 0 || memcmp(again.data, body.data, body.len) == 0);
        strbuf_deinit(&body);
        strbuf_deinit(&again);
        arena_deinit(&arena);
    }
}

TEST(spawn_arrives_member_by_member)
{
    struct message sample = sample_of(CORDON_MSG_SPAWN);
    struct strbuf body = STRBUF_INIT;
    struct message message;
    const struct msg_spawn *spawn = &message.u.spawn;
    struct arena arena;

    arena_init(&arena, MSG_ARENA_MAX);
    CHECK(msg_encode(&sample, &body, &fault) == CORDON_OK);
    CHECK(msg_decode(sample.type, body.data, body.len, &arena, &message, &fault) == CORDON_OK);
    strbuf_deinit(&body);
    CHECK(spawn->argv.count == 3 && spawn->argv.items[3] == NULL);
    CHECK_STR(spawn->argv.items[0], "make");
    CHECK_STR(spawn->argv.items[1], "-j2 \xff\n=");
    CHECK_STR(spawn->argv.items[2], "");
    CHECK(spawn->env.count == 2 && spawn->env.items[2] == NULL);
    CHECK_STR(spawn->env.items[1], "no equals sign");
    CHECK_STR(spawn->choice.mode, "workspace-write");
    CHECK_STR(spawn->choice.profile, "dev");
    CHECK(spawn->choice.overrides.count == 2 && spawn->choice.os == MSG_OS_LINUX);
    CHECK_STR(spawn->choice.cwd_display, "/home/a/\xfe");
    CHECK_STR(spawn->choice.codex_home, "/home/a/.codex");
    CHECK_STR(spawn->choice.tmpdir, "/tmp");
    CHECK_STR(spawn->choice.xdg_config_home, "/home/a/.config");
    CHECK(spawn->log_denials && spawn->json && spawn->stdin_tty && spawn->stdout_tty);
    CHECK(spawn->stderr_tty && spawn->timeout_ms == 4294967295U);
    CHECK(spawn->term_rows == 24 && spawn->term_cols == 65535);
    CHECK(spawn->fd_targets.count == 3 && spawn->fd_targets.items[2] == 65535);
    arena_deinit(&arena);
}

TEST(absent_and_empty_strings_are_both_null)
{
    struct strbuf body = STRBUF_INIT;
    struct message message;
    struct arena arena;

    arena_init(&arena, MSG_ARENA_MAX);
    wire_string(&body, 1, "x", 1);
    wire_string(&body, 3, "", 0);
    wire_string(&body, 7, "", 0);
    CHECK(msg_decode(CORDON_MSG_SPAWN, body.data, body.len, &arena, &message, &fault) == CORDON_OK);
    CHECK(message.u.spawn.choice.mode == NULL && message.u.spawn.choice.profile == NULL);
    CHECK(message.u.spawn.choice.cwd_display == NULL && message.u.spawn.choice.tmpdir == NULL);
    CHECK(message.u.spawn.env.count == 0 && message.u.spawn.env.items[0] == NULL);
    strbuf_deinit(&body);
    arena_deinit(&arena);
}

TEST(every_truncation_of_every_message_is_an_error_or_a_valid_shorter_message)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message sample = sample_message(i);
        struct strbuf body = STRBUF_INIT;

        CHECK(msg_encode(&sample, &body, &fault) == CORDON_OK);
        for (size_t len = 0; len < body.len; len++) {
            /* A copy of the very length, so that a read past the end is seen. */
            char *cut = malloc(len == 0 ? 1 : len);
            struct message message = {.unknown = 77};
            struct arena arena;
            enum cordon_err err;

            CHECK(cut != NULL);
            memcpy(cut, body.data, len);
            arena_init(&arena, MSG_ARENA_MAX);
            err = msg_decode(sample.type, cut, len, &arena, &message, &fault);
            CHECK(err == CORDON_OK || err == CORDON_E_PROTO || err == CORDON_E_INVALID);
            CHECK(err == CORDON_OK ? encode(&message) == CORDON_OK : message.unknown == 77);
            arena_deinit(&arena);
            free(cut);
        }
        strbuf_deinit(&body);
    }
}

TEST(every_small_arena_is_a_limit_and_leaves_the_result_alone)
{
    struct message sample = sample_of(CORDON_MSG_SPAWN);
    struct strbuf body = STRBUF_INIT;
    enum cordon_err err = CORDON_E_LIMIT;
    size_t limit = 0;

    CHECK(msg_encode(&sample, &body, &fault) == CORDON_OK);
    for (; err != CORDON_OK; limit++) {
        struct message message = {.unknown = 77};
        struct arena arena;

        arena_init(&arena, limit);
        err = msg_decode(sample.type, body.data, body.len, &arena, &message, &fault);
        CHECK(err == CORDON_E_LIMIT ? message.unknown == 77 : err == CORDON_OK);
        arena_deinit(&arena);
    }
    CHECK(limit > 500 && limit < 20000);
    strbuf_deinit(&body);
}

TEST(an_unknown_type_is_not_encoded)
{
    struct message message = {.type = (enum cordon_msg_type)63};

    CHECK(encode(&message) == CORDON_E_PROTO);
    CHECK(msg_fd_count(&message) == 0);
}

TEST(a_command_is_needed_and_has_a_name)
{
    struct msg_list none = {NULL, 0};
    struct msg_list nameless = list_of(2, text_of(0));
    struct message message = spawn_of(&none);

    CHECK(encode(&message) == CORDON_E_INVALID);
    CHECK_STR(fault.text, "argv is missing");
    message = spawn_of(&nameless);
    CHECK(encode(&message) == CORDON_E_INVALID);
    CHECK_STR(fault.text, "argv[0] is empty");
    free(nameless.items[0]);
    list_free(&nameless);
}

TEST(too_many_arguments_are_refused_by_the_encoder_too)
{
    char item[] = "a";
    struct msg_list most = list_of(65536, item);
    struct msg_list million = list_of(1000000, item);
    struct message message = spawn_of(&most);

    CHECK(encode(&message) == CORDON_OK);
    message = spawn_of(&million);
    CHECK(encode(&message) == CORDON_E_LIMIT);
    list_free(&most);
    list_free(&million);
}

TEST(argv_and_env_share_one_total)
{
    char *half = text_of(65535);
    struct msg_list argv = list_of(128, half);
    struct msg_list env = list_of(1, half);
    struct msg_list over = list_of(129, half);
    struct message message = spawn_of(&argv);

    CHECK(encode(&message) == CORDON_OK);
    message.u.spawn.env = env;
    CHECK(encode(&message) == CORDON_E_LIMIT);
    CHECK(strstr(fault.text, "argv and env") != NULL);
    message = spawn_of(&over);
    CHECK(encode(&message) == CORDON_E_LIMIT);
    list_free(&argv);
    list_free(&env);
    list_free(&over);
    free(half);
}

TEST(strings_over_their_cap_are_a_limit)
{
    struct message message = sample_of(CORDON_MSG_SPAWN);
    char *path = text_of(4096);

    message.u.spawn.choice.codex_home = path;
    CHECK(encode(&message) == CORDON_E_LIMIT);
    path[4095] = '\0';
    CHECK(encode(&message) == CORDON_OK);
    free(path);
}

TEST(descriptor_numbers_are_from_3_and_each_once)
{
    static const uint32_t low[] = {2};
    static const uint32_t twice[] = {3, 4, 3};
    static const uint32_t high[] = {65536};
    static const uint32_t many[MSG_FD_TARGETS_MAX + 1];
    struct message message = sample_of(CORDON_MSG_SPAWN);

    message.u.spawn.fd_targets = (struct msg_numbers){low, 1};
    CHECK(encode(&message) == CORDON_E_INVALID);
    message.u.spawn.fd_targets = (struct msg_numbers){twice, 3};
    CHECK(encode(&message) == CORDON_E_INVALID);
    message.u.spawn.fd_targets = (struct msg_numbers){high, 1};
    CHECK(encode(&message) == CORDON_E_INVALID);
    message.u.spawn.fd_targets = (struct msg_numbers){many, MSG_FD_TARGETS_MAX + 1};
    CHECK(encode(&message) == CORDON_E_LIMIT);
}

TEST(numbers_and_enums_outside_their_range_are_invalid)
{
    struct message message = sample_of(CORDON_MSG_SIGNAL);

    message.u.signal.signo = 0;
    CHECK(encode(&message) == CORDON_E_INVALID);
    message.u.signal.signo = 65;
    CHECK(encode(&message) == CORDON_E_INVALID);
    message = sample_of(CORDON_MSG_SPAWN);
    message.u.spawn.choice.os = (enum msg_os)4;
    CHECK(encode(&message) == CORDON_E_INVALID);
    message = sample_of(CORDON_MSG_WELCOME);
    message.u.welcome.mode = (enum msg_broker_mode)0;
    CHECK(encode(&message) == CORDON_E_INVALID);
    message = sample_of(CORDON_MSG_HELLO);
    message.u.hello.protocol_min = 4;
    CHECK(encode(&message) == CORDON_E_INVALID);
}

TEST(a_job_without_a_name_is_invalid)
{
    struct message message = sample_of(CORDON_MSG_SIGNAL);

    message.u.signal.job = NULL;
    CHECK(encode(&message) == CORDON_E_INVALID);
    message.u.signal.job = "";
    CHECK(encode(&message) == CORDON_E_INVALID);
}

struct exit_case {
    enum msg_exit_kind kind;
    uint32_t code;
    enum cordon_err err;
};

TEST(an_exit_code_fits_its_kind)
{
    static const struct exit_case cases[] = {
        {MSG_EXIT_EXITED, 0, CORDON_OK},
        {MSG_EXIT_EXITED, 255, CORDON_OK},
        {MSG_EXIT_EXITED, 256, CORDON_E_INVALID},
        {MSG_EXIT_SIGNALLED, 0, CORDON_E_INVALID},
        {MSG_EXIT_SIGNALLED, 64, CORDON_OK},
        {MSG_EXIT_SIGNALLED, 65, CORDON_E_INVALID},
        {MSG_EXIT_TIMEOUT, 0, CORDON_OK},
        {MSG_EXIT_TIMEOUT, 1, CORDON_E_INVALID},
        {MSG_EXIT_SETUP_FAILED, 124, CORDON_E_INVALID},
        {MSG_EXIT_SETUP_FAILED, 126, CORDON_OK},
        {MSG_EXIT_SETUP_FAILED, 128, CORDON_E_INVALID},
        {MSG_EXIT_KILLED, 0, CORDON_OK},
        {(enum msg_exit_kind)0, 0, CORDON_E_INVALID},
        {(enum msg_exit_kind)6, 0, CORDON_E_INVALID},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message message = sample_of(CORDON_MSG_EXITED);

        message.u.exited.kind = cases[i].kind;
        message.u.exited.code = cases[i].code;
        CHECK(encode(&message) == cases[i].err);
    }
}

TEST(a_failure_has_an_error_and_a_status_that_means_something)
{
    struct message message = sample_of(CORDON_MSG_FAILED);

    for (uint32_t status = 0; status < 200; status++) {
        bool known = status == 1 || status == 2 || (status >= 124 && status <= 127);

        message.u.failed.exit_status = status;
        CHECK((encode(&message) == CORDON_OK) == known);
    }
    message.u.failed.exit_status = 125;
    for (int err = CORDON_OK; err <= CORDON_ERR_COUNT; err++) {
        message.u.failed.err = (enum cordon_err)err;
        CHECK((encode(&message) == CORDON_OK) == (err != CORDON_OK && err != CORDON_ERR_COUNT));
    }
}

TEST(lists_of_text_have_a_total)
{
    struct message message = sample_of(CORDON_MSG_PLAN);
    char *text = text_of(65535);
    struct msg_list most = list_of(8, text);
    struct msg_list over = list_of(9, text);

    message.u.plan.choice.overrides = most;
    CHECK(encode(&message) == CORDON_OK);
    message.u.plan.choice.overrides = over;
    CHECK(encode(&message) == CORDON_E_LIMIT);
    list_free(&most);
    list_free(&over);
    free(text);
}

TEST(descriptors_are_counted_by_the_message)
{
    struct message message = sample_of(CORDON_MSG_SPAWN);

    CHECK(msg_fd_count(&message) == 7);
    message = sample_of(CORDON_MSG_STARTED);
    CHECK(msg_fd_count(&message) == 1);
    message.u.started.terminal = false;
    CHECK(msg_fd_count(&message) == 0);
    message = sample_of(CORDON_MSG_PLAN);
    CHECK(msg_fd_count(&message) == 1);
    message = sample_of(CORDON_MSG_STATUS);
    CHECK(msg_fd_count(&message) == 0);
}

struct utf8_case {
    const char *text;
    bool valid;
};

TEST(utf8_has_no_overlong_forms_surrogates_or_stray_bytes)
{
    static const struct utf8_case cases[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa9", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xbf", false},
        {"\xc1\xbf", false},
        {"\xc3", false},
        {"\xc3(", false},
        {"\xe0\x9f\xbf", false},
        {"\xe2\x82", false},
        {"\xe2(\x80", false},
        {"\xe2\x82(", false},
        {"\xed\xa0\x80", false},
        {"\xed\xbf\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xf8\x88\x80\x80\x80", false},
        {"\xff", false},
        {"a\xc3\xa9z\xfe", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(validate_utf8(cases[i].text, strlen(cases[i].text)) == cases[i].valid);
    }
}

TEST_MAIN()
