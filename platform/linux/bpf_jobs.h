/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's part of decisions by the kernel's own program (bpf/): which
 * of its jobs has which slot, which part of the map of tables, and which ring.
 */
#ifndef CORDON_LINUX_BPF_JOBS_H
#define CORDON_LINUX_BPF_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/ipc.h"
#include "platform/linux/order.h"
#include "policy/dfa.h"

#define BPF_FOLDER "/sys/fs/bpf/cordon"

/* ---- probe_bpf.c ---- */
/*
 * At the start of the service, once: has the program loaded and seen to refuse, then calls
 * @open_maps. True: it decides, as long as this process lives and after.
 */
bool bpf_start(bool (*open_maps)(void));
/* True: it does, by bpf_start() here or by another process's. *ret_why, a static text, says how,
 * or why not. For others than the service this may load it for a trial. */
bool bpf_decides(const char **ret_why);

/* ---- bpf_jobs.c ---- */
/* Opens the maps that the loader pinned. */
bool bpf_maps_open(void);

/* A table with its rules' access bytes (enum policy_access). */
struct bpf_table {
    const void *block;
    size_t len;
    const uint8_t *access;
    size_t rules;
};

/* What one job has of the kernel's program. */
struct bpf_job {
    uint32_t slot;                                           /* ORDER_NO_SLOT: nothing */
    uint32_t tag;                                            /* 0: none yet */
    uint32_t first[ORDER_SET_COUNT], count[ORDER_SET_COUNT]; /* pages of the map of tables */
    int ring;                                                /* readable when it has records */
    uint64_t *taken;      /* mapped: how far its bytes were read */
    unsigned char *given; /* mapped: how far they were written, then the bytes, twice */
    uint64_t told;        /* denials that were handed on, with or without a record */
};

/*
 * Gives the job a slot and copies its tables. CORDON_E_LIMIT: no slot or no room for the tables;
 * CORDON_E_OS. After either there is nothing to close.
 */
CORDON_MUST_USE enum cordon_err bpf_job_open(const struct bpf_table tables[ORDER_SET_COUNT],
                                             struct bpf_job *ret_job, struct cordon_fault *fault);
/* For cordon-init: the maps of tags and of jobs, and where the tables of the job lie. */
int bpf_tags_fd(void);
int bpf_jobs_fd(void);
uint32_t bpf_job_base(const struct bpf_job *job, uint32_t set);
/* The last process is gone and another first will come: nothing that was known of names stays. */
CORDON_MUST_USE enum cordon_err bpf_job_renew(struct bpf_job *job, struct cordon_fault *fault);
/* Once the first process is there: so that the tag can be taken back whatever that does. */
void bpf_job_seen(struct bpf_job *job, int pid);
/* After the last process of the job is gone. */
void bpf_job_close(struct bpf_job *job);

/* ---- bpf_ring.c ---- */
CORDON_MUST_USE enum cordon_err bpf_ring_map(struct bpf_job *job, struct cordon_fault *fault);
void bpf_ring_unmap(struct bpf_job *job);
/* As denials_receive(). */
CORDON_MUST_USE enum cordon_err bpf_job_receive(struct bpf_job *job,
                                                struct ipc_violation *ret_violation);
/* All denials so far. */
uint64_t bpf_job_denied(const struct bpf_job *job);

#endif
