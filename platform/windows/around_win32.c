/* SPDX-License-Identifier: Apache-2.0 */
/* The table of around.h with the system behind it: desktop and terminal. Nothing is decided here.
 */
#include "platform/windows/around.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/filters_win32.h"
#include "platform/windows/win32.h"

#include <bcrypt.h>

#define STATION_ALL 0x000f037fU
#define DESKTOP_ALL 0x000f01ffU
#define CREATE_ONLY 0x1U /* CWF_CREATE_ONLY */

static uint32_t a_random(void *self, uint8_t *bytes, size_t len)
{
    (void)self;
    return BCryptGenRandom(NULL, bytes, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0
               ? API_OK
               : (uint32_t)ERROR_GEN_FAILURE;
}

/* ---- window station and desktop ---- */

/* CreateDesktopW makes it in the station of the process; one thread does all of this. */
static uint32_t in_station(HWINSTA station, const WCHAR *name, SECURITY_ATTRIBUTES *attributes,
                           HDESK *ret_desktop)
{
    const HWINSTA own = GetProcessWindowStation();
    uint32_t code = API_OK;

    if (station != NULL && !SetProcessWindowStation(station)) {
        return GetLastError();
    }
    *ret_desktop = CreateDesktopW(name, NULL, NULL, 0, DESKTOP_ALL, attributes);
    if (*ret_desktop == NULL) {
        code = GetLastError();
    }
    /* Going on in the job's is not an option: what is made next would be made in it. */
    if (station != NULL && !SetProcessWindowStation(own)) {
        abort();
    }
    return code;
}

static uint32_t a_station_make(void *self, const char *name, const uint8_t *bytes, size_t len,
                               api_handle *ret_station)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes),
                                      .lpSecurityDescriptor = (void *)(uintptr_t)bytes};
    WCHAR *wide = NULL;
    HWINSTA made;
    uint32_t code = win32_wide("", name, &wide);

    (void)self;
    (void)len;
    if (code != API_OK) {
        return code;
    }
    made = CreateWindowStationW(wide, CREATE_ONLY, STATION_ALL, &attributes);
    code = made == NULL ? GetLastError() : API_OK;
    free(wide);
    if (code == API_OK) {
        *ret_station = (api_handle)made;
    }
    return code;
}

static uint32_t a_station_close(void *self, api_handle station)
{
    (void)self;
    return CloseWindowStation((HWINSTA)station) ? API_OK : GetLastError();
}

static uint32_t a_desktop_make(void *self, api_handle station, const char *name,
                               const uint8_t *bytes, size_t len, api_handle *ret_desktop)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes),
                                      .lpSecurityDescriptor = (void *)(uintptr_t)bytes};
    WCHAR *wide = NULL;
    HDESK made = NULL;
    uint32_t code = win32_wide("", name, &wide);

    (void)self;
    (void)len;
    if (code == API_OK) {
        code = in_station((HWINSTA)station, wide, &attributes, &made);
    }
    free(wide);
    if (code == API_OK) {
        *ret_desktop = (api_handle)made;
    }
    return code;
}

static uint32_t a_desktop_close(void *self, api_handle desktop)
{
    (void)self;
    return CloseDesktop((HDESK)desktop) ? API_OK : GetLastError();
}

/* ---- terminal ---- */

/* Not in every Windows, and with a token in no header: asked for by name. */
typedef HRESULT WINAPI make_fn(COORD size, HANDLE input, HANDLE output, DWORD flags, void **ret);
typedef HRESULT WINAPI make_as_fn(HANDLE token, COORD size, HANDLE input, HANDLE output,
                                  DWORD flags, void **ret);
typedef HRESULT WINAPI size_fn(void *console, COORD size);
typedef void WINAPI close_fn(void *console);

static void (*find(const char *name))(void)
{
    const HMODULE module = GetModuleHandleW(L"kernelbase.dll");

    return module == NULL ? NULL : (void (*)(void))GetProcAddress(module, name);
}

/* HRESULT_FROM_WIN32 and back. */
static uint32_t from_result(HRESULT result)
{
    return result >= 0                                  ? API_OK
           : HRESULT_FACILITY(result) == FACILITY_WIN32 ? (uint32_t)HRESULT_CODE(result)
                                                        : (uint32_t)ERROR_GEN_FAILURE;
}

static uint32_t a_console_make(void *self, api_handle token, const struct around_terminal *terminal,
                               api_handle *ret_console)
{
    const COORD size = {(SHORT)terminal->columns, (SHORT)terminal->rows};
    make_fn *make = (make_fn *)find("CreatePseudoConsole");
    make_as_fn *make_as = (make_as_fn *)find("CreatePseudoConsoleAsUser");
    void *console = NULL;
    uint32_t code;

    (void)self;
    /* Never ours instead of the job's. */
    if (token == 0 ? make == NULL : make_as == NULL) {
        return ERROR_PROC_NOT_FOUND;
    }
    code = from_result(
        token == 0 ? make(size, (HANDLE)terminal->input, (HANDLE)terminal->output, 0, &console)
                   : make_as((HANDLE)token, size, (HANDLE)terminal->input, (HANDLE)terminal->output,
                             0, &console));
    if (code == API_OK) {
        *ret_console = (api_handle)console;
    }
    return code;
}

static uint32_t a_console_size(void *self, api_handle console, uint16_t columns, uint16_t rows)
{
    const COORD size = {(SHORT)columns, (SHORT)rows};
    size_fn *resize = (size_fn *)find("ResizePseudoConsole");

    (void)self;
    return resize == NULL ? (uint32_t)ERROR_PROC_NOT_FOUND
                          : from_result(resize((void *)console, size));
}

static uint32_t a_console_close(void *self, api_handle console)
{
    close_fn *end = (close_fn *)find("ClosePseudoConsole");

    (void)self;
    if (end == NULL) {
        return ERROR_PROC_NOT_FOUND;
    }
    end((void *)console);
    return API_OK;
}

const struct around_api *around_win32(void)
{
    static struct around_api api = {.random = a_random,
                                    .station_make = a_station_make,
                                    .station_close = a_station_close,
                                    .desktop_make = a_desktop_make,
                                    .desktop_close = a_desktop_close,
                                    .console_make = a_console_make,
                                    .console_size = a_console_size,
                                    .console_close = a_console_close};

    win32_filters(&api);
    return &api;
}
