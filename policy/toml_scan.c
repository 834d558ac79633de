/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/toml.h"

struct scan {
    const char *text;
    size_t len;
    size_t at;
    size_t line_start;
    uint32_t line;
    unsigned dots; /* in the key or number being read */
};

static bool scan_is(const struct scan *scan, const char *what)
{
    size_t len = strlen(what);

    return scan->len - scan->at >= len && memcmp(scan->text + scan->at, what, len) == 0;
}

static void scan_step(struct scan *scan)
{
    if (scan->text[scan->at] == '\n') {
        scan->line++;
        scan->line_start = scan->at + 1;
    }
    scan->at++;
}

/* Past a string that @quote opened; an unclosed one is the library's to report. */
static void scan_string(struct scan *scan, const char *quote)
{
    bool basic = quote[0] == '"';
    bool one_line = quote[1] == '\0';

    scan->at += strlen(quote);
    while (scan->at < scan->len && !scan_is(scan, quote)) {
        if (one_line && scan->text[scan->at] == '\n') {
            return;
        }
        if (basic && scan->text[scan->at] == '\\' && scan->at + 1 < scan->len) {
            scan_step(scan);
        }
        scan_step(scan);
    }
    if (scan->at < scan->len) {
        scan->at += strlen(quote);
    }
}

static bool scan_strings(struct scan *scan)
{
    static const char *const quotes[] = {"\"\"\"", "'''", "\"", "'"};

    for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
        if (scan_is(scan, quotes[i])) {
            scan_string(scan, quotes[i]);
            return true;
        }
    }
    return false;
}

static void scan_byte(struct scan *scan)
{
    char c = scan->text[scan->at];

    if (c == '#') {
        while (scan->at < scan->len && scan->text[scan->at] != '\n') {
            scan->at++;
        }
        return;
    }
    if (c == '.') {
        scan->dots++;
    } else if (strchr("=,[]{}\n", c) != NULL) {
        scan->dots = 0;
    }
    scan_step(scan);
}

static bool is_control(char c)
{
    unsigned char byte = (unsigned char)c;

    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

static void scan_place(const struct scan *scan, uint32_t *ret_line, uint32_t *ret_column)
{
    *ret_line = scan->line;
    *ret_column = (uint32_t)(scan->at - scan->line_start) + 1;
}

enum cordon_err toml_scan(const char *text, size_t len, uint32_t *ret_line, uint32_t *ret_column)
{
    struct scan scan = {.text = text, .len = len, .line = 1};

    for (; scan.at < len; scan_step(&scan)) {
        if (is_control(text[scan.at])) {
            scan_place(&scan, ret_line, ret_column);
            return CORDON_E_SYNTAX;
        }
    }
    scan = (struct scan){.text = text, .len = len, .line = 1};
    while (scan.at < len) {
        if (!scan_strings(&scan)) {
            scan_byte(&scan);
        }
        if (scan.dots >= TOML_DEPTH_MAX) {
            scan_place(&scan, ret_line, ret_column);
            return CORDON_E_LIMIT;
        }
    }
    return CORDON_OK;
}
