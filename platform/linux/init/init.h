/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordon-init: builds one job's sandbox from the inside and stays as its pid 1.
 * It starts in fresh namespaces with every privilege over them and nothing but
 * the descriptors of enum order_init_fd; it ends as the caller with nothing.
 *
 * Every function of the set-up returns CORDON_OK or fills the fault; main.c
 * reports it and exits. A step that fails ends the job: there is no weaker way.
 */
#ifndef CORDON_LINUX_INIT_H
#define CORDON_LINUX_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "platform/base/err.h"
#include "platform/linux/init/alias.h"
#include "platform/linux/init/mounts.h"
#include "platform/linux/order.h"
#include "platform/platform.h"
#include "policy/dfa.h"

#define INIT_GRANTS_MAX IPC_FDS_MAX
#define INIT_PRIVATE_MAX 64U

struct init {
    const struct order_head *order;
    const struct dfa *table[ORDER_SET_COUNT];
    int source[INIT_GRANTS_MAX]; /* detached trees of the grants, in step order */
    int device[8];               /* detached trees of the device nodes */
    int filesystem[4];           /* ... of /dev, /dev/pts, /dev/shm, /proc */
    /* st_dev of the view's own file systems: mount points may be made only there. */
    uint64_t private_dev[INIT_PRIVATE_MAX];
    uint32_t private_count;
    int mask_dir; /* empty, unreadable directory on a small file system of its own */
    uint64_t mask_dev;
    int mask_file;                   /* the same for everything that is not a directory */
    int open_mask[INIT_PRIVATE_MAX]; /* masks with something granted below; sealed last */
    uint32_t open_mask_count;
    uint32_t masked;
    struct mount_table host;   /* the host's mounts; empty: nothing asks for them */
    struct alias_list aliases; /* further names of what the view shows */
    int clone;                 /* of the host's tree for watch.c; -1: nothing is watched */
    pid_t guard, keeper;       /* 0: none */
    pid_t child;               /* the command, or what will be it */
    bool ahead;                /* no command is due yet */
    bool scanned;              /* what exists was looked for, and what comes later is not */
    char **sockets;            /* the host's, as they were masked, if it is ahead; sorted */
    size_t socket_count;
    struct note *notes; /* what the set-up found, if it is ahead */
    size_t note_count;
    /* How many names the kernel's program knows of the job, and how many it did when all was set
     * up; NULL: it does not decide. */
    const volatile uint32_t *epoch;
    uint32_t epoch_before;
    int control;               /* to the supervisor, once INIT_FD_CHANNEL leads to the worker */
    int children;              /* the kernel's list of ours; -1: none */
    bool is_waited_for;        /* who hears of the end waits for ours as well: a private broker */
    bool gone;                 /* nothing of the job runs any more but what is ours */
    struct batch_words *words; /* the guard's: see batch.h */
    int guard_life;            /* the guard's to cordon-index: gone if that is; -1: it has none */
    int guard_finish;          /* written to or closed: the guard takes in what is left, and ends */
    int events;                /* what the guard has yet to take in: see watch.h */
    int guard_ready;           /* to read a byte from once it answers; -1: nobody is waited for */
    struct barren *barren;     /* what the walks of view_apply() need not read; NULL: nothing */
    struct cordon_fault fault;
};

/* ---- parts.c: what the job is ---- */
/* First of all, while nothing else is open: the numbers of what comes later are kept free for it.
 */
bool parts_begin(void);
/* Whether something has come: if not, nobody waits for this job yet. */
bool parts_are_due(void);
/* Waits for them. */
CORDON_MUST_USE enum cordon_err parts_take(struct init *init);

/* ---- identity.c ---- */
/* The caller's groups, limits, umask, nice, place in the order of OOM kills; still privileged. */
CORDON_MUST_USE enum cordon_err identity_prepare(struct init *init);
/* setrlimit(2), as far as it can be given back. */
void identity_limit(int which, rlim_t soft, rlim_t hard);
/* In a user namespace of its own: maps the caller onto himself. */
CORDON_MUST_USE enum cordon_err identity_map_user(struct init *init);
/* File-system accesses as the caller, and back; mounting rights stay. */
void identity_as_caller(const struct init *init);
void identity_as_setup(const struct init *init);
/* For good: no capability but the bits of @keep, no_new_privs, not dumpable; ids stay. */
CORDON_MUST_USE enum cordon_err identity_narrow(struct init *init, uint64_t keep);
/* For good, while still privileged: no capability can be had by executing anything any more. */
CORDON_MUST_USE enum cordon_err identity_bound(struct init *init);
/*
 * One capability that this process has: whoever holds one that somebody lacks cannot be traced by
 * him, see ptrace(2). 0: it has none.
 */
CORDON_MUST_USE enum cordon_err identity_shield(struct init *init, uint64_t *ret_keep);
/* For good: the caller's ids, no capability but the bits of @keep, no_new_privs, not dumpable. */
CORDON_MUST_USE enum cordon_err identity_become(struct init *init, uint64_t keep);
/* ... and no capability at all. */
CORDON_MUST_USE enum cordon_err identity_drop(struct init *init);

/* ---- view.c: the tree that the job will see ---- */
/* The host's mounts and name as they are now, for this process alone. */
CORDON_MUST_USE enum cordon_err view_own(struct init *init);
/* What the host has mounted where, before the view hides some of it. */
CORDON_MUST_USE enum cordon_err view_prepare(struct init *init);
/* Takes the sources from the host's tree, then makes the view the root. */
CORDON_MUST_USE enum cordon_err view_enter(struct init *init);
/* Applies the order's object, mask and link steps, in order. */
CORDON_MUST_USE enum cordon_err view_apply(struct init *init);
/* Last of all: nothing of the set-up stays reachable or writable. */
CORDON_MUST_USE enum cordon_err view_seal(struct init *init);
/* Opens @path in the view as the caller, O_PATH; errno on -1. */
int view_open(const struct init *init, const char *path, bool follow);
/* By its errno: nothing there, or nothing that the caller, and so the job, could ever reach. */
bool view_is_absent(int code);
/* The name of what is behind @fd, at most @size bytes with its NUL. */
CORDON_MUST_USE enum cordon_err view_name(struct init *init, int fd, char *ret_name, size_t size);
bool view_is_private(const struct init *init, uint64_t dev);
void view_add_private(struct init *init, uint64_t dev);

/* ---- leave.c: the host's tree goes, beside the set-up ---- */
/* It is on top of the view. */
void leave_begin(void);
/* Nothing of it can be seen or named any more. */
CORDON_MUST_USE enum cordon_err leave_sight(struct init *init);
/* It is gone, and there is no other thread for it. */
CORDON_MUST_USE enum cordon_err leave_end(struct init *init);

/* ---- network.c: made beside the set-up ---- */
/* Makes one before the job is known, if nobody waits for that yet. */
CORDON_MUST_USE enum cordon_err network_ahead(struct init *init);
/* From now on one is made, unless there is one or the job has the host's. */
CORDON_MUST_USE enum cordon_err network_begin(struct init *init);
/* It is the job's, and there is no other thread. */
CORDON_MUST_USE enum cordon_err network_enter(struct init *init);

/* ---- device.c: /dev, /dev/pts, /dev/shm, /proc ---- */
CORDON_MUST_USE enum cordon_err device_collect(struct init *init);
CORDON_MUST_USE enum cordon_err device_mount(struct init *init);

/* ---- mask.c ---- */
/* Their source, on the directory @path, where something else is to be mounted next. */
CORDON_MUST_USE enum cordon_err mask_prepare(struct init *init, const char *path);
/* Covers the object behind @fd (O_PATH in the view); @open: something is granted below. */
CORDON_MUST_USE enum cordon_err mask_object(struct init *init, int fd, bool open);
/* Covers the whole mount whose root is behind @fd; it is not asked anything. */
CORDON_MUST_USE enum cordon_err mask_mount(struct init *init, int fd);
/* Makes the object behind @fd, and all below it, read-only where it is. */
CORDON_MUST_USE enum cordon_err mask_read_only(struct init *init, int fd, const char *path);
/* Binds the step's object onto itself, if it exists. */
CORDON_MUST_USE enum cordon_err mask_pin(struct init *init, const struct order_step *step);
/* The step's object, if it exists. */
CORDON_MUST_USE enum cordon_err mask_step(struct init *init, const struct order_step *step);

/* ---- sockets.c ---- */
/* Masks host unix sockets bound now, but for those the order keeps. */
CORDON_MUST_USE enum cordon_err sockets_mask(struct init *init);
/* None was bound since where the job could see it. */
bool sockets_are_masked(struct init *init);

/* ---- scan.c: what the globs deny among the files that exist ---- */
CORDON_MUST_USE enum cordon_err scan_step(struct init *init, const struct order_step *step);
/* At and below @path, by the patterns of both sets, which spell it @spelled. */
CORDON_MUST_USE enum cordon_err scan_place(struct init *init, const char *path,
                                           const char *spelled);

/* ---- confine.c: second wall and system calls ---- */
CORDON_MUST_USE enum cordon_err confine_landlock(struct init *init);
CORDON_MUST_USE enum cordon_err confine_seccomp(struct init *init);

/* ---- limits.c ---- */
/* In the command's process: its own limits. An errno. */
int limits_take(const struct init *init);

/* ---- park.c: where a set-up that was made ahead of time waits for a command ---- */
/* Notes what the order's steps are about. */
CORDON_MUST_USE enum cordon_err park_look(struct init *init);
/* Returns once a command is due; ends the process, and says so, if the set-up is out of date. */
CORDON_MUST_USE enum cordon_err park_wait(struct init *init);

/* ---- command.c ---- */
struct command {
    struct channel_command head;
    int strings; /* as they came; to be closed when nobody waits for it */
    char **argv; /* NULL-terminated */
    char **env;
    int stdio[3];  /* -1: /dev/null */
    int pty_slave; /* -1: none */
};
/* Receives the command from the worker; opens and answers with the terminal. */
CORDON_MUST_USE enum cordon_err command_receive(struct init *init, struct command *ret_command);
/* Standard streams and working directory of this process become the job's. */
CORDON_MUST_USE enum cordon_err command_prepare(struct init *init, struct command *command);
/* ---- child.c: the process that becomes the command, waiting, in the job's control group ---- */
CORDON_MUST_USE enum cordon_err child_make(struct init *init);
/* Nothing is known that would keep it from executing. */
bool child_is_sound(void);
/* Lets it become the caller, while pid 1 does other things; then, before pid 1 does: it is. */
void child_drop(const struct init *init);
CORDON_MUST_USE enum cordon_err child_stands(struct init *init);
/*
 * Lets it execute, in the working directory of this one. Returns when it has executed or ended;
 * @signals becomes readable at its end. *ret_code: 0, or an errno of execve().
 */
CORDON_MUST_USE enum cordon_err child_run(struct init *init, const struct command *command,
                                          int signals, int *ret_code);
/* run.c: runs it, reaps, forwards signals, reports. Does not return. */
_Noreturn void command_run(struct init *init, const struct command *command);

/* ---- guard.c ---- */
/* Once the command is gone: what the guard has not seen yet is told for the jobs to come, most of
 * it without the help of another process. */
void guard_end(struct init *init);
/* The fault of a job that has none any more. */
enum cordon_err guard_is_gone(struct init *init);
/*
 * Of a job made ahead: from now on the guard, if there is one, tells what it sees. False: names
 * went since it was ready, or nobody is there to be told.
 */
bool guard_begins(const struct init *init);

/* ---- stop.c ---- */
/*
 * A signal from outside the job is the command's. Its process group is orphaned in its session,
 * where the kernel makes nothing of a SIGTSTP that is left to it: then the group is stopped, as a
 * terminal would.
 */
void init_pass_signal(pid_t command, int signo);

/* ---- main.c ---- */
void init_report(enum ipc_report_kind kind, uint32_t code, const struct init *init);

#endif
