/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/policy/tool.h"
#include "platform/base/jsonw.h"

/* The key of the command line, or those of this host. */
static enum cordon_err find_keys(struct tool *tool, struct signature_key *one,
                                 struct envelope_keys *ret_keys, struct cordon_fault *fault)
{
    const struct managed_places places = MANAGED_PLACES;
    const char *hex = tool->cli->public_key;
    struct fetch_config *config;
    enum cordon_err err;

    if (hex != NULL) {
        *ret_keys = (struct envelope_keys){one, 1};
        return strlen(hex) == 2 * SIGNATURE_KEY &&
                       signature_from_hex(hex, strlen(hex), one->bytes, SIGNATURE_KEY)
                   ? CORDON_OK
                   : fault_set(fault, CORDON_E_INVALID, NULL,
                               "--public-key: a key is %u lower-case hexadecimal digits",
                               2 * SIGNATURE_KEY);
    }
    config = arena_alloc(&tool->arena, sizeof(*config));
    if (config == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    err = fetched_config(&places, &tool->arena, config, fault);
    if (err == CORDON_E_NOT_FOUND) {
        return fault_set(fault, err, "give --public-key KEY", FETCHED_CONFIG ": not there");
    }
    *ret_keys = (struct envelope_keys){config->keys, config->key_count};
    return err;
}

int verb_verify(struct tool *tool)
{
    struct policy_document document = {.layer = LAYER_MANAGED, .path = tool->cli->operand[0]};
    struct jsonw json = JSONW_INIT(&tool->out);
    struct cordon_fault fault = {0};
    struct signature_key one;
    struct envelope_keys keys;
    struct envelope envelope;
    enum cordon_err err = find_keys(tool, &one, &keys, &fault);

    if (err == CORDON_OK) {
        err = tool_read(tool, &document, &fault);
    }
    if (err == CORDON_OK) {
        err = envelope_verify(document.text, document.len, &keys, &envelope, &fault);
    }
    if (err != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    if (!tool->json) {
        strbuf_printf(&tool->out, "generation %llu, not after %llu, key %s: valid\n",
                      (unsigned long long)envelope.generation,
                      (unsigned long long)envelope.not_after, envelope.key);
        return 0;
    }
    jsonw_object(&json, NULL);
    jsonw_bool(&json, "valid", true);
    jsonw_uint(&json, "generation", envelope.generation);
    jsonw_uint(&json, "not_after", envelope.not_after);
    jsonw_string(&json, "key", envelope.key);
    jsonw_object_end(&json);
    jsonw_newline(&json);
    return 0;
}
