/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/validate.h"

#include <string.h>

struct utf8_form {
    unsigned char mask; /* bits of the first byte that tell the form */
    unsigned char lead; /* their value */
    unsigned more;      /* bytes that follow */
    uint32_t least;     /* smaller values have a shorter form */
};

static const struct utf8_form utf8_forms[] = {
    {0x80, 0x00, 0, 0},
    {0xe0, 0xc0, 1, 0x80},
    {0xf0, 0xe0, 2, 0x800},
    {0xf8, 0xf0, 3, 0x10000},
};

/* Bytes of the character at @text; 0: it is not UTF-8. */
static size_t utf8_char(const unsigned char *text, size_t len)
{
    const struct utf8_form *form = utf8_forms;
    uint32_t value;

    while ((text[0] & form->mask) != form->lead) {
        if (++form == utf8_forms + sizeof(utf8_forms) / sizeof(utf8_forms[0])) {
            return 0;
        }
    }
    if (form->more >= len) {
        return 0;
    }
    value = text[0] & (unsigned char)~form->mask;
    for (unsigned i = 1; i <= form->more; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (text[i] & 0x3fU);
    }
    if (value < form->least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    return form->more + 1;
}

bool validate_utf8(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;

    while (len > 0) {
        size_t used = utf8_char(at, len);

        if (used == 0) {
            return false;
        }
        at += used;
        len -= used;
    }
    return true;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static enum cordon_err string_check(const struct msg_field *field, const char *text,
                                    struct cordon_fault *fault)
{
    bool utf8 = field->kind == MSG_TEXT || field->kind == MSG_TEXT_LIST;
    size_t len = strnlen(text, (size_t)field->max + 1);

    if (len > field->max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s is longer than %u bytes", field->name,
                         field->max);
    }
    if (utf8 && !validate_utf8(text, len)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "%s is not UTF-8", field->name);
    }
    return CORDON_OK;
}

static enum cordon_err missing(const struct msg_field *field, struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_INVALID, NULL, "%s is missing", field->name);
}

static enum cordon_err check_string(const struct message *message, const struct msg_field *field,
                                    struct cordon_fault *fault)
{
    const char *text = or_empty(msg_get_string(message, field));

    if (field->min > 0 && text[0] == '\0') {
        return missing(field, fault);
    }
    return string_check(field, text, fault);
}

static enum cordon_err check_number(const struct message *message, const struct msg_field *field,
                                    struct cordon_fault *fault)
{
    uint32_t value = msg_get_number(message, field);

    if (value < field->min || value > field->max) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "%s is %u, not from %u to %u", field->name,
                         value, field->min, field->max);
    }
    return CORDON_OK;
}

static enum cordon_err check_count(const struct msg_field *field, size_t entries,
                                   struct cordon_fault *fault)
{
    if (entries < field->min) {
        return missing(field, fault);
    }
    if (entries > field->count_max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s has more than %u entries", field->name,
                         field->count_max);
    }
    return CORDON_OK;
}

static size_t list_total(const struct msg_list *list)
{
    size_t total = 0;

    for (size_t i = 0; i < list->count; i++) {
        total += strlen(list->items[i]) + 1;
    }
    return total;
}

static enum cordon_err check_list(const struct message *message, const struct msg_field *field,
                                  struct cordon_fault *fault)
{
    struct msg_list list = msg_get_list(message, field);
    enum cordon_err err = check_count(field, list.count, fault);

    for (size_t i = 0; err == CORDON_OK && i < list.count; i++) {
        err = string_check(field, list.items[i], fault);
    }
    if (err == CORDON_OK && field->total_max > 0 && list_total(&list) > field->total_max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s takes more than %u bytes", field->name,
                         field->total_max);
    }
    return err;
}

static enum cordon_err check_numbers(const struct message *message, const struct msg_field *field,
                                     struct cordon_fault *fault)
{
    struct msg_numbers numbers = msg_get_numbers(message, field);
    enum cordon_err err = check_count(field, numbers.count, fault);

    for (size_t i = 0; err == CORDON_OK && i < numbers.count; i++) {
        if (numbers.items[i] > field->max) {
            err = fault_set(fault, CORDON_E_INVALID, NULL, "%s has %u, over %u", field->name,
                            numbers.items[i], field->max);
        }
    }
    return err;
}

typedef enum cordon_err (*kind_check)(const struct message *message, const struct msg_field *field,
                                      struct cordon_fault *fault);

static const kind_check kind_checks[] = {
    [MSG_BOOL] = check_number,     [MSG_NUMBER] = check_number,       [MSG_ENUM] = check_number,
    [MSG_TEXT] = check_string,     [MSG_BYTES] = check_string,        [MSG_TEXT_LIST] = check_list,
    [MSG_BYTES_LIST] = check_list, [MSG_NUMBER_LIST] = check_numbers,
};

/* What no single field shows. */

static enum cordon_err hello_check(const struct message *message, struct cordon_fault *fault)
{
    const struct msg_hello *hello = &message->u.hello;

    if (hello->protocol_min > hello->protocol_max) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "protocol_min is over protocol_max");
    }
    return CORDON_OK;
}

/* Standard streams have places of their own, and a number taken twice would lose one. */
static enum cordon_err targets_check(const struct msg_numbers *targets, struct cordon_fault *fault)
{
    for (size_t i = 0; i < targets->count; i++) {
        bool taken = targets->items[i] < 3;

        for (size_t j = 0; j < i; j++) {
            taken = taken || targets->items[i] == targets->items[j];
        }
        if (taken) {
            return fault_set(fault, CORDON_E_INVALID, NULL, "fd_targets names %u, already taken",
                             targets->items[i]);
        }
    }
    return CORDON_OK;
}

static enum cordon_err spawn_check(const struct message *message, struct cordon_fault *fault)
{
    const struct msg_spawn *spawn = &message->u.spawn;

    if (spawn->argv.items[0][0] == '\0') {
        return fault_set(fault, CORDON_E_INVALID, "name a command", "argv[0] is empty");
    }
    if (list_total(&spawn->argv) + list_total(&spawn->env) > MSG_ARGS_TOTAL_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "argv and env take more than %u bytes",
                         MSG_ARGS_TOTAL_MAX);
    }
    return targets_check(&spawn->fd_targets, fault);
}

struct code_range {
    uint32_t min;
    uint32_t max;
};

static const struct code_range exit_codes[] = {
    [MSG_EXIT_EXITED] = {0, 255}, [MSG_EXIT_SIGNALLED] = {1, 64},
    [MSG_EXIT_TIMEOUT] = {0, 0},  [MSG_EXIT_SETUP_FAILED] = {125, 127},
    [MSG_EXIT_KILLED] = {0, 0},
};

static enum cordon_err exited_check(const struct message *message, struct cordon_fault *fault)
{
    const struct msg_exited *exited = &message->u.exited;
    const struct code_range *range = &exit_codes[exited->kind];

    if (exited->code < range->min || exited->code > range->max) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "code %u does not fit kind %u",
                         exited->code, (unsigned)exited->kind);
    }
    return CORDON_OK;
}

static enum cordon_err failed_check(const struct message *message, struct cordon_fault *fault)
{
    uint32_t status = message->u.failed.exit_status;

    if (status > 2 && status < 124) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "exit_status %u means nothing", status);
    }
    return CORDON_OK;
}

struct relation {
    enum cordon_msg_type type;
    enum cordon_err (*check)(const struct message *message, struct cordon_fault *fault);
};

static const struct relation relations[] = {
    {CORDON_MSG_HELLO, hello_check},
    {CORDON_MSG_SPAWN, spawn_check},
    {CORDON_MSG_EXITED, exited_check},
    {CORDON_MSG_FAILED, failed_check},
};

enum cordon_err validate_message(const struct msg_shape *shape, const struct message *message,
                                 struct cordon_fault *fault)
{
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < shape->field_count; i++) {
        err = kind_checks[shape->fields[i].kind](message, &shape->fields[i], fault);
    }
    for (size_t i = 0; err == CORDON_OK && i < sizeof(relations) / sizeof(relations[0]); i++) {
        if (relations[i].type == shape->type) {
            err = relations[i].check(message, fault);
        }
    }
    return err;
}
