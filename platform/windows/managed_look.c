/* SPDX-License-Identifier: Apache-2.0 */
/* Whether managed files have changed; and fetched requirements, of which there are none here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/redact.h"
#include "platform/windows/io.h"
#include "platform/windows/managed_win32.h"

#define PATH_MAX_BYTES 1024U
#define SETTLED_MS 100U
#define EPOCH_MS 11644473600000ULL

struct hash {
    uint64_t value, newest_ms;
};

/* FNV-1a */
static void mix(struct hash *hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++) {
        hash->value = (hash->value ^ bytes[i]) * 0x100000001b3U;
    }
}

static void mix_found(struct hash *hash, const WIN32_FIND_DATAW *found)
{
    const uint64_t time = (uint64_t)found->ftLastWriteTime.dwHighDateTime << 32U |
                          found->ftLastWriteTime.dwLowDateTime;
    const uint64_t time_ms = time / 10000U - EPOCH_MS;
    const uint64_t fields[] = {time, (uint64_t)found->nFileSizeHigh << 32U | found->nFileSizeLow,
                               found->dwFileAttributes};

    mix(hash, found->cFileName, wcslen(found->cFileName) * sizeof(WCHAR));
    mix(hash, fields, sizeof(fields));
    hash->newest_ms = time_ms > hash->newest_ms ? time_ms : hash->newest_ms;
}

/* Everything that matches @pattern below @base. */
static void mix_all(struct hash *hash, const char *base, const char *pattern)
{
    char path[PATH_MAX_BYTES * 2];
    WIN32_FIND_DATAW found;
    WCHAR *wide = NULL;
    HANDLE search;

    (void)snprintf(path, sizeof(path), "%s\\%s", base, pattern);
    if (win32_wide("", path, &wide) != API_OK) {
        return;
    }
    search = FindFirstFileW(wide, &found);
    free(wide);
    mix(hash, pattern, strlen(pattern));
    if (search == INVALID_HANDLE_VALUE) {
        return;
    }
    do {
        mix_found(hash, &found);
    } while (FindNextFileW(search, &found));
    (void)FindClose(search);
}

uint64_t managed_signature(const struct managed_places *places, bool *ret_settled)
{
    static const char *const patterns[] = {"OpenAI",
                                           "OpenAI\\Codex",
                                           "OpenAI\\Codex\\requirements.toml",
                                           "cordon",
                                           "cordon\\requirements.toml",
                                           "cordon\\fetch.toml",
                                           "cordon\\requirements.d\\*"};
    struct hash hash = {0xcbf29ce484222325U, 0};
    char base[PATH_MAX_BYTES];
    HKEY key;
    uint8_t has_key;

    if (managed_base(places, base, sizeof(base))) {
        for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
            mix_all(&hash, base, patterns[i]);
        }
    }
    has_key = RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Policies\\cordon", 0, KEY_QUERY_VALUE,
                            &key) == ERROR_SUCCESS;
    if (has_key) {
        (void)RegCloseKey(key);
    }
    mix(&hash, &has_key, sizeof(has_key));
    if (ret_settled != NULL) {
        *ret_settled = hash.newest_ms + SETTLED_MS < host_unix_ms();
    }
    return hash.value;
}

/* ---- fetched requirements: managed_read() refuses where they are asked for ---- */

enum cordon_err fetched_read(const struct managed_places *places, struct fetched *ret_fetched,
                             struct cordon_fault *fault)
{
    (void)places;
    (void)fault;
    memset(ret_fetched, 0, sizeof(*ret_fetched));
    return CORDON_OK;
}

void fetched_deinit(struct fetched *fetched)
{
    memset(fetched, 0, sizeof(*fetched));
}

const struct fetched_document *fetched_in_force(const struct fetched *fetched)
{
    (void)fetched;
    return NULL;
}

void fetched_forget_newest(struct fetched *fetched)
{
    (void)fetched;
}

static enum cordon_err none(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_UNSUPPORTED, NULL,
                     "requirements are not fetched on Windows yet");
}

enum cordon_err fetched_add(const struct fetched *fetched, const struct fetched_document *document,
                            struct managed_files *files, struct cordon_fault *fault)
{
    (void)fetched;
    (void)document;
    (void)files;
    return none(fault);
}

enum cordon_err fetched_keep(const struct managed_places *places,
                             const struct fetched_document *document, struct cordon_fault *fault)
{
    (void)places;
    (void)document;
    return none(fault);
}

enum cordon_err fetched_check_age(const struct managed_places *places,
                                  const struct fetched *fetched,
                                  const struct fetched_document *document,
                                  uint64_t *ret_confirmed_s, struct cordon_fault *fault)
{
    (void)places;
    (void)fetched;
    (void)document;
    (void)ret_confirmed_s;
    return none(fault);
}

enum cordon_err fetched_config(const struct managed_places *places, struct arena *arena,
                               struct fetch_config *ret_config, struct cordon_fault *fault)
{
    (void)places;
    (void)arena;
    (void)ret_config;
    return none(fault);
}

void fetched_alarm(const struct managed_places *places, char *ret_text, size_t size)
{
    (void)places;
    (void)size;
    ret_text[0] = '\0';
}

/* ---- redaction: there are no POSIX expressions in this C library ---- */

enum cordon_err redact_new(const char *const *patterns, size_t count, struct redact **ret_redact,
                           struct cordon_fault *fault)
{
    (void)patterns;
    (void)count;
    (void)ret_redact;
    return fault_set(fault, CORDON_E_UNSUPPORTED, "leave [audit] redact out",
                     "records cannot be redacted on Windows yet");
}

void redact_free(struct redact *redact)
{
    (void)redact;
}

void redact_text(const struct redact *redact, char *text, size_t size)
{
    (void)redact;
    (void)text;
    (void)size;
}
