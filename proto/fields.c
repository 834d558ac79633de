/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fields.h"

#include <string.h>

#define PATH_LEN 4095U
#define WORD_LEN 256U
#define JOB_LEN 64U
#define U32_MAX 0xffffffffU
#define REASON_LEN 512U
#define KIB 1024U

/* One macro a kind, so that a row cannot leave out the cap of its kind. */
#define AT(type, member) offsetof(struct type, member)
#define BOOL(no, name, at)                                                                         \
    {                                                                                              \
        no, name, MSG_BOOL, at, 0, 1, 0, 0                                                         \
    }
#define NUMBER(no, name, at, min, max)                                                             \
    {                                                                                              \
        no, name, MSG_NUMBER, at, min, max, 0, 0                                                   \
    }
#define ENUM(no, name, at, min, max)                                                               \
    {                                                                                              \
        no, name, MSG_ENUM, at, min, max, 0, 0                                                     \
    }
#define TEXT(no, name, at, min, max)                                                               \
    {                                                                                              \
        no, name, MSG_TEXT, at, min, max, 0, 0                                                     \
    }
#define BYTES(no, name, at, min, max)                                                              \
    {                                                                                              \
        no, name, MSG_BYTES, at, min, max, 0, 0                                                    \
    }
#define LIST(no, name, kind, at, min, max, count, total)                                           \
    {                                                                                              \
        no, name, kind, at, min, max, count, total                                                 \
    }

/* The same numbers in SPAWN and PLAN: one choice, one meaning. */
#define CHOICE(type)                                                                               \
    TEXT(3, "mode", AT(type, choice.mode), 0, WORD_LEN),                                           \
        TEXT(4, "profile", AT(type, choice.profile), 0, WORD_LEN),                                 \
        LIST(5, "overrides", MSG_TEXT_LIST, AT(type, choice.overrides), 0, 64 * KIB, 1024,         \
             512 * KIB),                                                                           \
        ENUM(6, "os", AT(type, choice.os), MSG_OS_HOST, MSG_OS_WINDOWS),                           \
        BYTES(7, "cwd_display", AT(type, choice.cwd_display), 0, PATH_LEN),                        \
        BYTES(8, "codex_home", AT(type, choice.codex_home), 0, PATH_LEN),                          \
        BYTES(9, "tmpdir", AT(type, choice.tmpdir), 0, PATH_LEN),                                  \
        BYTES(10, "xdg_config_home", AT(type, choice.xdg_config_home), 0, PATH_LEN)

static const struct msg_field hello_fields[] = {
    NUMBER(1, "protocol_min", AT(msg_hello, protocol_min), 1, U32_MAX),
    NUMBER(2, "protocol_max", AT(msg_hello, protocol_max), 1, U32_MAX),
    TEXT(3, "client_version", AT(msg_hello, client_version), 0, WORD_LEN),
};

/* An argument is at most what execve(2) takes: MAX_ARG_STRLEN, its NUL counted. */
static const struct msg_field spawn_fields[] = {
    LIST(1, "argv", MSG_BYTES_LIST, AT(msg_spawn, argv), 1, 128 * KIB - 1, 65536,
         MSG_ARGS_TOTAL_MAX),
    LIST(2, "env", MSG_BYTES_LIST, AT(msg_spawn, env), 0, 128 * KIB - 1, 65536, MSG_ARGS_TOTAL_MAX),
    CHOICE(msg_spawn),
    BOOL(11, "log_denials", AT(msg_spawn, log_denials)),
    BOOL(12, "json", AT(msg_spawn, json)),
    NUMBER(13, "timeout_ms", AT(msg_spawn, timeout_ms), 0, U32_MAX),
    BOOL(14, "stdin_tty", AT(msg_spawn, stdin_tty)),
    BOOL(15, "stdout_tty", AT(msg_spawn, stdout_tty)),
    BOOL(16, "stderr_tty", AT(msg_spawn, stderr_tty)),
    NUMBER(17, "term_rows", AT(msg_spawn, term_rows), 0, 65535),
    NUMBER(18, "term_cols", AT(msg_spawn, term_cols), 0, 65535),
    LIST(19, "fd_targets", MSG_NUMBER_LIST, AT(msg_spawn, fd_targets), 0, 65535, MSG_FD_TARGETS_MAX,
         0),
};

static const struct msg_field signal_fields[] = {
    TEXT(1, "job", AT(msg_signal, job), 1, JOB_LEN),
    NUMBER(2, "signo", AT(msg_signal, signo), 1, 64),
};

static const struct msg_field plan_fields[] = {
    CHOICE(msg_plan),
    BOOL(12, "json", AT(msg_plan, json)),
};

static const struct msg_field status_fields[] = {
    ENUM(1, "report", AT(msg_status, report), MSG_REPORT_STATUS, MSG_REPORT_JOBS),
    BOOL(2, "json", AT(msg_status, json)),
};

static const struct msg_field kill_fields[] = {
    TEXT(1, "job", AT(msg_kill, job), 1, JOB_LEN),
    NUMBER(2, "signo", AT(msg_kill, signo), 1, 64),
};

static const struct msg_field reload_fields[] = {
    BOOL(1, "json", AT(msg_reload, json)),
};

static const struct msg_field violations_fields[] = {
    BOOL(1, "follow", AT(msg_violations, follow)),
};

static const struct msg_field welcome_fields[] = {
    NUMBER(1, "protocol", AT(msg_welcome, protocol), 1, U32_MAX),
    TEXT(2, "broker_version", AT(msg_welcome, broker_version), 0, WORD_LEN),
    ENUM(3, "mode", AT(msg_welcome, mode), MSG_BROKER_EMBEDDED, MSG_BROKER_SERVICE),
};

static const struct msg_field started_fields[] = {
    TEXT(1, "job", AT(msg_started, job), 1, JOB_LEN),
    BOOL(2, "terminal", AT(msg_started, terminal)),
    LIST(3, "notices", MSG_BYTES_LIST, AT(msg_started, notices), 0, KIB, 32, 0),
};

static const struct msg_field exited_fields[] = {
    TEXT(1, "job", AT(msg_exited, job), 1, JOB_LEN),
    ENUM(2, "kind", AT(msg_exited, kind), MSG_EXIT_EXITED, MSG_EXIT_KILLED),
    NUMBER(3, "code", AT(msg_exited, code), 0, 255),
    NUMBER(4, "violations", AT(msg_exited, violations), 0, U32_MAX),
    BYTES(5, "reason", AT(msg_exited, reason), 0, REASON_LEN),
};

static const struct msg_field failed_fields[] = {
    ENUM(1, "err", AT(msg_failed, err), CORDON_E_NOMEM, CORDON_ERR_COUNT - 1),
    BYTES(2, "text", AT(msg_failed, text), 0, KIB),
    BYTES(3, "remedy", AT(msg_failed, remedy), 0, KIB),
    NUMBER(4, "exit_status", AT(msg_failed, exit_status), 1, 127),
};

static const struct msg_field plan_text_fields[] = {
    BYTES(1, "text", AT(msg_plan_text, text), 0, 16U * KIB * KIB - 64),
};

static const struct msg_field status_text_fields[] = {
    BYTES(1, "text", AT(msg_status_text, text), 0, 4U * KIB * KIB - 64),
    BOOL(2, "failed", AT(msg_status_text, failed)),
};

static const struct msg_field violation_fields[] = {
    TEXT(1, "operation", AT(msg_violation, operation), 1, JOB_LEN),
    BYTES(2, "path", AT(msg_violation, path), 0, PATH_LEN),
    BYTES(3, "rule", AT(msg_violation, rule), 0, PATH_LEN),
    BYTES(4, "origin", AT(msg_violation, origin), 0, PATH_LEN + WORD_LEN),
    BYTES(5, "comm", AT(msg_violation, comm), 0, WORD_LEN),
    NUMBER(6, "pid", AT(msg_violation, pid), 0, U32_MAX),
    TEXT(7, "job", AT(msg_violation, job), 0, JOB_LEN),
    NUMBER(8, "uid", AT(msg_violation, uid), 0, U32_MAX),
    TEXT(9, "time", AT(msg_violation, time), 0, JOB_LEN),
    TEXT(10, "mechanism", AT(msg_violation, mechanism), 0, JOB_LEN),
};

static const struct msg_field violations_told_fields[] = {
    NUMBER(1, "missed", AT(msg_violations_told, missed), 0, U32_MAX),
    BOOL(2, "last", AT(msg_violations_told, last)),
};

#define SHAPE(type, table)                                                                         \
    {                                                                                              \
        type, table, sizeof(table) / sizeof((table)[0])                                            \
    }

static const struct msg_shape shapes[] = {
    SHAPE(CORDON_MSG_HELLO, hello_fields),
    SHAPE(CORDON_MSG_SPAWN, spawn_fields),
    SHAPE(CORDON_MSG_SIGNAL, signal_fields),
    SHAPE(CORDON_MSG_PLAN, plan_fields),
    SHAPE(CORDON_MSG_STATUS, status_fields),
    {CORDON_MSG_BYE, NULL, 0},
    SHAPE(CORDON_MSG_VIOLATIONS, violations_fields),
    SHAPE(CORDON_MSG_KILL, kill_fields),
    SHAPE(CORDON_MSG_RELOAD, reload_fields),
    SHAPE(CORDON_MSG_WELCOME, welcome_fields),
    SHAPE(CORDON_MSG_STARTED, started_fields),
    SHAPE(CORDON_MSG_EXITED, exited_fields),
    SHAPE(CORDON_MSG_FAILED, failed_fields),
    SHAPE(CORDON_MSG_PLAN_TEXT, plan_text_fields),
    SHAPE(CORDON_MSG_STATUS_TEXT, status_text_fields),
    SHAPE(CORDON_MSG_VIOLATION, violation_fields),
    SHAPE(CORDON_MSG_VIOLATIONS_TOLD, violations_told_fields),
};

const struct msg_shape *msg_shape_find(enum cordon_msg_type type)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (shapes[i].type == type) {
            return &shapes[i];
        }
    }
    return NULL;
}

const struct msg_field *msg_field_find(const struct msg_shape *shape, uint32_t number)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        if (shape->fields[i].number == number) {
            return &shape->fields[i];
        }
    }
    return NULL;
}

bool msg_field_is_list(const struct msg_field *field)
{
    return field->count_max > 0;
}

/* Members are copied by memcpy: the table knows offsets, the compiler types. */
static void member_get(const struct message *message, const struct msg_field *field, void *ret,
                       size_t size)
{
    memcpy(ret, (const unsigned char *)&message->u + field->offset, size);
}

static void member_set(struct message *message, const struct msg_field *field, const void *value,
                       size_t size)
{
    memcpy((unsigned char *)&message->u + field->offset, value, size);
}

uint32_t msg_get_number(const struct message *message, const struct msg_field *field)
{
    uint32_t number = 0;
    bool flag = false;

    if (field->kind == MSG_BOOL) {
        member_get(message, field, &flag, sizeof(flag));
        return flag ? 1 : 0;
    }
    _Static_assert(sizeof(enum msg_os) == sizeof(number), "enums are copied as 32 bits");
    member_get(message, field, &number, sizeof(number));
    return number;
}

const char *msg_get_string(const struct message *message, const struct msg_field *field)
{
    const char *text = NULL;

    member_get(message, field, &text, sizeof(text));
    return text;
}

struct msg_list msg_get_list(const struct message *message, const struct msg_field *field)
{
    struct msg_list list;

    member_get(message, field, &list, sizeof(list));
    return list;
}

struct msg_numbers msg_get_numbers(const struct message *message, const struct msg_field *field)
{
    struct msg_numbers numbers;

    member_get(message, field, &numbers, sizeof(numbers));
    return numbers;
}

void msg_set_number(struct message *message, const struct msg_field *field, uint32_t value)
{
    bool flag = value != 0;

    if (field->kind == MSG_BOOL) {
        member_set(message, field, &flag, sizeof(flag));
    } else {
        member_set(message, field, &value, sizeof(value));
    }
}

void msg_set_string(struct message *message, const struct msg_field *field, const char *value)
{
    member_set(message, field, &value, sizeof(value));
}

void msg_set_list(struct message *message, const struct msg_field *field, struct msg_list value)
{
    member_set(message, field, &value, sizeof(value));
}

void msg_set_numbers(struct message *message, const struct msg_field *field,
                     struct msg_numbers value)
{
    member_set(message, field, &value, sizeof(value));
}
