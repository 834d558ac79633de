/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf(2) for those who use the maps but must stay small: the broker, and cordon-init, for
 * whose C library there is no libbpf. All return -1 with errno set, or 0 or a descriptor.
 */
#ifndef CORDON_LINUX_BPF_CALL_H
#define CORDON_LINUX_BPF_CALL_H

#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int sys_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static inline uint64_t sys_bpf_pointer(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* The map pinned at @path. */
static inline int sys_bpf_get(const char *path)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.pathname = sys_bpf_pointer(path);
    return sys_bpf(BPF_OBJ_GET, &attr);
}

static inline int sys_bpf_element(enum bpf_cmd command, int map, const void *key, const void *value)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.map_fd = (uint32_t)map;
    attr.key = sys_bpf_pointer(key);
    attr.value = sys_bpf_pointer(value);
    return sys_bpf(command, &attr);
}

static inline int sys_bpf_update(int map, const void *key, const void *value)
{
    return sys_bpf_element(BPF_MAP_UPDATE_ELEM, map, key, value);
}

static inline int sys_bpf_delete(int map, const void *key)
{
    return sys_bpf_element(BPF_MAP_DELETE_ELEM, map, key, NULL);
}

static inline int sys_bpf_lookup(int map, const void *key, void *ret_value)
{
    return sys_bpf_element(BPF_MAP_LOOKUP_ELEM, map, key, ret_value);
}

/* The key after @key; NULL: the first. */
static inline int sys_bpf_next(int map, const void *key, void *ret_key)
{
    return sys_bpf_element(BPF_MAP_GET_NEXT_KEY, map, key, ret_key);
}

static inline int sys_bpf_map(enum bpf_map_type type, uint32_t entries, uint32_t key_size,
                              uint32_t value_size, uint32_t flags)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.map_type = type;
    attr.max_entries = entries;
    attr.key_size = key_size;
    attr.value_size = value_size;
    attr.map_flags = flags;
    return sys_bpf(BPF_MAP_CREATE, &attr);
}

#endif
