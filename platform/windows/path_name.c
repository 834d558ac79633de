/* SPDX-License-Identifier: Apache-2.0 */
/* What a single name must not be. */
#include "platform/windows/path.h"

#include <string.h>

#include "platform/base/ascii.h"
#include "platform/windows/upcase.h"

/* "1" to "9", and "0"; or one of the superscripts that Windows takes for a digit as well. */
static bool is_port(const char *text, size_t len)
{
    return (len == 1 && text[0] >= '0' && text[0] <= '9') ||
           (len == 2 && text[0] == '\xc2' &&
            (text[1] == '\xb9' || text[1] == '\xb2' || text[1] == '\xb3'));
}

/* Windows looks at what stands before the first dot, without blanks at its end. */
static bool is_device(const char *name, size_t len)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
    const char *dot = memchr(name, '.', len);
    size_t stem = dot == NULL ? len : (size_t)(dot - name);

    while (stem > 0 && name[stem - 1] == ' ') {
        stem--;
    }
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (strlen(devices[i]) == stem && ascii_equal(name, devices[i], stem)) {
            return true;
        }
    }
    return stem > 3 && (ascii_equal(name, "COM", 3) || ascii_equal(name, "LPT", 3)) &&
           is_port(name + 3, stem - 3);
}

/* At most eight characters with '~' and a number at their end, and at most three of extension. */
static bool is_shortened(const char *name, size_t len)
{
    const char *dot = memchr(name, '.', len);
    size_t stem = dot == NULL ? len : (size_t)(dot - name);
    size_t digits = stem;

    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') {
        digits--;
    }
    if (stem > 8 || digits == stem || digits < 2 || name[digits - 1] != '~') {
        return false;
    }
    return dot == NULL || (len - stem - 1 <= 3 && memchr(dot + 1, '.', len - stem - 1) == NULL);
}

static size_t units_of(const char *name, size_t len)
{
    size_t units = 0;
    size_t step;

    for (size_t at = 0; at < len; at += step) {
        uint32_t value = 0;

        step = win_utf8(name + at, len - at, &value);
        if (step == 0) {
            return 0;
        }
        units += win_utf16_units(value);
    }
    return units;
}

static const char *bad_character(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < 0x20) {
            return "a control character";
        }
        if (strchr("<>\"|?*/\\", name[i]) != NULL) {
            return "one of < > \" | ? * / \\";
        }
    }
    return NULL;
}

static enum cordon_err refuse(struct cordon_fault *fault, const char *name, size_t len,
                              const char *what, const char *remedy)
{
    return fault_set(fault, CORDON_E_INVALID, remedy, "\"%.*s\" %s", (int)(len < 128 ? len : 128),
                     name, what);
}

enum cordon_err win_name_check(const char *name, size_t len, struct cordon_fault *fault)
{
    size_t units = units_of(name, len);
    const char *bad = bad_character(name, len);

    if (units == 0) {
        return refuse(fault, "", 0, "is empty or not UTF-8", "save the file as UTF-8");
    }
    if (bad != NULL) {
        return fault_set(fault, CORDON_E_INVALID, "no name on Windows has one",
                         "\"%.*s\" has %s in it", (int)(len < 128 ? len : 128), name, bad);
    }
    if (memchr(name, ':', len) != NULL) {
        return refuse(fault, name, len, "names a stream of a file",
                      "write the file: a rule on it covers its streams");
    }
    if (name[len - 1] == '.' || name[len - 1] == ' ') {
        return refuse(fault, name, len, "ends in a dot or a blank, which Windows drops",
                      "write the name without its end");
    }
    if (is_device(name, len)) {
        return refuse(fault, name, len, "is the name of a device in every directory",
                      "deny the directory it is in");
    }
    if (is_shortened(name, len)) {
        return refuse(fault, name, len,
                      "looks like a shortened (8.3) name, which stands for another",
                      "write the long name; if this is the long name, a deny of NAME[~]1");
    }
    return units <= WIN_NAME_UNITS_MAX
               ? CORDON_OK
               : refuse(fault, name, len, "is longer than a name can be (255 characters)", NULL);
}
