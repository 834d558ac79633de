/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPOOL_PATH FETCHED_ROOT "/" FETCHED_SPOOL
#define ETAG_FILE "etag"

void spool_log(const char *fmt, ...)
{
    char text[CORDON_FAULT_TEXT_MAX + CORDON_FAULT_REMEDY_MAX + 64];
    struct strbuf line = STRBUF_INIT;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    strbuf_puts(&line, "cordon-fetch: ");
    strbuf_escape(&line, text, strlen(text));
    strbuf_puts(&line, "\n");
    host_write(STDERR_FILENO, strbuf_text(&line), line.len);
    strbuf_deinit(&line);
}

enum cordon_err spool_init(struct spool *spool, struct cordon_fault *fault)
{
    memset(spool, 0, sizeof(*spool));
    spool->dir = open(SPOOL_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (spool->dir < 0 || faccessat(spool->dir, ".", W_OK, AT_EACCESS) != 0) {
        const int code = errno;

        host_close(spool->dir);
        return fault_os(fault, code, "make it the property of this user (the unit does)",
                        "the spool " SPOOL_PATH);
    }
    return CORDON_OK;
}

void spool_deinit(struct spool *spool)
{
    strbuf_deinit(&spool->newest);
    host_close(spool->dir);
}

static enum cordon_err replace(const struct spool *spool, const char *name, const char *bytes,
                               size_t len, struct cordon_fault *fault)
{
    const enum cordon_err err = host_replace(spool->dir, name, bytes, len, fault);

    if (err != CORDON_OK) {
        fault_prefix(fault, SPOOL_PATH);
    }
    return err;
}

static void read_into(const struct spool *spool, const char *name, size_t max, struct strbuf *out)
{
    int fd = openat(spool->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char part[4096];
    ssize_t len;

    while (fd >= 0 && out->len <= max && (len = read(fd, part, sizeof(part))) > 0) {
        strbuf_add(out, part, (size_t)len);
    }
    host_close(fd);
}

/* The file is "SOURCE\nETAG\n": a tag means nothing at another source. */
static void load_etag(struct spool *spool, const struct fetch_config *config)
{
    const size_t len = strlen(config->source);
    struct strbuf file = STRBUF_INIT;
    const char *etag;

    read_into(spool, ETAG_FILE, 4096, &file);
    spool->etag[0] = '\0';
    if (strncmp(strbuf_text(&file), config->source, len) == 0 && file.data[len] == '\n') {
        etag = file.data + len + 1;
        if (strcspn(etag, "\n") < sizeof(spool->etag)) {
            (void)snprintf(spool->etag, sizeof(spool->etag), "%.*s", (int)strcspn(etag, "\n"),
                           etag);
        }
    }
    strbuf_deinit(&file);
}

void spool_load(struct spool *spool, const struct fetch_config *config)
{
    const struct envelope_keys keys = {config->keys, config->key_count};
    struct cordon_fault fault;
    struct envelope envelope;

    strbuf_deinit(&spool->newest);
    spool->generation = 0;
    spool->etag[0] = '\0';
    read_into(spool, FETCHED_NEWEST, ENVELOPE_MAX, &spool->newest);
    if (!spool->newest.failed && envelope_verify(strbuf_text(&spool->newest), spool->newest.len,
                                                 &keys, &envelope, &fault) == CORDON_OK) {
        spool->generation = envelope.generation;
        load_etag(spool, config);
    } else {
        strbuf_deinit(&spool->newest);
    }
}

void spool_confirm(struct spool *spool)
{
    int fd =
        openat(spool->dir, FETCHED_CONFIRMED, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0 || futimens(fd, NULL) != 0) {
        spool_log("%s/%s: %s", SPOOL_PATH, FETCHED_CONFIRMED, strerror(errno));
    }
    host_close(fd);
}

static enum cordon_err store(struct spool *spool, const char *bytes, size_t len,
                             uint64_t generation, struct cordon_fault *fault)
{
    struct strbuf copy = STRBUF_INIT;
    enum cordon_err err;

    strbuf_add(&copy, bytes, len);
    err = copy.failed ? fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory")
                      : replace(spool, FETCHED_NEWEST, bytes, len, fault);
    if (err != CORDON_OK) {
        strbuf_deinit(&copy);
        return err;
    }
    strbuf_deinit(&spool->newest);
    spool->newest = copy;
    spool->generation = generation;
    spool->etag[0] = '\0';
    return CORDON_OK;
}

enum cordon_err spool_offer(struct spool *spool, const struct fetch_config *config,
                            const char *bytes, size_t len, struct cordon_fault *fault)
{
    const struct envelope_keys keys = {config->keys, config->key_count};
    const struct envelope_old old = {spool->generation, spool->newest.data, spool->newest.len};
    struct envelope envelope;
    enum cordon_err err = envelope_verify(bytes, len, &keys, &envelope, fault);

    if (err == CORDON_OK) {
        err = envelope_follows(&envelope, bytes, len, &old, fault);
    }
    if (err == CORDON_OK) {
        err = store(spool, bytes, len, envelope.generation, fault);
    }
    if (err == CORDON_OK || err == CORDON_E_AGAIN) {
        spool_confirm(spool);
    }
    return err;
}

void spool_set_etag(struct spool *spool, const struct fetch_config *config, const char *etag)
{
    struct strbuf file = STRBUF_INIT;
    struct cordon_fault fault;

    if (strcmp(spool->etag, etag) == 0) {
        return;
    }
    strbuf_printf(&file, "%s\n%s\n", config->source, etag);
    if (!file.failed && replace(spool, ETAG_FILE, file.data, file.len, &fault) == CORDON_OK) {
        (void)snprintf(spool->etag, sizeof(spool->etag), "%s", etag);
    }
    strbuf_deinit(&file);
}

void spool_alarm(struct spool *spool, const struct cordon_fault *fault)
{
    const char *text = fault == NULL ? "" : fault->text;
    struct strbuf line = STRBUF_INIT;
    struct cordon_fault ignored;

    if (spool->told && strcmp(spool->alarm, text) == 0) {
        return;
    }
    if (fault == NULL) {
        (void)unlinkat(spool->dir, FETCHED_ALARM, 0);
        if (spool->alarm[0] != '\0') {
            spool_log("the alarm is over");
        }
    } else {
        spool_log("alarm, the last good requirements stay: %s%s%s", text,
                  fault->remedy[0] != '\0' ? "; " : "", fault->remedy);
        strbuf_printf(&line, "%s\n", text);
        (void)!replace(spool, FETCHED_ALARM, strbuf_text(&line), line.len, &ignored);
        strbuf_deinit(&line);
    }
    (void)snprintf(spool->alarm, sizeof(spool->alarm), "%s", text);
    spool->told = true;
}
