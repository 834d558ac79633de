/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program needs of the kernel's structures. The loader moves each
 * member to where the running kernel has it (CO-RE); one that is not there
 * fails the load.
 */
#ifndef CORDON_LINUX_BPF_KERNEL_H
#define CORDON_LINUX_BPF_KERNEL_H

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#define UINT32_MAX 0xffffffffU

/* The kernel's binary interface; it brings __u8 and its like. */
#include <linux/bpf.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
    union {
        uint64_t hash_len;
        struct {
            uint32_t hash;
            uint32_t len;
        };
    };
    const unsigned char *name;
};
struct super_block {
    uint32_t s_dev;
    unsigned long s_flags;
    unsigned long s_magic;
};
struct inode {
    uint16_t i_mode;
    struct super_block *i_sb;
    unsigned long i_ino;
    uint32_t i_generation;
    unsigned int i_nlink;
};
struct seqcount {
    unsigned int sequence;
};
struct seqcount_spinlock {
    struct seqcount seqcount;
};
struct dentry {
    unsigned int d_flags;
    struct seqcount_spinlock d_seq;
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
};
struct path {
    struct dentry *dentry;
};
struct file {
    struct path f_path;
    unsigned int f_mode;
    unsigned int f_flags;
};
struct ns_common {
    unsigned int inum;
};
struct pid_namespace {
    struct ns_common ns;
};
struct upid {
    int nr;
    struct pid_namespace *ns;
};
struct pid {
    unsigned int level;
    struct upid numbers[1];
};
struct net {
    struct ns_common ns;
};
struct nsproxy {
    struct net *net_ns;
};
struct task_struct {
    struct pid *thread_pid;
    struct task_struct *group_leader;
    struct nsproxy *nsproxy;
    char comm[16];
};
typedef struct {
    struct net *net;
} possible_net_t;
struct sock_common {
    possible_net_t skc_net;
};
struct sock {
    struct sock_common __sk_common;
    struct pid *sk_peer_pid;
};
struct unix_sock {
    struct sock sk;
    struct path path;
};
struct socket {
    struct sock *sk;
};

#pragma clang attribute pop

/* linux/dcache.h; an enumeration since Linux 6.16, a number of its own before. */
enum dentry_flags { DCACHE_MOUNTED = 1 };
#define DCACHE_MOUNTED_BEFORE 0x10000U

#endif
