/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end of a connection: the process that the system says opened it, and the
 * token of that process. A process younger than the connection is another that was given the number
 * of a dead one, and is refused.
 *
 * What the rest of the broker takes for a uid is a number that this process gave the SID, 0 for
 * those who may administer this system; what a worker is shared by is the label: SID, logon session
 * and integrity level.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/windows/io.h"

#define USERS_MAX 4096U
#define INFO_MAX 16384U /* of a token's groups */
#define EMBEDDED "run it without the service: `cordon sandbox --embedded ...`"

/* By number, from 1. */
static char *users[USERS_MAX];
static uint32_t user_count;

void peer_deinit(struct platform_peer *peer)
{
    if (peer == NULL) {
        return;
    }
    free(peer->groups);
    peer->groups = NULL;
    host_close(peer->pidfd);
    host_close(peer->token);
    peer->pidfd = -1;
    peer->token = -1;
}

enum cordon_err peer_copy_key(const struct platform_peer *peer, struct platform_peer *ret_key)
{
    struct platform_peer key = *peer;

    key.pidfd = -1;
    key.groups = NULL;
    key.group_count = 0;
    key.token = host_dup(peer->token);
    if (key.token < 0) {
        return CORDON_E_OS;
    }
    *ret_key = key;
    return CORDON_OK;
}

bool peer_same_key(const struct platform_peer *a, const struct platform_peer *b)
{
    return a->uid == b->uid && strcmp(a->label, b->label) == 0;
}

/* Whether @process was there before @moment. */
static bool is_older(HANDLE process, FILETIME moment)
{
    FILETIME made, unused[3];

    return GetProcessTimes(process, &made, &unused[0], &unused[1], &unused[2]) &&
           CompareFileTime(&made, &moment) <= 0;
}

static uint32_t number_of(const char *sid)
{
    for (uint32_t i = 0; i < user_count; i++) {
        if (strcmp(users[i], sid) == 0) {
            return i + 1;
        }
    }
    if (user_count == USERS_MAX) {
        return 0;
    }
    users[user_count] = _strdup(sid);
    return users[user_count] == NULL ? 0 : ++user_count;
}

static bool is_administrator(HANDLE token)
{
    _Alignas(SID) BYTE bytes[SECURITY_MAX_SID_SIZE];
    const struct sid sid = sid_administrators();
    HANDLE level = NULL;
    BOOL is = FALSE;

    memcpy(bytes, sid.bytes, sid.len);
    if (DuplicateToken(token, SecurityIdentification, &level)) {
        is = CheckTokenMembership(level, bytes, &is) && is;
        (void)CloseHandle(level);
    }
    return is != FALSE;
}

/* A token that can do less than its user could: a job of the service would be outside of that. */
static enum cordon_err refuse_confined(HANDLE token, DWORD level, struct cordon_fault *fault)
{
    DWORD contained = 0;
    DWORD len;

    if (IsTokenRestricted(token) ||
        (GetTokenInformation(token, TokenIsAppContainer, &contained, sizeof(contained), &len) &&
         contained != 0) ||
        level < SECURITY_MANDATORY_MEDIUM_RID) {
        return fault_set(fault, CORDON_E_DENIED, EMBEDDED,
                         "the caller's token is restricted, in a container or of low integrity: it "
                         "may be in a sandbox of its own, which a job of the service would not be "
                         "in");
    }
    return CORDON_OK;
}

static bool token_text(HANDLE token, TOKEN_INFORMATION_CLASS class, char text[SID_TEXT_MAX])
{
    _Alignas(16) BYTE info[sizeof(TOKEN_USER) + SID_BYTES_MAX];
    struct sid sid;
    DWORD len;

    if (!GetTokenInformation(token, class, info, sizeof(info), &len) ||
        sid_parse(((const TOKEN_USER *)(const void *)info)->User.Sid, SID_BYTES_MAX, &sid) !=
            CORDON_OK) {
        return false;
    }
    sid_text(&sid, text);
    return true;
}

static enum cordon_err take_token(HANDLE token, bool embedded, struct platform_peer *peer,
                                  struct cordon_fault *fault)
{
    TOKEN_STATISTICS statistics;
    char sid[SID_TEXT_MAX], level[SID_TEXT_MAX];
    const char *last;
    int used;
    DWORD len;

    if (!token_text(token, TokenUser, sid) || !token_text(token, TokenIntegrityLevel, level) ||
        !GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &len)) {
        return api_fault(fault, GetLastError(), NULL, "reading the caller's token");
    }
    last = strrchr(level, '-');
    last = last == NULL ? "0" : last + 1;
    used = snprintf(peer->label, sizeof(peer->label), "%s/%lx:%lx/%s", sid,
                    (unsigned long)statistics.AuthenticationId.HighPart,
                    (unsigned long)statistics.AuthenticationId.LowPart, last);
    if (used < 0 || (size_t)used >= sizeof(peer->label)) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "the caller's SID is too long: %s", sid);
    }
    peer->uid = is_administrator(token) ? 0 : number_of(sid);
    if (peer->uid == 0 && !is_administrator(token)) {
        return fault_set(fault, CORDON_E_LIMIT, "restart the service", "too many users");
    }
    return embedded ? CORDON_OK : refuse_confined(token, (DWORD)strtoul(last, NULL, 10), fault);
}

enum cordon_err peer_identify(int fd, bool embedded, struct platform_peer *ret_peer,
                              struct cordon_fault *fault)
{
    struct platform_peer peer = {.pidfd = -1, .token = -1, .loginuid = UINT32_MAX};
    HANDLE process, token = NULL;
    enum cordon_err err;
    FILETIME now;
    ULONG pid = 0;

    GetSystemTimePreciseAsFileTime(&now);
    if (!GetNamedPipeClientProcessId(io_handle(fd), &pid)) {
        return api_fault(fault, GetLastError(), NULL, "asking who connected");
    }
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
    if (process == NULL || !is_older(process, now)) {
        if (process != NULL) {
            (void)CloseHandle(process);
        }
        return fault_set(fault, CORDON_E_CLOSED, NULL, "the caller has gone");
    }
    peer.pidfd = io_fd(process);
    peer.pid = (int32_t)pid;
    if (!OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY, &token)) {
        err = api_fault(fault, GetLastError(), NULL, "opening the caller's token");
    } else {
        peer.token = io_fd(token);
        err = take_token(token, embedded, &peer, fault);
    }
    if (err != CORDON_OK) {
        peer_deinit(&peer);
        return err;
    }
    *ret_peer = peer;
    return CORDON_OK;
}

/* ---- the words for the user database ---- */

static bool put_sid(const void *bytes, char **text, char *end, char ***word)
{
    struct sid sid;

    if (end - *text < (ptrdiff_t)SID_TEXT_MAX ||
        sid_parse(bytes, SID_BYTES_MAX, &sid) != CORDON_OK) {
        return false;
    }
    sid_text(&sid, *text);
    *(*word)++ = *text;
    *text += strlen(*text) + 1;
    return true;
}

/* SIDs: the user's, and those of the groups that count. */
enum cordon_err peer_words(const struct platform_peer *peer, size_t groups_max, char ***ret_words)
{
    _Alignas(16) static BYTE user[sizeof(TOKEN_USER) + SID_BYTES_MAX];
    _Alignas(16) static BYTE info[INFO_MAX];
    const TOKEN_GROUPS *groups = (const void *)info;
    const HANDLE token = io_handle(peer->token);
    char **words, **word;
    char *text, *end;
    size_t room;
    DWORD len;

    if (!GetTokenInformation(token, TokenUser, user, sizeof(user), &len) ||
        !GetTokenInformation(token, TokenGroups, info, sizeof(info), &len)) {
        return CORDON_E_OS;
    }
    room = groups->GroupCount + 2U;
    words = calloc(1, room * (sizeof(*words) + SID_TEXT_MAX));
    if (words == NULL) {
        return CORDON_E_NOMEM;
    }
    word = words;
    text = (char *)(words + room);
    end = text + room * SID_TEXT_MAX;
    if (!put_sid(((const TOKEN_USER *)(const void *)user)->User.Sid, &text, end, &word)) {
        free(words);
        return CORDON_E_OS;
    }
    for (DWORD i = 0; i < groups->GroupCount && (size_t)(word - words) <= groups_max; i++) {
        if ((groups->Groups[i].Attributes & SE_GROUP_ENABLED) != 0) {
            (void)put_sid(groups->Groups[i].Sid, &text, end, &word);
        }
    }
    *ret_words = words;
    return CORDON_OK;
}
