/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schema.h"

#include <stdio.h>
#include <string.h>

#include "policy/spelling.h"
#include "policy/suggest.h"

#define SUGGEST_MAX 64U

static const char *const type_names[] = {
    [TOML_BOOL] = "true or false", [TOML_INT] = "a whole number", [TOML_FLOAT] = "a number",
    [TOML_TIME] = "a date",        [TOML_STRING] = "a string",    [TOML_ARRAY] = "an array",
    [TOML_TABLE] = "a table"};

static const char *place_name(const struct place *place)
{
    while (place->key == NULL && place->up != NULL) {
        place = place->up;
    }
    return place->key;
}

static enum cordon_err check_type(const struct schema_check *check, const struct place *place,
                                  const struct toml_value *value, enum toml_type want)
{
    char quoted[PLACE_QUOTE_MAX];

    if (value->type == want) {
        return CORDON_OK;
    }
    return place_fail(check->fault, CORDON_E_INVALID, &value->pos, NULL, "%s must be %s, not %s",
                      place_quote(place_name(place), quoted), type_names[want],
                      type_names[value->type]);
}

static const char *did_you_mean(const char *word, char *ret_text, size_t size)
{
    if (word == NULL) {
        return NULL;
    }
    (void)snprintf(ret_text, size, "did you mean \"%s\"?", word);
    return ret_text;
}

static enum cordon_err check_word(const struct schema_check *check, const char *const *words,
                                  const struct place *place, const struct toml_value *value)
{
    char remedy[CORDON_FAULT_REMEDY_MAX];
    char quoted[PLACE_QUOTE_MAX];
    char name[PLACE_QUOTE_MAX];
    size_t count = 0;

    for (; words[count] != NULL; count++) {
        if (strcmp(words[count], value->as.text) == 0) {
            return CORDON_OK;
        }
    }
    return place_fail(check->fault, CORDON_E_INVALID, &value->pos,
                      did_you_mean(suggest(value->as.text, words, count), remedy, sizeof(remedy)),
                      "%s is not a value of %s", place_quote(value->as.text, quoted),
                      place_quote(place_name(place), name));
}

static enum cordon_err check_uint(const struct schema_check *check, const struct schema_key *key,
                                  const struct place *place, const struct toml_value *value)
{
    char quoted[PLACE_QUOTE_MAX];
    enum cordon_err err = check_type(check, place, value, TOML_INT);

    if (err != CORDON_OK) {
        return err;
    }
    if (value->as.integer < key->min || value->as.integer > key->max) {
        return place_fail(check->fault, CORDON_E_INVALID, &value->pos, NULL,
                          "%s must be between %u and %u", place_quote(place_name(place), quoted),
                          key->min, key->max);
    }
    return CORDON_OK;
}

/* An entry of [permissions.NAME.filesystem]: "path" = word, or = { "sub" = word }. */
static enum cordon_err check_access_word(const struct schema_check *check,
                                         const struct place *place, const struct toml_value *value,
                                         enum policy_access *ret_access)
{
    static const char *const words[] = {"read", "write", "deny", "none", NULL};
    enum cordon_err err = check_type(check, place, value, TOML_STRING);

    if (err == CORDON_OK) {
        err = check_word(check, words, place, value);
    }
    if (err == CORDON_OK) {
        (void)schema_access(value->as.text, ret_access);
    }
    return err;
}

static enum cordon_err check_scope(const struct schema_check *check, const struct place *place,
                                   const struct toml_value *table)
{
    struct spelling spelling;
    enum cordon_err err =
        spelling_parse(place->key, ACCESS_READ, &place->pos, &spelling, check->fault);

    if (err == CORDON_OK && !spelling.scoped) {
        err = place_fail(check->fault, CORDON_E_INVALID, &place->pos, NULL,
                         "%s cannot have a table of sub-paths", place->key);
    }
    for (size_t i = 0; err == CORDON_OK && i < table->count; i++) {
        const struct toml_entry *entry = &table->as.entries[i];
        const struct place below = {place, entry->key, 0, entry->pos};
        enum policy_access access;

        err = check_access_word(check, &below, &entry->value, &access);
        if (err == CORDON_OK) {
            err = spelling_parse_sub(entry->key, access, &entry->pos, &spelling, check->fault);
        }
    }
    return err;
}

static enum cordon_err check_access(const struct schema_check *check, const struct place *place,
                                    const struct toml_value *value)
{
    struct spelling spelling;
    enum policy_access access;
    enum cordon_err err;

    if (value->type == TOML_TABLE) {
        return check_scope(check, place, value);
    }
    err = check_access_word(check, place, value, &access);
    if (err == CORDON_OK) {
        err = spelling_parse(place->key, access, &place->pos, &spelling, check->fault);
    }
    return err;
}

static enum cordon_err check_table(const struct schema_check *check, const struct schema *schema,
                                   const struct place *place, const struct toml_value *table);

static enum cordon_err check_item(const struct schema_check *check, const struct schema_key *key,
                                  const struct place *place, const struct toml_value *item)
{
    enum cordon_err err;
    struct spelling spelling;

    if (key->kind == SCHEMA_TABLES) {
        err = check_type(check, place, item, TOML_TABLE);
        return err != CORDON_OK ? err : check_table(check, key->inner, place, item);
    }
    err = check_type(check, place, item, TOML_STRING);
    if (err == CORDON_OK && key->kind == SCHEMA_DENIES) {
        err = spelling_parse_managed(item->as.text, &item->pos, &spelling, check->fault);
    }
    if (err == CORDON_OK && key->words != NULL) {
        err = check_word(check, key->words, place, item);
    }
    return err;
}

static enum cordon_err check_array(const struct schema_check *check, const struct schema_key *key,
                                   const struct place *place, const struct toml_value *array)
{
    enum cordon_err err = check_type(check, place, array, TOML_ARRAY);

    for (size_t i = 0; err == CORDON_OK && i < array->count; i++) {
        const struct toml_value *item = &array->as.items[i];
        const struct place below = {place, NULL, i, item->pos};

        err = check_item(check, key, &below, item);
    }
    return err;
}

static enum cordon_err check_string(const struct schema_check *check, const struct schema_key *key,
                                    const struct place *place, const struct toml_value *value)
{
    enum cordon_err err = check_type(check, place, value, TOML_STRING);

    return err != CORDON_OK || key->words == NULL ? err
                                                  : check_word(check, key->words, place, value);
}

static enum cordon_err check_value(const struct schema_check *check, const struct schema_key *key,
                                   const struct place *place, const struct toml_value *value)
{
    enum cordon_err err;

    switch (key->kind) {
    case SCHEMA_BOOL:
        return check_type(check, place, value, TOML_BOOL);
    case SCHEMA_UINT:
        return check_uint(check, key, place, value);
    case SCHEMA_STRING:
        return check_string(check, key, place, value);
    case SCHEMA_STRINGS:
    case SCHEMA_DENIES:
    case SCHEMA_TABLES:
        return check_array(check, key, place, value);
    case SCHEMA_TABLE:
        err = check_type(check, place, value, TOML_TABLE);
        return err != CORDON_OK ? err : check_table(check, key->inner, place, value);
    case SCHEMA_ACCESS:
        return check_access(check, place, value);
    case SCHEMA_UNENFORCED:
        return check->warn(check->warn_context, place, "is known and not enforced by cordon");
    case SCHEMA_FOREIGN:
        break;
    }
    return CORDON_OK;
}

static const char *nearest_key(const struct schema *schema, const char *key)
{
    const char *words[SUGGEST_MAX];
    size_t count = 0;

    for (size_t i = 0; i < schema->count && count < SUGGEST_MAX; i++) {
        if (schema->keys[i].kind != SCHEMA_FOREIGN) {
            words[count++] = schema->keys[i].name;
        }
    }
    return suggest(key, words, count);
}

static bool schema_has(const struct schema *schema, const char *key)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->keys[i].kind != SCHEMA_FOREIGN && strcmp(schema->keys[i].name, key) == 0) {
            return true;
        }
    }
    return false;
}

static enum cordon_err unknown_key(const struct schema_check *check, const struct schema *schema,
                                   const struct place *place)
{
    const char *near = nearest_key(schema, place->key);
    char remedy[CORDON_FAULT_REMEDY_MAX] = "";
    char quoted[PLACE_QUOTE_MAX];

    if (near == NULL && schema->unknown == UNKNOWN_IS_FOREIGN) {
        return CORDON_OK;
    }
    (void)did_you_mean(near, remedy, sizeof(remedy));
    for (size_t i = 0; near == NULL && remedy[0] == '\0' && i < check->all_count; i++) {
        const struct schema *other = check->all[i];
        const char *there =
            schema_has(other, place->key) ? place->key : nearest_key(other, place->key);

        if (there != NULL) {
            (void)snprintf(remedy, sizeof(remedy), "\"%s\" belongs in %s", there, other->title);
        }
    }
    return place_fail(check->fault, CORDON_E_INVALID, &place->pos, remedy, "unknown key %s in %s",
                      place_quote(place->key, quoted), schema->title);
}

static const struct schema_key *find_key(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->keys[i].name, name) == 0) {
            return &schema->keys[i];
        }
    }
    return schema->unknown == UNKNOWN_IS_NAME ? schema->each : NULL;
}

/* In a table of names, a slip in one of our keys must not become a name. */
static bool is_slip(const struct schema *schema, const struct schema_key *key, const char *name)
{
    return key == schema->each && schema->each != NULL && schema->count > 0 &&
           schema->each->kind == SCHEMA_ACCESS && nearest_key(schema, name) != NULL;
}

static enum cordon_err check_table(const struct schema_check *check, const struct schema *schema,
                                   const struct place *place, const struct toml_value *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct toml_entry *entry = &table->as.entries[i];
        const struct schema_key *key = find_key(schema, entry->key);
        const struct place below = {place, entry->key, 0, entry->pos};
        enum cordon_err err;

        if (key == NULL || is_slip(schema, key, entry->key)) {
            err = unknown_key(check, schema, &below);
        } else {
            err = check_value(check, key, &below, &entry->value);
        }
        if (err != CORDON_OK) {
            return err;
        }
    }
    return CORDON_OK;
}

enum cordon_err schema_check(const struct schema_check *check, const struct schema *schema,
                             const struct toml_value *table)
{
    return check_table(check, schema, NULL, table);
}
