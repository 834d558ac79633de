/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the journal of access lists. What is taken is printed and read back alike, names one
 * principal or none, and a file of such lines alone is whole.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void take(void *context, const struct journal_record *record)
{
    struct strbuf *out = context;
    struct strbuf line = STRBUF_INIT;
    struct journal_record again;

    journal_print(record, out);
    journal_print(record, &line);
    require(!line.failed && journal_parse(line.data, line.len - 1, &again));
    require(again.verb == record->verb && again.ace.mask == record->ace.mask &&
            again.id.file == record->id.file && again.kept == record->kept);
    require(strcmp(again.path, record->path) == 0 && strcmp(again.holder, record->holder) == 0 &&
            strcmp(again.via, record->via) == 0);
    require(record->ace.sid.len == 0 || sid_equal(&again.ace.sid, &record->ace.sid));
    strbuf_deinit(&line);
}

static void count(void *context, const struct journal_record *record)
{
    (void)record;
    ++*(size_t *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf text = STRBUF_INIT;
    struct journal_report report, second;
    char *copy = malloc(size + 1);
    size_t records = 0;

    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data, size);
    strbuf_puts(&text, JOURNAL_HEAD);
    journal_read(copy, size, take, &text, &report);
    journal_read(text.data, text.len, count, &records, &second);
    require(records == report.records && !second.damaged && !second.torn);
    strbuf_deinit(&text);
    free(copy);
    return 0;
}
