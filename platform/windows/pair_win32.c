/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes between a process and its child: by a name, as there is no other way to one that does not
 * wait, which nobody can guess or may open. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"

#include <bcrypt.h>

#define QUOTA (64U * 1024U)
#define PAIRS_MAX 256U /* whose two ends are both still here */

/* Both ends, as long as this process has the second one. */
static struct pair {
    int fds[2];
} pairs[PAIRS_MAX];

uint32_t io_write_list(const struct sd *sd, uint8_t **ret_list)
{
    uint8_t *list = malloc(SD_WRITTEN_MAX);
    size_t len;

    if (list == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (sd_write(sd, list, SD_WRITTEN_MAX, &len) != CORDON_OK) {
        free(list);
        return ERROR_INVALID_SECURITY_DESCR;
    }
    *ret_list = list;
    return ERROR_SUCCESS;
}

static bool own_sid(struct sid *ret_sid)
{
    _Alignas(TOKEN_USER) BYTE info[sizeof(TOKEN_USER) + SID_BYTES_MAX];
    HANDLE token;
    DWORD len;
    bool well;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return false;
    }
    well = GetTokenInformation(token, TokenUser, info, sizeof(info), &len) != 0;
    (void)CloseHandle(token);
    return well && sid_parse(((const TOKEN_USER *)(const void *)info)->User.Sid, SID_BYTES_MAX,
                             ret_sid) == CORDON_OK;
}

uint8_t *io_private_list(void)
{
    struct sd_ace aces[2] = {{SD_ALLOWED, 0, GENERIC_ALL, sid_system()},
                             {SD_ALLOWED, 0, GENERIC_ALL, sid_system()}};
    uint8_t *list = NULL;
    struct sd sd;

    sd_init(&sd, SD_DACL_LIST);
    sd.control = SD_DACL_PROTECTED;
    if (!own_sid(&aces[1].sid) || sd_append(&sd, &aces[0]) != CORDON_OK ||
        sd_append(&sd, &aces[1]) != CORDON_OK || io_write_list(&sd, &list) != ERROR_SUCCESS) {
        return NULL;
    }
    return list;
}

static bool make_name(WCHAR name[64])
{
    static LONG serial;
    uint64_t number = 0;

    if (BCryptGenRandom(NULL, (void *)&number, sizeof(number), BCRYPT_USE_SYSTEM_PREFERRED_RNG) !=
        0) {
        return false;
    }
    (void)swprintf(name, 64, L"\\\\.\\pipe\\cordon-%lu-%ld-%016I64x", GetCurrentProcessId(),
                   InterlockedIncrement(&serial), number);
    return true;
}

static bool remember(const int fds[2])
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (pairs[i].fds[1] == 0) {
            pairs[i] = (struct pair){{fds[0], fds[1]}};
            return true;
        }
    }
    return false;
}

int io_other_end(int fd)
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (pairs[i].fds[1] == fd && fd != 0) {
            return pairs[i].fds[0];
        }
    }
    return -1;
}

void io_forget_pair(int fd)
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (pairs[i].fds[0] == fd || pairs[i].fds[1] == fd) {
            pairs[i] = (struct pair){{0, 0}};
        }
    }
}

enum cordon_err io_pair(bool both, int ret_fds[2], struct cordon_fault *fault)
{
    SECURITY_ATTRIBUTES who = {.nLength = sizeof(who), .lpSecurityDescriptor = io_private_list()};
    HANDLE ends[2] = {INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE};
    DWORD code = ERROR_NOT_ENOUGH_MEMORY;
    WCHAR name[64];

    if (who.lpSecurityDescriptor != NULL && make_name(name)) {
        ends[0] = CreateNamedPipeW(
            name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, QUOTA,
            QUOTA, 0, &who);
        code = ends[0] == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    }
    free(who.lpSecurityDescriptor);
    if (code == ERROR_SUCCESS) {
        ends[1] = CreateFileW(
            name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
            (both ? FILE_FLAG_OVERLAPPED : 0) | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
        code = ends[1] == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    }
    ret_fds[0] = io_fd(ends[0]);
    ret_fds[1] = io_fd(ends[1]);
    if (code == ERROR_SUCCESS && !remember(ret_fds)) {
        code = ERROR_TOO_MANY_OPEN_FILES;
    }
    if (code != ERROR_SUCCESS) {
        host_close(ret_fds[0]);
        host_close(ret_fds[1]);
        return api_fault(fault, code, NULL, "making a pipe");
    }
    return CORDON_OK;
}
