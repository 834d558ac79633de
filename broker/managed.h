/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The managed policy as generations: each is a whole set of files that could
 * be read, parsed and compiled. A broken update leaves the last good one in
 * force; with none, every job is refused with the reason. Fetched requirements
 * are one more file of the set: trouble with them alone is an alarm and leaves
 * the last that was in force, but for what fetch.toml refuses.
 */
#ifndef CORDON_BROKER_MANAGED_H
#define CORDON_BROKER_MANAGED_H

#include "broker/rule_texts.h"
#include "platform/host.h"
#include "platform/platform.h"
#include "platform/redact.h"

struct managed {
    struct managed_places places;
    enum policy_os os;
    uint32_t host;              /* enum ipc_host; told to every worker */
    uint64_t signature;         /* of the files when they were last read */
    uint64_t generation;        /* 0: there is no good one */
    struct managed_files files; /* of that generation */
    struct cordon_fault fault;  /* why the latest files are not in force; else CORDON_OK */
    int sink_fd;                /* file that records go to, of that generation; -1: the journal */
    bool keeps;                 /* a fetched document is kept on the disk before it is in force */
    struct fetched fetched;    /* of that generation; its newest is in force unless there is none */
    struct cordon_fault alarm; /* what is wrong with fetched requirements; else CORDON_OK */
    struct cordon_fault stale; /* why the document in force is too old; else CORDON_OK */
    struct cordon_fault refusal; /* why every job is refused all the same; else CORDON_OK */
};

void managed_init(struct managed *managed, const struct managed_places *places, enum policy_os os);
void managed_deinit(struct managed *managed);

enum managed_change { MANAGED_SAME, MANAGED_NEW, MANAGED_BROKEN };
/*
 * Reads the files if they changed since the last time, or if @force; looks at the clock. BROKEN is
 * told once of the same mistake, unless @force. What is read opens the file of records anew; one
 * that cannot be opened breaks the update.
 */
enum managed_change managed_refresh(struct managed *managed, bool force);

/* Why no job is started; NULL: some may be. */
const struct cordon_fault *managed_refusal(const struct managed *managed);

/*
 * Whether nothing is wrong but that the fetched document in force is too old, which fetch.toml
 * allows: what was read is in force.
 */
bool managed_is_warning(const struct managed *managed);

/* What one caller's jobs are checked against; made from one generation. */
struct managed_rules {
    uint64_t generation; /* 0: none was made yet */
    struct arena arena;
    struct policy *policy;
    struct dfa *table;
    int table_fd;             /* with @table: sealed memfd of the same; else undefined */
    struct rule_block *block; /* texts of its rules; NULL: not made yet */
    struct redact *redact;    /* of records; NULL: nothing */
};
void managed_rules_deinit(struct managed_rules *rules); /* all zero is allowed */

/*
 * Brings @rules to the present generation for @user.
 * CORDON_E_STATE: there is no good generation; the fault says why. Else as policy_load_managed()
 * and policy_compile(); @rules is then empty.
 */
CORDON_MUST_USE enum cordon_err managed_rules_update(const struct managed *managed,
                                                     const struct host_user *user,
                                                     struct managed_rules *rules,
                                                     struct cordon_fault *fault);

/* What a worker is told, as a sealed memfd. */
CORDON_MUST_USE enum cordon_err managed_memfd(const struct managed *managed,
                                              const struct host_user *user, int *ret_fd,
                                              struct cordon_fault *fault);

/* Between a fault and its fixed-size form. */
void fault_to_ipc(const struct cordon_fault *fault, struct ipc_fault *ret_fault);
void fault_from_ipc(const struct ipc_fault *in, struct cordon_fault *ret_fault);

#endif
