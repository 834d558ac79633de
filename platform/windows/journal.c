/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/journal.h"

#include <inttypes.h>
#include <string.h>

#define CRC_DIGITS 8U
#define FIELDS 12U

enum field { VERB, OBJECT, TYPE, FLAGS, MASK, KEPT, VOLUME, FILE_ID, SID, HOLDER, VIA, PATH };

static const char *const verbs[JOURNAL_VERBS] = {
    [JOURNAL_WANT] = "want",    [JOURNAL_HAVE] = "have", [JOURNAL_DROP] = "drop",
    [JOURNAL_GONE] = "gone",    [JOURNAL_MAKE] = "make", [JOURNAL_MADE] = "made",
    [JOURNAL_UNMADE] = "unmade"};

static const char digits[] = "0123456789abcdef";

/* CRC-32 (ISO 3309), bit by bit: the lines are short. */
static uint32_t checksum(const char *text, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)text[i];
        for (unsigned bit = 0; bit < 8U; bit++) {
            crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
        }
    }
    return ~crc;
}

/* ---- writing ---- */

static bool is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("\\:./_-", byte) != NULL);
}

static void encode(struct strbuf *out, const char *text)
{
    strbuf_puts(out, text[0] == '\0' ? " -" : " ");
    for (const char *at = text; *at != '\0'; at++) {
        /* A lone "-" would read back as nothing. */
        if (is_plain(*at) && strcmp(text, "-") != 0) {
            strbuf_add(out, at, 1);
        } else {
            const char hex[3] = {'%', digits[(uint8_t)*at >> 4U], digits[(uint8_t)*at & 15U]};

            strbuf_add(out, hex, sizeof(hex));
        }
    }
}

void journal_print(const struct journal_record *record, struct strbuf *out)
{
    struct strbuf line = STRBUF_INIT;
    char sid[SID_TEXT_MAX];

    sid_text(&record->ace.sid, sid);
    strbuf_printf(&line, "%s %x %x %x %" PRIx32 " %x %" PRIx64 " %" PRIx64, verbs[record->verb],
                  (unsigned)record->object, (unsigned)record->ace.type, (unsigned)record->ace.flags,
                  record->ace.mask, record->kept ? 1U : 0U, record->id.volume, record->id.file);
    encode(&line, sid);
    encode(&line, record->holder);
    encode(&line, record->via);
    encode(&line, record->path);
    strbuf_printf(out, "%08" PRIx32 " ", checksum(strbuf_text(&line), line.len));
    strbuf_add(out, strbuf_text(&line), line.len);
    strbuf_puts(out, "\n");
    out->failed = out->failed || line.failed;
    strbuf_deinit(&line);
}

/* ---- reading ---- */

static bool hex(const char *text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t count = 0;

    for (; text[count] != '\0'; count++) {
        const char *digit = strchr(digits, text[count]);

        if (digit == NULL || count == 16) {
            return false;
        }
        value = value << 4U | (uint64_t)(digit - digits);
    }
    *ret_value = value;
    return count > 0 && value <= max;
}

/* In place; a decoded NUL would cut the text, and no path has one. */
static bool decode(char *text)
{
    char *to = text;
    uint64_t byte;

    if (strcmp(text, "-") == 0) {
        text[0] = '\0';
        return true;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        if (at[1] == '\0' || at[2] == '\0' ||
            !hex((const char[]){at[1], at[2], '\0'}, 0xff, &byte) || byte == 0) {
            return false;
        }
        *to++ = (char)byte;
        at += 2;
    }
    *to = '\0';
    return to != text;
}

/* Cuts @line at its spaces; false unless there are exactly FIELDS. */
static bool split(char *line, char *fields[FIELDS])
{
    size_t count = 0;

    for (char *at = line; at != NULL && count < FIELDS; count++) {
        fields[count] = at;
        at = strchr(at, ' ');
        if (at != NULL) {
            *at++ = '\0';
        }
        if (at != NULL && count == FIELDS - 1) {
            return false;
        }
    }
    return count == FIELDS;
}

static bool parse_verb(const char *text, struct journal_record *record)
{
    for (unsigned i = 0; i < JOURNAL_VERBS; i++) {
        if (strcmp(verbs[i], text) == 0) {
            record->verb = (enum journal_verb)i;
            return true;
        }
    }
    return false;
}

static bool parse_numbers(char *fields[FIELDS], struct journal_record *record)
{
    static const uint64_t most[] = {
        [OBJECT] = API_KEY, [TYPE] = SD_DENIED,    [FLAGS] = 0xff,        [MASK] = UINT32_MAX,
        [KEPT] = 1,         [VOLUME] = UINT64_MAX, [FILE_ID] = UINT64_MAX};
    uint64_t values[FILE_ID + 1];

    for (unsigned i = OBJECT; i <= FILE_ID; i++) {
        if (!hex(fields[i], most[i], &values[i])) {
            return false;
        }
    }
    record->object = (enum api_object)values[OBJECT];
    record->ace.type = (uint8_t)values[TYPE];
    record->ace.flags = (uint8_t)values[FLAGS];
    record->ace.mask = (uint32_t)values[MASK];
    record->kept = values[KEPT] != 0;
    record->id = (struct api_id){values[VOLUME], values[FILE_ID]};
    return true;
}

bool journal_parse(char *line, size_t len, struct journal_record *ret_record)
{
    struct journal_record record = {0};
    char *fields[FIELDS];
    uint64_t crc;

    if (len <= CRC_DIGITS + 1 || memchr(line, '\0', len) != NULL || line[CRC_DIGITS] != ' ') {
        return false;
    }
    line[len] = '\0';
    line[CRC_DIGITS] = '\0';
    if (!hex(line, UINT32_MAX, &crc) ||
        crc != checksum(line + CRC_DIGITS + 1, len - CRC_DIGITS - 1) ||
        !split(line + CRC_DIGITS + 1, fields) || !parse_verb(fields[VERB], &record) ||
        !parse_numbers(fields, &record)) {
        return false;
    }
    for (unsigned i = SID; i <= PATH; i++) {
        if (!decode(fields[i])) {
            return false;
        }
    }
    if (fields[SID][0] != '\0' && sid_from_text(fields[SID], &record.ace.sid) != CORDON_OK) {
        return false;
    }
    record.holder = fields[HOLDER];
    record.via = fields[VIA];
    record.path = fields[PATH];
    /* An entry has somebody it is for; what is made has not. */
    if (record.path[0] == '\0' || (record.ace.sid.len == 0) != (record.verb >= JOURNAL_MAKE)) {
        return false;
    }
    *ret_record = record;
    return true;
}

void journal_read(char *bytes, size_t len,
                  void (*take)(void *context, const struct journal_record *record), void *context,
                  struct journal_report *ret_report)
{
    const size_t head = sizeof(JOURNAL_HEAD) - 1;
    struct journal_report report = {0};
    struct journal_record record;
    char *at = bytes;
    char *end;

    if (len >= head && memcmp(bytes, JOURNAL_HEAD, head) == 0) {
        at += head;
    } else {
        report.damaged = true;
    }
    while (at < bytes + len && (end = memchr(at, '\n', (size_t)(bytes + len - at))) != NULL) {
        if (journal_parse(at, (size_t)(end - at), &record)) {
            report.records++;
            take(context, &record);
        } else {
            report.damaged = true;
        }
        at = end + 1;
    }
    /* A cut line is what a crash leaves; one that is padding is what a lost disk cache leaves. */
    report.torn = at < bytes + len;
    report.damaged =
        report.damaged || (report.torn && memchr(at, '\0', (size_t)(bytes + len - at)) != NULL);
    *ret_report = report;
}
