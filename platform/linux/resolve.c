/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only step that looks at the disk for a plan: with the caller's rights,
 * once per path, keeping the descriptor of what is to be granted.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/backend.h"
#include "platform/linux/rehearse.h"
#include "platform/linux/witness.h"

struct looking {
    struct arena *arena;
    struct cordon_fault *fault;
    struct platform_kept *kept; /* NULL: nobody asks later */
    /* The last directory that was missing, and where it would be. */
    char missing[PATH_MAX];
    size_t missing_len; /* 0: none */
    size_t kept_len;    /* of it: its longest existing parent; 0: the root */
    const char *parent; /* ... resolved; NULL: as it is spelled */
};

static enum cordon_err out_of_memory(const struct looking *looking)
{
    return fault_set(looking->fault, CORDON_E_NOMEM, NULL, "resolve: out of memory");
}

static struct witness *witness_of(const struct looking *looking)
{
    return looking->kept == NULL ? NULL : looking->kept->witness;
}

static enum plan_object object_kind(mode_t mode)
{
    if (S_ISDIR(mode)) {
        return PLAN_DIRECTORY;
    }
    return S_ISREG(mode) ? PLAN_FILE : PLAN_OTHER;
}

/* The name that the kernel gives to @fd; NULL when it has none or memory is out. */
static char *descriptor_name(const struct looking *looking, int fd)
{
    char link[64];
    char path[PATH_MAX];
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path));
    if (len <= 0 || path[0] != '/') {
        return NULL;
    }
    return arena_strndup(looking->arena, path, (size_t)len);
}

/* Below what is missing: its longest existing parent resolved, the rest as it is. */
static enum cordon_err missing_resolved(const struct looking *looking, const char *path,
                                        struct plan_fact *fact)
{
    fact->there_len = looking->kept_len == 0 ? 1 : looking->kept_len;
    if (looking->parent == NULL) {
        return CORDON_OK;
    }
    fact->resolved = arena_printf(looking->arena, "%s%s",
                                  strcmp(looking->parent, "/") == 0 ? "" : looking->parent,
                                  path + looking->kept_len);
    return fact->resolved == NULL ? out_of_memory(looking) : CORDON_OK;
}

/* What was missing last was missing in the same directory. */
static bool is_in_kept(const struct looking *looking, const char *path)
{
    const size_t len = (size_t)(strrchr(path, '/') - path);

    return looking->missing_len > 0 && len == looking->kept_len &&
           memcmp(path, looking->missing, len) == 0;
}

static enum cordon_err missing_name(struct looking *looking, const char *path,
                                    struct plan_fact *fact)
{
    char parent[PATH_MAX];
    size_t len = strlen(path);
    const char *name;
    int fd = -1;

    if (len >= sizeof(parent)) {
        return CORDON_OK;
    }
    if (is_in_kept(looking, path)) {
        looking->missing_len = len;
        memcpy(looking->missing, path, len);
        return missing_resolved(looking, path, fact);
    }
    memcpy(parent, path, len + 1);
    while (fd < 0 && len > 1) {
        do {
            len--;
        } while (len > 0 && parent[len] != '/');
        len = len == 0 ? 1 : len;
        parent[len] = '\0';
        fd = open(parent, O_PATH | O_CLOEXEC);
    }
    if (fd < 0) {
        return CORDON_OK;
    }
    name = descriptor_name(looking, fd);
    (void)close(fd);
    looking->parent = name == NULL || strcmp(name, parent) == 0 ? NULL : name;
    looking->kept_len = len == 1 ? 0 : len;
    looking->missing_len = looking->kept_len + 1 + strcspn(path + looking->kept_len + 1, "/");
    memcpy(looking->missing, path, looking->missing_len);
    return missing_resolved(looking, path, fact);
}

/* Nothing is looked up below what is missing: a policy may name a thousand paths there. */
static bool is_below_missing(const struct looking *looking, const char *path)
{
    return looking->missing_len > 0 && strncmp(path, looking->missing, looking->missing_len) == 0 &&
           path[looking->missing_len] == '/';
}

/* The same below another name in the same directory: one look tells. */
static bool is_beside_missing(struct looking *looking, const char *path)
{
    size_t len = looking->kept_len;
    size_t next;
    int fd;

    if (looking->missing_len == 0 || strncmp(path, looking->missing, len + 1) != 0) {
        return false;
    }
    next = len + 1 + strcspn(path + len + 1, "/");
    if (path[next] != '/' || next >= sizeof(looking->missing)) {
        return false; /* the last component: it may be a link that leads nowhere */
    }
    memcpy(looking->missing, path, next);
    looking->missing[next] = '\0';
    looking->missing_len = next;
    fd = open(looking->missing, O_PATH | O_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
        looking->missing_len = 0;
    }
    return fd < 0;
}

/* What is in a file of one line, to the end of that; "" where nothing can be read. */
static void line_read(const char *path, char text[PATH_MAX])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t len = fd < 0 ? -1 : read(fd, text, PATH_MAX - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    text[len < 0 ? 0 : len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
}

static enum cordon_err text_keep(const struct looking *looking, const char *path, const char *text)
{
    struct kept_text *kept = arena_alloc(looking->arena, sizeof(*kept));

    if (kept == NULL) {
        return out_of_memory(looking);
    }
    *kept = (struct kept_text){
        .next = looking->kept->texts, .path = path, .text = arena_strdup(looking->arena, text)};
    looking->kept->texts = kept;
    return kept->text == NULL ? out_of_memory(looking) : CORDON_OK;
}

static bool texts_hold(const struct platform_kept *kept)
{
    char text[PATH_MAX];

    for (const struct kept_text *of = kept->texts; of != NULL; of = of->next) {
        line_read(of->path, text);
        if (strcmp(text, of->text) != 0) {
            return false;
        }
    }
    return true;
}

/* "gitdir: PATH" of a file named .git: what protects a worktree's real directory. */
static enum cordon_err gitdir_read(const struct looking *looking, const char *path,
                                   struct plan_fact *fact)
{
    const char *slash = strrchr(path, '/');
    char text[PATH_MAX];
    char resolved[PATH_MAX];
    char full[2 * PATH_MAX];

    if (slash == NULL || strcmp(slash, "/.git") != 0 || fact->object != PLAN_FILE) {
        return CORDON_OK;
    }
    line_read(path, text);
    if (looking->kept != NULL && text_keep(looking, path, text) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    if (strncmp(text, "gitdir: ", 8) != 0) {
        return CORDON_OK;
    }
    if (text[8] == '/') {
        (void)snprintf(full, sizeof(full), "%s", text + 8);
    } else {
        (void)snprintf(full, sizeof(full), "%.*s/%s", (int)(slash - path), path, text + 8);
    }
    witness_name(witness_of(looking), full);
    if (realpath(full, resolved) == NULL) {
        return CORDON_OK; /* points nowhere: git does not follow it either */
    }
    fact->gitdir = arena_strdup(looking->arena, resolved);
    return fact->gitdir == NULL ? out_of_memory(looking) : CORDON_OK;
}

/* Fills @fact; *ret_fd is the object's O_PATH descriptor, or -1. */
static enum cordon_err look(struct looking *looking, const char *path, struct plan_fact *fact,
                            int *ret_fd)
{
    struct stat st;
    enum cordon_err err = CORDON_OK;
    const char *name;
    int fd;

    *ret_fd = -1;
    witness_name(witness_of(looking), path);
    if (is_below_missing(looking, path) || is_beside_missing(looking, path)) {
        return missing_resolved(looking, path, fact);
    }
    fact->link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        return missing_name(looking, path, fact);
    }
    fact->object = object_kind(st.st_mode);
    name = descriptor_name(looking, fd);
    if (name == NULL) {
        (void)close(fd);
        return out_of_memory(looking);
    }
    fact->resolved = strcmp(name, path) == 0 ? NULL : name;
    err = gitdir_read(looking, path, fact);
    if (err != CORDON_OK) {
        (void)close(fd);
        return err;
    }
    *ret_fd = fd;
    return CORDON_OK;
}

/* fanotify(7) tells of names on file systems that can open a handle again. */
static bool is_nameless(int fd)
{
    union {
        struct file_handle head;
        char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } handle;
    int mount;

    handle.head.handle_bytes = MAX_HANDLE_SZ;
    return name_to_handle_at(fd, "", &handle.head, &mount, AT_EMPTY_PATH) != 0 &&
           errno == EOPNOTSUPP;
}

static bool is_grant(const struct policy_rule *rule)
{
    return rule->access == ACCESS_READ || rule->access == ACCESS_WRITE;
}

/* Facts of one set; descriptors of what it grants go to @fds (NULL: none are kept). */
static enum cordon_err look_at_set(struct looking *looking, const struct policy_ruleset *set,
                                   const struct plan_fact **ret_facts, int *fds)
{
    struct plan_fact *facts = arena_array(looking->arena, set->count, sizeof(*facts));
    enum cordon_err err = CORDON_OK;

    if (facts == NULL) {
        return out_of_memory(looking);
    }
    for (size_t i = 0; err == CORDON_OK && i < set->count; i++) {
        int fd = -1;

        if (!set->rules[i].glob) {
            err = look(looking, set->rules[i].pattern, &facts[i], &fd);
        }
        facts[i].nameless = fd >= 0 && set->rules[i].access == ACCESS_WRITE && is_nameless(fd);
        if (fds != NULL && is_grant(&set->rules[i])) {
            fds[i] = fd;
            if (fd >= 0) {
                witness_object(witness_of(looking), fd);
            }
        } else if (fd >= 0) {
            (void)close(fd);
        }
    }
    *ret_facts = facts;
    return err;
}

static int *fd_array(struct arena *arena, size_t count)
{
    int *fds = arena_array(arena, count, sizeof(*fds));

    for (size_t i = 0; fds != NULL && i < count; i++) {
        fds[i] = -1;
    }
    return fds;
}

static enum cordon_err look_at_cwd(struct looking *looking, const char *cwd,
                                   struct plan_facts *facts)
{
    struct plan_fact fact = {.object = PLAN_MISSING};
    int fd = -1;
    enum cordon_err err = look(looking, cwd, &fact, &fd);

    if (fd >= 0) {
        (void)close(fd);
    }
    facts->cwd = fact.resolved == NULL ? cwd : fact.resolved;
    facts->cwd_object = fact.object;
    return err;
}

/* Of a job that shows when it is started (launch.c): to try it here takes a process, and 0.4 ms
 * while the supervisor starts another. */
static bool may_have_user_namespaces(const struct platform_start *start)
{
    return start->embedded && (start->program != NULL || linux_user_namespaces());
}

/* Objects of the policy's paths, as the caller finds them. */
static enum cordon_err look_at_all(struct looking *looking, const struct policy *policy,
                                   const char *cwd, struct platform_resolved *resolved)
{
    enum cordon_err err =
        look_at_set(looking, &policy->own, &resolved->facts.own, resolved->own_fds);

    if (err == CORDON_OK) {
        err = look_at_set(looking, &policy->managed, &resolved->facts.managed, NULL);
    }
    if (err == CORDON_OK) {
        err = look_at_cwd(looking, cwd, &resolved->facts);
    }
    for (size_t i = 0; err == CORDON_OK && i < policy->unix_socket_count; i++) {
        witness_name(witness_of(looking), policy->unix_sockets[i]);
        resolved->socket_fds[i] = open(policy->unix_sockets[i], O_PATH | O_CLOEXEC);
    }
    return err;
}

/* Walks of a snapshot look at more than is witnessed. */
static struct platform_kept *kept_new(const struct platform_start *start,
                                      const struct plan_host *host, struct arena *arena)
{
    struct platform_kept *kept =
        start->keep && (host->fanotify || host->bpf) ? arena_alloc(arena, sizeof(*kept)) : NULL;

    if (kept != NULL) {
        *kept = (struct platform_kept){.order = -1, .witness = witness_new()};
    }
    return kept != NULL && kept->witness != NULL ? kept : NULL;
}

enum cordon_err linux_resolve(const struct policy *policy, const struct platform_start *start,
                              struct arena *arena, struct platform_resolved *ret_resolved,
                              struct cordon_fault *fault)
{
    struct looking looking = {.arena = arena, .fault = fault};
    struct platform_resolved resolved = {.own_count = policy->own.count,
                                         .socket_count = policy->unix_socket_count};
    struct plan_host *host = &resolved.facts.host;
    enum cordon_err err = CORDON_OK;

    /* The rest is the supervisor's to say. */
    host->landlock_abi = linux_landlock_abi();
    host->user_namespaces = may_have_user_namespaces(start);
    host->fanotify = !start->embedded && (start->host & IPC_HOST_FANOTIFY) != 0;
    host->bpf = !start->embedded && (start->host & IPC_HOST_BPF) != 0;
    host->controllers =
        start->embedded ? 0 : start->host / IPC_HOST_MEMORY & (uint32_t)PLAN_CONTROLLER_ALL;
    resolved.facts.superuser = geteuid() == 0;
    resolved.facts.privileged = !start->embedded || linux_is_privileged();
    err = linux_rehearse(policy, start, !host->fanotify && !host->bpf, fault);
    if (err != CORDON_OK) {
        return err;
    }
    resolved.own_fds = fd_array(arena, policy->own.count);
    resolved.socket_fds = fd_array(arena, policy->unix_socket_count);
    if (resolved.own_fds == NULL || resolved.socket_fds == NULL) {
        return out_of_memory(&looking);
    }
    resolved.kept = kept_new(start, host, arena);
    looking.kept = resolved.kept;
    err = look_at_all(&looking, policy, start->cwd, &resolved);
    if (err != CORDON_OK) {
        linux_resolved_release(&resolved);
        return err;
    }
    *ret_resolved = resolved;
    return CORDON_OK;
}

static void close_each(int *fds, size_t count)
{
    for (size_t i = 0; fds != NULL && i < count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
        fds[i] = -1;
    }
}

void linux_resolved_idle(struct platform_resolved *resolved)
{
    close_each(resolved->own_fds, resolved->own_count);
    close_each(resolved->socket_fds, resolved->socket_count);
}

void linux_resolved_release(struct platform_resolved *resolved)
{
    linux_resolved_idle(resolved);
    resolved->own_fds = NULL;
    resolved->socket_fds = NULL;
    if (resolved->kept != NULL) {
        witness_free(resolved->kept->witness);
        if (resolved->kept->order >= 0) {
            (void)close(resolved->kept->order);
        }
        resolved->kept = NULL;
    }
}

bool linux_resolved_holds(const struct platform_resolved *resolved)
{
    return resolved->kept != NULL && resolved->kept->order >= 0 &&
           witness_holds(resolved->kept->witness) && texts_hold(resolved->kept);
}
