/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/lookup.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_AT 2U /* behind the program and the option */

struct lookup {
    lookup_fn *fn;
    void *context;
    struct host_child child;
    int fd;
    struct loop_source *source, *timer;
    size_t len;
    char text[HOST_USER_BYTES_MAX];
};

static void finish(struct lookup *lookup, enum cordon_err err, const char *why)
{
    struct cordon_fault fault = {.err = CORDON_OK};

    if (err != CORDON_OK) {
        (void)fault_set(&fault, err, "see that the name service answers", "user database: %s", why);
    }
    lookup->fn(lookup->context, err, lookup->text, lookup->len, &fault);
}

static void on_output(void *context, unsigned events)
{
    struct lookup *lookup = context;
    size_t len = 0;
    enum cordon_err err =
        host_read(lookup->fd, lookup->text + lookup->len, sizeof(lookup->text) - lookup->len, &len);

    (void)events;
    if (err == CORDON_OK) {
        lookup->len += len;
        if (lookup->len == sizeof(lookup->text)) {
            finish(lookup, CORDON_E_LIMIT, "too long an answer");
        }
    } else if (err == CORDON_E_CLOSED) {
        finish(lookup, lookup->len > 0 ? CORDON_OK : CORDON_E_NOT_FOUND, "no answer");
    } else if (err != CORDON_E_AGAIN) {
        finish(lookup, err, "cannot be read");
    }
}

static void on_timeout(void *context, unsigned events)
{
    struct lookup *lookup = context;

    (void)events;
    finish(lookup, CORDON_E_TIMEOUT, "no answer within two seconds");
}

static enum cordon_err start(struct lookup *lookup, const char *program, int output,
                             const struct platform_peer *peer)
{
    static char name[] = "cordond";
    static char option[] = "--lookup";
    char **words = NULL;
    char **argv = NULL;
    size_t count = 0;
    struct host_start how = {.program = program, .channel = -1, .output = output};
    enum cordon_err err = peer_words(peer, LOOKUP_GROUPS_MAX, &words);

    if (err != CORDON_OK) {
        return err;
    }
    while (words[count] != NULL) {
        count++;
    }
    argv = calloc(count + WORDS_AT + 1, sizeof(*argv));
    if (argv != NULL) {
        argv[0] = name;
        argv[1] = option;
        memcpy(&argv[WORDS_AT], words, count * sizeof(*argv));
        how.argv = argv;
        err = host_start(&how, &lookup->child, NULL);
    } else {
        err = CORDON_E_NOMEM;
    }
    free(argv);
    free(words);
    return err;
}

bool lookup_at_once(const struct platform_peer *peer, struct strbuf *out)
{
    char **words = NULL;
    bool known = false;

    if (peer_words(peer, LOOKUP_GROUPS_MAX, &words) == CORDON_OK) {
        known = host_lookup_files(words, "", out);
    }
    free(words);
    return known;
}

enum cordon_err lookup_new(struct loop *loop, const char *program, const struct platform_peer *peer,
                           lookup_fn *fn, void *context, struct lookup **ret_lookup)
{
    struct lookup *lookup = malloc(sizeof(*lookup));
    int pipe[2];
    enum cordon_err err;

    if (lookup == NULL) {
        return CORDON_E_NOMEM;
    }
    memset(lookup, 0, offsetof(struct lookup, text));
    lookup->fn = fn;
    lookup->context = context;
    lookup->child.pidfd = -1;
    lookup->fd = -1;
    err = host_pipe(pipe, NULL);
    if (err == CORDON_OK) {
        lookup->fd = pipe[0];
        err = start(lookup, program, pipe[1], peer);
        host_close(pipe[1]);
    }
    if (err == CORDON_OK) {
        err = loop_watch(loop, lookup->fd, LOOP_READ, on_output, lookup, &lookup->source);
    }
    if (err == CORDON_OK) {
        err = loop_after(loop, LOOKUP_TIMEOUT_MS, on_timeout, lookup, &lookup->timer);
    }
    if (err != CORDON_OK) {
        lookup_free(lookup);
        return err;
    }
    *ret_lookup = lookup;
    return CORDON_OK;
}

void lookup_free(struct lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    loop_source_free(lookup->source);
    loop_source_free(lookup->timer);
    host_close(lookup->fd);
    host_child_deinit(&lookup->child);
    free(lookup);
}
