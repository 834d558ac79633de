/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/worker_texts.h"

#include <string.h>

#define NOTICES_MAX 31U /* of a plan; STARTED takes one more */
#define NOTICE_LEN_MAX 512U
#define LIMIT_LEN_MAX 512U /* of EXITED */

void texts_notices(const struct plan *plan, char *first, struct arena *arena,
                   struct msg_list *ret_notices)
{
    const size_t count = plan->notice_count < NOTICES_MAX ? plan->notice_count : NOTICES_MAX;
    char **lines = arena_array(arena, count + 2, sizeof(*lines));

    *ret_notices = (struct msg_list){lines, 0};
    if (lines != NULL && first != NULL) {
        lines[ret_notices->count++] = first;
    }
    for (size_t i = 0; lines != NULL && i < count; i++) {
        const size_t len = strlen(plan->notices[i]);

        char *line =
            arena_strndup(arena, plan->notices[i], len < NOTICE_LEN_MAX ? len : NOTICE_LEN_MAX);

        if (line == NULL) {
            return;
        }
        lines[ret_notices->count++] = line;
    }
}

void texts_limits(const struct policy_limits *limits, struct arena *arena,
                  const char *ret_texts[POLICY_LIMIT_COUNT])
{
    for (int i = 0; i < POLICY_LIMIT_COUNT; i++) {
        const enum policy_limit limit = (enum policy_limit)i;
        const struct policy_limit_value *value = policy_limit_in_force(limits, limit);
        struct strbuf text = STRBUF_INIT;

        ret_texts[i] = NULL;
        if (value->value != 0) {
            strbuf_printf(
                &text, "the job was ended: it reached its limit %s = ", policy_limit_name(limit));
            policy_limit_text(limit, value, &text);
            ret_texts[i] = arena_strndup(arena, strbuf_text(&text),
                                         text.len < LIMIT_LEN_MAX ? text.len : LIMIT_LEN_MAX);
        }
        strbuf_deinit(&text);
    }
}
