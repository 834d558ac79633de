/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Linux planner: the base layer, a private mount view. Steps are to be
 * applied in order; each one sees the view that the steps before it made.
 *
 * All paths are resolved (free of links) unless PLAN_STEP_LINK is set. Exact
 * rules of both sets come in one sequence, sorted by component depth, then
 * bytes, so that a deeper mount always lies on top of a shallower one.
 */
#ifndef CORDON_PLATFORM_PLAN_LINUX_H
#define CORDON_PLATFORM_PLAN_LINUX_H

#include "platform/plan.h"

enum plan_linux_op {
    /* value: PLAN_NS_* bits. Always first; absent when the job needs no view at all
     * (full access and no managed rule). */
    PLAN_LINUX_NAMESPACES,

    /* Exactly one where NAMESPACES is. path "/". */
    PLAN_LINUX_VIEW_READ_ROOT,  /* the host's tree, recursively read-only */
    PLAN_LINUX_VIEW_WRITE_ROOT, /* the host's tree as it is */
    PLAN_LINUX_VIEW_EMPTY_ROOT, /* a tmpfs; read-only once all steps are applied */

    /* Fresh file systems on /dev, /proc and /dev/shm. Rules below /dev come later and
     * may bind host nodes in; mount points are created in the private tmpfs. */
    PLAN_LINUX_PRIVATE_DEV,
    PLAN_LINUX_PRIVATE_PROC,
    PLAN_LINUX_PRIVATE_SHM,

    /* path: host object bound at its own place; kind. In an empty root, and below
     * /dev, the mount point and its parents are created first. */
    PLAN_LINUX_GRANT_READ,  /* recursively read-only */
    PLAN_LINUX_GRANT_WRITE, /* writable; nosuid, nodev */

    /* The same below a masked directory: the host object, not what the view shows at
     * path; mount point and parents are created in that mask's own tmpfs. */
    PLAN_LINUX_REOPEN_READ,
    PLAN_LINUX_REOPEN_WRITE,

    /* path: made read-only where it is (a bind of itself); kind. With LINK: the link
     * is bound on itself, which pins it against unlink and rename. */
    PLAN_LINUX_PROTECT,

    /* path: covered by an empty, unreadable object; kind. With OPEN (only for a
     * directory): a tmpfs of its own, mode 0111, since something is reopened below.
     * With LINK: the cover is attached to the link itself. Below /dev and /proc the
     * path may be missing in the view: no error. */
    PLAN_LINUX_MASK,

    /* A symbolic link at path with content text, in a private tmpfs of the view (the
     * empty root or an OPEN mask); parents are created. */
    PLAN_LINUX_VIEW_LINK,

    /*
     * Walk the view from path (links in path itself are followed, none below it) with
     * the automaton of `set`; mask what matches a deny, protect what matches a
     * deny-write. value: levels below path to look at, 0 for all. path is the spelling
     * that the patterns have, so match path + what is found below it. Must not enter
     * the view's private file systems (/dev, /proc, masks). rule is the first one that
     * asks for it. A missing path is no error.
     */
    PLAN_LINUX_SCAN,

    /*
     * Below path, which may be absent or a link, the automaton of `set` decides at each
     * open, listing and execution; so it does on every mount of the same file systems,
     * for what has other names there. rule is the first one that asks for it.
     */
    PLAN_LINUX_WATCH,

    /* path: a directory bound onto itself, writable as it is, so that it cannot be
     * renamed or removed while something below it is denied. */
    PLAN_LINUX_PIN,

    /* No connection to a unix socket outside the job, but for those that KEEP_SOCKET steps
     * name (path; right after it, sorted). text: which ones this holds for. */
    PLAN_LINUX_MASK_SOCKETS,
    PLAN_LINUX_KEEP_SOCKET,

    PLAN_LINUX_NET_OFF,  /* a network namespace with a loopback of its own */
    PLAN_LINUX_NET_HOST, /* the host's network namespace */

    PLAN_LINUX_IDENTITY, /* the caller's ids; no capability; no_new_privs */
    PLAN_LINUX_LANDLOCK, /* second wall; value: the ABI to use */
    PLAN_LINUX_SECCOMP,  /* text: name of the filter table, "job" or "full-access" */
    PLAN_LINUX_LIMIT,    /* value: of the limit; text: its key, what holds it, its origin */
    PLAN_LINUX_EXEC,     /* path: working directory */
    PLAN_LINUX_OP_COUNT
};

#define PLAN_NS_USER 0x01U /* embedded mode only */
#define PLAN_NS_MOUNT 0x02U
#define PLAN_NS_PID 0x04U
#define PLAN_NS_IPC 0x08U
#define PLAN_NS_UTS 0x10U
#define PLAN_NS_NET 0x20U

extern const char *const plan_linux_op_names[PLAN_LINUX_OP_COUNT];

/*
 * See plan_fn. With host.fanotify, in the service, deny rules are labelled `kernel`
 * and what exists is masked besides; deny-write rules, and all rules elsewhere, are
 * labelled `snapshot`. A set with such rules whose minimum is ENFORCE_KERNEL gives
 * CORDON_E_UNSUPPORTED, as does embedded mode without user namespaces (of a job its start says so).
 */
CORDON_MUST_USE enum cordon_err plan_linux(const struct policy *policy,
                                           const struct plan_facts *facts, struct arena *arena,
                                           struct plan **ret_plan, struct cordon_fault *fault);

#endif
