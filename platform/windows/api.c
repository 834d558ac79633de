/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct word {
    uint32_t code;
    enum cordon_err err;
    const char *text;
};

static const struct word words[] = {
    {API_NO_MEMORY, CORDON_E_NOMEM, "no memory"},
    {API_FILE_NOT_FOUND, CORDON_E_NOT_FOUND, "no such object"},
    {API_PATH_NOT_FOUND, CORDON_E_NOT_FOUND, "no such path"},
    {API_ACCESS_DENIED, CORDON_E_DENIED, "access denied"},
    {API_SHARING_VIOLATION, CORDON_E_OS, "in use by another process"},
    {API_FILE_EXISTS, CORDON_E_OS, "exists already"},
    {API_ALREADY_EXISTS, CORDON_E_OS, "exists already"},
    {API_INSUFFICIENT_BUFFER, CORDON_E_LIMIT, "too large"},
    {API_DIR_NOT_EMPTY, CORDON_E_OS, "not empty"},
};

bool api_is_absent(uint32_t code)
{
    return code == API_FILE_NOT_FOUND || code == API_PATH_NOT_FOUND;
}

bool api_has_id(const struct api_id *id)
{
    return id->volume != 0 || id->file != 0;
}

bool api_same_id(const struct api_id *a, const struct api_id *b)
{
    return api_has_id(a) && a->volume == b->volume && a->file == b->file;
}

uint32_t api_act(const struct api *api, api_handle who, bool *ret_acts)
{
    const uint32_t code = who == 0 ? API_OK : api->impersonate(api->self, who);

    *ret_acts = who != 0 && code == API_OK;
    return code;
}

void api_act_end(const struct api *api, bool acts)
{
    /* Going on as somebody else is not an option, nor is going on as the service might be. */
    if (acts && api->revert(api->self) != API_OK) {
        abort();
    }
}

enum cordon_err api_fault(struct cordon_fault *fault, uint32_t code, const char *remedy,
                          const char *fmt, ...)
{
    struct word found = {code, CORDON_E_OS, "failed"};
    char text[CORDON_FAULT_TEXT_MAX];
    enum cordon_err err;
    va_list args;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].code == code) {
            found = words[i];
        }
    }
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err = fault_set(fault, found.err, remedy, "%.600s: %s (error %u)", text, found.text,
                    (unsigned)code);
    if (fault != NULL) {
        fault->os_code = (int)code;
    }
    return err;
}
