/* SPDX-License-Identifier: Apache-2.0 */
/* host.h on Windows: this process, names, clocks, files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/siblings.h"
#include "platform/windows/io.h"

#define EPOCH_MS 11644473600000ULL /* from 1601 to 1970 */

/* Only KILL is known here; a client that asks for what stops a process is refused by its number,
 * which is Linux's. */
const uint32_t host_signal_stop = 19;

/* No message box where nobody sits; what is loaded comes from the system's folder alone. */
static void harden(void)
{
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    (void)SetDllDirectoryW(L"");
    (void)HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
}

void host_harden(void)
{
    harden();
}

void host_harden_worker(void)
{
    harden(); /* its end with the supervisor is the job object's */
}

bool host_is_root(void)
{
    _Alignas(SID) BYTE bytes[SECURITY_MAX_SID_SIZE];
    const struct sid sid = sid_administrators();
    BOOL is = FALSE;

    memcpy(bytes, sid.bytes, sid.len);
    return CheckTokenMembership(NULL, bytes, &is) && is;
}

bool host_can_become(void)
{
    return false;
}

enum cordon_err host_become(const struct platform_peer *as)
{
    (void)as;
    return CORDON_E_OS;
}

struct host_beside *host_beside(void (*work)(void *context), void *context)
{
    (void)work;
    (void)context;
    return NULL;
}

void host_beside_end(struct host_beside *beside)
{
    (void)beside;
}

uint32_t host_uid(void)
{
    return 0;
}

int32_t host_pid(void)
{
    return (int32_t)GetCurrentProcessId();
}

/* Numbers of handles do not turn into those of standard streams. */
void host_fill_stdio(void)
{
}

void host_name(char *ret_name, size_t size)
{
    WCHAR wide[256];
    DWORD len = sizeof(wide) / sizeof(wide[0]);

    if (!GetComputerNameExW(ComputerNameDnsHostname, wide, &len) ||
        win32_narrow(wide, len, ret_name, size) != API_OK) {
        ret_name[0] = '\0';
    }
}

void host_trim(void)
{
    (void)HeapCompact(GetProcessHeap(), 0);
}

uint64_t host_now_ms(void)
{
    return GetTickCount64();
}

uint64_t host_unix_ms(void)
{
    FILETIME now;

    GetSystemTimePreciseAsFileTime(&now);
    return ((uint64_t)now.dwHighDateTime << 32U | now.dwLowDateTime) / 10000U - EPOCH_MS;
}

void host_time(char ret_text[HOST_TIME_MAX])
{
    host_time_of(host_unix_ms(), ret_text);
}

void host_time_of(uint64_t unix_ms, char ret_text[HOST_TIME_MAX])
{
    const uint64_t ticks = (unix_ms + EPOCH_MS) * 10000U;
    const FILETIME time = {(DWORD)ticks, (DWORD)(ticks >> 32U)};
    SYSTEMTIME utc = {0};

    (void)FileTimeToSystemTime(&time, &utc);
    (void)snprintf(ret_text, HOST_TIME_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                   utc.wYear % 10000U, utc.wMonth % 13U, utc.wDay % 32U, utc.wHour % 24U,
                   utc.wMinute % 60U, utc.wSecond % 61U, utc.wMilliseconds % 1000U);
}

/* ---- siblings ---- */

/* All programs are in one folder once they are installed; in a build tree each is in its own. */
static const struct {
    const char *name, *built;
} places[] = {
    {"cordon", "client\\cordon.exe"},
    {"cordond", "broker\\cordond.exe"},
    {"cordon-worker", "broker\\cordon-worker.exe"},
    {"cordon-policy", "client\\cordon-policy.exe"},
    {"cordon-init", "platform\\cordon-init.exe"},
    {"cordon-test", "client\\cordon-test.exe"},
    {"cordond-test", "broker\\cordond-test.exe"},
    {"cordon-worker-test", "broker\\cordon-worker-test.exe"},
};
#define PLACE_COUNT (sizeof(places) / sizeof(places[0]))

/* Length of @path without the suffix "\@place"; 0: it does not end so. */
static size_t without(const char *path, const char *place)
{
    const size_t len = strlen(path), tail = strlen(place);

    return len > tail + 1 && path[len - tail - 1] == '\\' && _stricmp(path + len - tail, place) == 0
               ? len - tail - 1
               : 0;
}

static const char *built_place(const char *name)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (strcmp(places[i].name, name) == 0) {
            return places[i].built;
        }
    }
    return NULL;
}

enum cordon_err sibling_path(const char *name, char *ret_path, size_t size,
                             struct cordon_fault *fault)
{
    WCHAR wide[MAX_PATH * 4];
    char self[API_PATH_MAX];
    const DWORD len = GetModuleFileNameW(NULL, wide, sizeof(wide) / sizeof(wide[0]));
    const char *place = built_place(name);
    size_t prefix = 0;
    int used;

    if (len == 0 || len >= sizeof(wide) / sizeof(wide[0]) ||
        win32_narrow(wide, len, self, sizeof(self)) != API_OK || place == NULL) {
        return fault_set(fault, CORDON_E_OS, NULL, "cannot tell where %s is installed", name);
    }
    for (size_t i = 0; i < PLACE_COUNT && prefix == 0; i++) {
        prefix = without(self, places[i].built);
    }
    if (prefix > 0) {
        used = snprintf(ret_path, size, "%.*s\\%s", (int)prefix, self, place);
    } else {
        const char *slash = strrchr(self, '\\');

        used = snprintf(ret_path, size, "%.*s\\%s.exe", slash == NULL ? 0 : (int)(slash - self),
                        self, name);
    }
    return used > 0 && (size_t)used < size
               ? CORDON_OK
               : fault_set(fault, CORDON_E_LIMIT, NULL, "path of %s too long", name);
}
