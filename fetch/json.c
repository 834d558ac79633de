/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/json.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "platform/base/number.h"

/* A struct json is a cJSON under a name that does not carry the library around. */
static const cJSON *of(const struct json *value)
{
    return (const cJSON *)value;
}

struct json *json_parse(const char *text, size_t len)
{
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text, len, &end, 0);

    while (root != NULL && end < text + len && strchr(" \t\r\n", *end) != NULL && *end != '\0') {
        end++;
    }
    if (root != NULL && end != text + len) {
        cJSON_Delete(root);
        root = NULL;
    }
    return (struct json *)root;
}

void json_free(struct json *root)
{
    cJSON_Delete((cJSON *)root);
}

const struct json *json_member(const struct json *object, const char *name)
{
    return (const struct json *)cJSON_GetObjectItemCaseSensitive(of(object), name);
}

const struct json *json_first(const struct json *array)
{
    return cJSON_IsArray(of(array)) ? (const struct json *)of(array)->child : NULL;
}

const struct json *json_last(const struct json *array)
{
    const cJSON *item = of(json_first(array));

    while (item != NULL && item->next != NULL) {
        item = item->next;
    }
    return (const struct json *)item;
}

bool json_is_true(const struct json *value)
{
    return cJSON_IsTrue(of(value)) != 0;
}

const char *json_text(const struct json *value)
{
    return cJSON_GetStringValue(of(value));
}

bool json_uint64(const struct json *value, uint64_t *ret_number)
{
    const char *text = json_text(value);

    return text != NULL && number_parse(text, UINT64_MAX, ret_number);
}
