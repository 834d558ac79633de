/* SPDX-License-Identifier: Apache-2.0 */
#include "client/output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "platform/base/jsonw.h"

void output_plain(struct strbuf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte >= 0x20 && byte < 0x7f) {
            strbuf_add(out, text, 1);
        } else {
            strbuf_printf(out, "\\x%02x", byte);
        }
    }
}

static int write_all(int fd, const struct strbuf *out)
{
    for (size_t done = 0; done < out->len;) {
        ssize_t n = write(fd, out->data + done, out->len - done);

        if (n < 0 && errno != EINTR) {
            return 1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return out->failed;
}

static void say(const char *text, const char *remedy)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_puts(&out, "cordon: ");
    output_plain(&out, text);
    if (remedy != NULL && remedy[0] != '\0') {
        strbuf_puts(&out, "; ");
        output_plain(&out, remedy);
    }
    strbuf_puts(&out, "\n");
    (void)write_all(STDERR_FILENO, &out);
    strbuf_deinit(&out);
}

void output_failure(const char *text, const char *remedy)
{
    say(text, remedy);
}

void output_lines(const struct strbuf *lines)
{
    (void)write_all(STDERR_FILENO, lines);
}

void output_error(const struct cordon_error *error, bool as_json)
{
    struct strbuf out = STRBUF_INIT;
    struct jsonw json = JSONW_INIT(&out);

    if (!as_json) {
        say(error->text, error->remedy);
        return;
    }
    jsonw_object(&json, NULL);
    jsonw_string(&json, "event", "failed");
    jsonw_int(&json, "status", error->status);
    jsonw_string(&json, "text", error->text);
    jsonw_string(&json, "remedy", error->remedy);
    jsonw_object_end(&json);
    jsonw_newline(&json);
    output_lines(&out);
    strbuf_deinit(&out);
}

void output_notice(const char *text, bool as_json, struct strbuf *lines)
{
    struct jsonw json = JSONW_INIT(lines);

    if (!as_json) {
        strbuf_puts(lines, "cordon: ");
        strbuf_escape(lines, text, strlen(text));
        strbuf_puts(lines, "\n");
        return;
    }
    jsonw_object(&json, NULL);
    jsonw_string(&json, "event", "notice");
    jsonw_string(&json, "text", text);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

static void violation_json(const struct cordon_event *event, struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);

    jsonw_object(&json, NULL);
    jsonw_string(&json, "event", "denied");
    jsonw_string(&json, "operation", event->operation);
    jsonw_string(&json, "path", event->path);
    jsonw_string(&json, "rule", event->rule);
    jsonw_string(&json, "origin", event->origin);
    jsonw_string(&json, "command", event->command);
    jsonw_uint(&json, "pid", event->pid);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

static void violation_text(const struct cordon_event *event, struct strbuf *out)
{
    strbuf_printf(out, "cordon: denied %s ", event->operation);
    strbuf_escape(out, event->path, strlen(event->path));
    strbuf_puts(out, " (");
    strbuf_escape(out, event->rule, strlen(event->rule));
    strbuf_puts(out, ", ");
    strbuf_escape(out, event->origin, strlen(event->origin));
    strbuf_puts(out, ") by ");
    strbuf_escape(out, event->command, strlen(event->command));
    strbuf_printf(out, "[%u]\n", (unsigned)event->pid);
}

void output_violation(const struct cordon_event *event, bool json, struct strbuf *out)
{
    if (json) {
        violation_json(event, out);
    } else {
        violation_text(event, out);
    }
}

int output_text(const struct strbuf *text)
{
    if (write_all(STDOUT_FILENO, text) != 0) {
        output_failure("cannot write to standard output", NULL);
        return 1;
    }
    return 0;
}
