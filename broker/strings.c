/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/strings.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/strbuf.h"
#include "platform/ipc.h"

static const char *const own_names[] = {
    "CODEX_SANDBOX=", "CODEX_SANDBOX_NETWORK_DISABLED=", "CORDON_JOB="};

static bool is_own(const char *variable)
{
    for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++) {
        if (strncmp(variable, own_names[i], strlen(own_names[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void put(struct strbuf *out, const char *text)
{
    strbuf_add(out, text, strlen(text) + 1);
}

static uint32_t put_environment(struct strbuf *out, const struct msg_list *env,
                                const struct strings_extra *extra)
{
    char job[64];
    uint32_t count = 2;

    for (size_t i = 0; i < env->count; i++) {
        if (!is_own(env->items[i])) {
            put(out, env->items[i]);
            count++;
        }
    }
    put(out, "CODEX_SANDBOX=cordon");
    if (!extra->network) {
        put(out, "CODEX_SANDBOX_NETWORK_DISABLED=1");
        count++;
    }
    (void)snprintf(job, sizeof(job), "CORDON_JOB=%s", extra->job);
    put(out, job);
    return count;
}

enum cordon_err strings_make(const struct msg_spawn *spawn, const struct strings_extra *extra,
                             struct channel_command *ret_command, int *ret_fd,
                             struct cordon_fault *fault)
{
    struct strbuf out = STRBUF_INIT;
    enum cordon_err err;

    for (size_t i = 0; i < spawn->argv.count; i++) {
        put(&out, spawn->argv.items[i]);
    }
    ret_command->argc = (uint32_t)spawn->argv.count;
    ret_command->envc = put_environment(&out, &spawn->env, extra);
    ret_command->strings_len = (uint32_t)out.len;
    err = out.failed ? fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory")
                     : ipc_memfd("cordon-command", out.data, out.len, ret_fd, fault);
    strbuf_deinit(&out);
    return err;
}

void strings_command(const struct msg_list *argv, char *ret_text, size_t size)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < argv->count && text.len < size; i++) {
        strbuf_puts(&text, i == 0 ? "" : " ");
        strbuf_add(&text, argv->items[i], strnlen(argv->items[i], size));
    }
    (void)snprintf(ret_text, size, "%s", strbuf_text(&text));
    strbuf_deinit(&text);
}

const char *strings_path(const struct msg_list *env)
{
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], "PATH=", 5) == 0) {
            return env->items[i] + 5;
        }
    }
    return NULL;
}
