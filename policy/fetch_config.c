/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/fetch_config.h"

#include <string.h>

#include "policy/tree.h"

#define TEXT(name)                                                                                 \
    {                                                                                              \
        (name), SCHEMA_STRING, NULL, NULL, 0, 0                                                    \
    }
#define SECONDS(name, most)                                                                        \
    {                                                                                              \
        (name), SCHEMA_UINT, NULL, NULL, 1, (most)                                                 \
    }
#define DAY 86400U
#define DEFAULT_INTERVAL_S 60U
#define DEFAULT_TIMEOUT_S 10U

static const char *const stale_words[] = {"keep", "refuse", NULL};
static const char *const first_words[] = {"refuse", "allow", NULL};

static const struct schema_key etcd_keys[] = {
    {"endpoints", SCHEMA_STRINGS, NULL, NULL, 0, 0},
    TEXT("key"),
};
static const struct schema etcd = {"[etcd]", etcd_keys, sizeof(etcd_keys) / sizeof(etcd_keys[0]),
                                   UNKNOWN_IS_ERROR, NULL};
static const struct schema_key fetch_keys[] = {
    TEXT("url"),
    {"etcd", SCHEMA_TABLE, &etcd, NULL, 0, 0},
    {"public_keys", SCHEMA_STRINGS, NULL, NULL, 0, 0},
    TEXT("ca_file"),
    TEXT("client_cert"),
    TEXT("client_key"),
    SECONDS("interval_s", DAY),
    SECONDS("timeout_s", 600),
    SECONDS("max_age_s", 366 * DAY),
    {"max_bytes", SCHEMA_UINT, NULL, NULL, 1024, ENVELOPE_MAX},
    {"when_stale", SCHEMA_STRING, NULL, stale_words, 0, 0},
    {"before_first", SCHEMA_STRING, NULL, first_words, 0, 0},
};
const struct schema schema_fetch = {
    "fetch.toml", fetch_keys, sizeof(fetch_keys) / sizeof(fetch_keys[0]), UNKNOWN_IS_ERROR, NULL};

static enum cordon_err no_warning(void *context, const struct place *place, const char *text)
{
    (void)context;
    (void)place;
    (void)text;
    return CORDON_OK;
}

static enum cordon_err check(const struct toml_value *table, struct cordon_fault *fault)
{
    static const struct schema *const all[] = {&schema_fetch, &etcd};
    const struct schema_check check = {all, sizeof(all) / sizeof(all[0]), no_warning, NULL, fault};

    return schema_check(&check, &schema_fetch, table);
}

static bool starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Plain HTTP only as far as this host: a proxy or a tunnel. */
static bool is_address(const char *text)
{
    static const char *const starts_with[] = {"https://", "http://127.0.0.1:", "http://[::1]:"};
    bool allowed = false;

    for (size_t i = 0; i < sizeof(starts_with) / sizeof(starts_with[0]); i++) {
        allowed =
            allowed || (starts(text, starts_with[i]) && strlen(text) > strlen(starts_with[i]));
    }
    /* It is part of the origin of every rule: printable, one word, and no password in it. */
    for (const char *at = text; *at != '\0'; at++) {
        allowed = allowed && *at > ' ' && *at <= '~' && *at != '@' && *at != '#';
    }
    return allowed && strlen(text) <= 1024;
}

static enum cordon_err take_address(const struct toml_value *value, struct cordon_fault *fault)
{
    char quoted[PLACE_QUOTE_MAX];

    if (is_address(value->as.text)) {
        return CORDON_OK;
    }
    return place_fail(fault, CORDON_E_INVALID, &value->pos, "give an https address",
                      "%s is no address to fetch from", place_quote(value->as.text, quoted));
}

static enum cordon_err take_etcd(const struct toml_value *table,
                                 const struct toml_value *etcd_table, struct fetch_config *config,
                                 struct cordon_fault *fault)
{
    const struct toml_value *endpoints = tree_get(etcd_table, "endpoints");
    enum cordon_err err = CORDON_OK;

    config->etcd_key = tree_text(etcd_table, "key", "");
    if (endpoints == NULL || endpoints->count == 0 || endpoints->count > FETCH_ENDPOINTS_MAX ||
        config->etcd_key[0] == '\0' || strlen(config->etcd_key) > 1024) {
        return place_fail(fault, CORDON_E_INVALID, &etcd_table->pos, NULL,
                          "[etcd] needs a key and 1 to %u endpoints", FETCH_ENDPOINTS_MAX);
    }
    for (const char *at = config->etcd_key; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '#') {
            return place_fail(fault, CORDON_E_INVALID, &etcd_table->pos, NULL,
                              "the key of [etcd] must be printable ASCII without space and #");
        }
    }
    if (tree_get(table, "url") != NULL) {
        return place_fail(fault, CORDON_E_INVALID, &etcd_table->pos, "remove one of them",
                          "both url and [etcd] are given");
    }
    for (size_t i = 0; err == CORDON_OK && i < endpoints->count; i++) {
        const char *text = endpoints->as.items[i].as.text;

        err = take_address(&endpoints->as.items[i], fault);
        config->endpoints[config->endpoint_count++] = text;
    }
    return err;
}

static enum cordon_err take_source(const struct toml_value *table, struct arena *arena,
                                   struct fetch_config *config, struct cordon_fault *fault)
{
    const struct toml_value *url = tree_get(table, "url");
    const struct toml_value *etcd_table = tree_get(table, "etcd");
    enum cordon_err err;

    if (etcd_table != NULL) {
        err = take_etcd(table, etcd_table, config, fault);
        config->source = err == CORDON_OK ? arena_printf(arena, "etcd:%s", config->etcd_key) : "";
        return config->source == NULL ? place_no_memory(fault) : err;
    }
    if (url == NULL) {
        return place_fail(fault, CORDON_E_INVALID, &table->pos, NULL,
                          "neither url nor [etcd] is given");
    }
    config->url = url->as.text;
    config->source = url->as.text;
    return take_address(url, fault);
}

static enum cordon_err take_keys(const struct toml_value *table, struct fetch_config *config,
                                 struct cordon_fault *fault)
{
    const struct toml_value *list = tree_get(table, "public_keys");

    if (list == NULL || list->count == 0 || list->count > FETCH_KEYS_MAX) {
        return place_fail(fault, CORDON_E_INVALID, list == NULL ? &table->pos : &list->pos,
                          "cordon policy keygen makes a key", "public_keys must name 1 to %u keys",
                          FETCH_KEYS_MAX);
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct toml_value *item = &list->as.items[i];

        if (item->count != 2 * SIGNATURE_KEY ||
            !signature_from_hex(item->as.text, item->count, config->keys[i].bytes, SIGNATURE_KEY)) {
            return place_fail(fault, CORDON_E_INVALID, &item->pos, NULL,
                              "a public key is %u lower-case hexadecimal digits",
                              2 * SIGNATURE_KEY);
        }
    }
    config->key_count = list->count;
    return CORDON_OK;
}

static enum cordon_err take_files(const struct toml_value *table, struct fetch_config *config,
                                  struct cordon_fault *fault)
{
    const struct {
        const char *key, **ret_path;
    } rows[] = {{"ca_file", &config->ca_file},
                {"client_cert", &config->client_cert},
                {"client_key", &config->client_key}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct toml_value *value = tree_get(table, rows[i].key);

        if (value != NULL && value->as.text[0] != '/') {
            return place_fail(fault, CORDON_E_INVALID, &value->pos, NULL,
                              "%s must be an absolute path", rows[i].key);
        }
        *rows[i].ret_path = value == NULL ? NULL : value->as.text;
    }
    if ((config->client_cert == NULL) != (config->client_key == NULL)) {
        return place_fail(fault, CORDON_E_INVALID, &table->pos, NULL,
                          "client_cert and client_key go together");
    }
    return CORDON_OK;
}

enum cordon_err fetch_config_parse(const char *file, const char *text, size_t len,
                                   struct arena *arena, struct fetch_config *ret_config,
                                   struct cordon_fault *fault)
{
    struct fetch_config config = {.url = NULL};
    struct toml_source *source = arena_alloc(arena, sizeof(*source));
    struct toml_value table;
    enum cordon_err err;

    if (source == NULL) {
        return place_no_memory(fault);
    }
    *source = (struct toml_source){LAYER_MANAGED, file, file};
    err = toml_parse(source, text, len, arena, &table, fault);
    if (err == CORDON_OK) {
        err = check(&table, fault);
    }
    if (err == CORDON_OK) {
        err = take_source(&table, arena, &config, fault);
    }
    if (err == CORDON_OK) {
        err = take_keys(&table, &config, fault);
    }
    if (err == CORDON_OK) {
        err = take_files(&table, &config, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    config.interval_s = tree_uint(&table, "interval_s", DEFAULT_INTERVAL_S);
    config.timeout_s = tree_uint(&table, "timeout_s", DEFAULT_TIMEOUT_S);
    config.max_age_s = tree_uint(&table, "max_age_s", DAY);
    config.max_bytes = tree_uint(&table, "max_bytes", ENVELOPE_MAX);
    config.refuse_stale = strcmp(tree_text(&table, "when_stale", "keep"), "refuse") == 0;
    config.allow_first = strcmp(tree_text(&table, "before_first", "refuse"), "allow") == 0;
    *ret_config = config;
    return CORDON_OK;
}
