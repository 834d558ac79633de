/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the service's installation, with whatever rights the caller has. */
#include "platform/windows/findings.h"

#include <string.h>

#include "platform/host.h"
#include "platform/windows/eventlog.h"
#include "platform/windows/place_win32.h"
#include "platform/windows/scm.h"
#include "platform/windows/win32.h"

#define CONFIG_MAX 8192U
#define SOURCE L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" EVENTS_SOURCE

/* The path in front of the first option; of an entry without quotes all of it, which is refused. */
static void take_program(const WCHAR *line, char *ret_path, size_t size)
{
    const WCHAR *start = line[0] == L'"' ? line + 1 : line;
    const size_t len = line[0] == L'"' ? wcscspn(start, L"\"") : wcslen(start);

    if (win32_narrow(start, len, ret_path, size) != API_OK) {
        ret_path[0] = '\0';
    }
}

static uint32_t look_at_entry(SC_HANDLE service, struct findings_facts *facts, char *ret_program,
                              size_t size)
{
    static _Alignas(QUERY_SERVICE_CONFIGW) BYTE bytes[CONFIG_MAX];
    QUERY_SERVICE_CONFIGW *config = (QUERY_SERVICE_CONFIGW *)(void *)bytes;
    SERVICE_STATUS status;
    DWORD len;

    if (!QueryServiceConfigW(service, config, sizeof(bytes), &len) ||
        !QueryServiceStatus(service, &status)) {
        return GetLastError();
    }
    facts->running = status.dwCurrentState == SERVICE_RUNNING;
    facts->ended_with = status.dwWin32ExitCode;
    facts->automatic = config->dwStartType == SERVICE_AUTO_START;
    facts->is_systems = config->lpServiceStartName != NULL &&
                        _wcsicmp(config->lpServiceStartName, L"LocalSystem") == 0;
    take_program(config->lpBinaryPathName, ret_program, size);
    return API_OK;
}

static uint32_t look_at_service(struct findings_facts *facts, char *ret_program, size_t size)
{
    const SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    const SC_HANDLE service =
        manager == NULL
            ? NULL
            : OpenServiceW(manager, L"" SCM_CORDON, SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS);
    const uint32_t code =
        service == NULL ? GetLastError() : look_at_entry(service, facts, ret_program, size);

    if (service != NULL) {
        (void)CloseServiceHandle(service);
    }
    if (manager != NULL) {
        (void)CloseServiceHandle(manager);
    }
    return code;
}

static uint32_t look_for_source(void)
{
    HKEY key;
    const uint32_t code = (uint32_t)RegOpenKeyExW(HKEY_LOCAL_MACHINE, SOURCE, 0,
                                                  KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);

    if (code == API_OK) {
        (void)RegCloseKey(key);
    }
    return code;
}

static void look_at_place(const char *path, enum trust_role role, struct cordon_fault *fault)
{
    fault->err = state_check_place(api_win32(), path, role, fault);
}

size_t caller_findings(struct arena *arena, struct caller_finding findings[CALLER_FINDINGS_MAX])
{
    struct findings_facts facts = {.administrator = host_is_root()};
    struct state_config state;
    char program[API_NAME_MAX] = "";

    facts.asked = look_at_service(&facts, program, sizeof(program));
    facts.source = look_for_source();
    look_at_place(program, TRUST_SOURCE, &facts.programs);
    if (place_state(&state)) {
        look_at_place(state.folder, TRUST_HOLDER, &facts.state);
    } else {
        (void)fault_set(&facts.state, CORDON_E_OS, NULL, "cannot tell where it is");
    }
    return findings_of(&facts, arena, findings);
}
