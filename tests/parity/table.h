/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of parity: policies as their authors write them, and what a job may do under each. One
 * shape for every back end; what decides is the caller's business.
 *
 *   # comment
 *   [world]                     lines about the host, as the back end's own world has them
 *   [policy NAME]               a new policy; then any of
 *   config TOML                 a line of the caller's configuration
 *   require TOML                a line of the managed requirements
 *   mode MODE | profile NAME | override K=V    as -s, -P and -c
 *   refused TEXT                no plan: its message has TEXT in it
 *   rw PATH | r- PATH | -- PATH what the job may do there: two cases, reading and writing
 */
#ifndef CORDON_TESTS_PARITY_TABLE_H
#define CORDON_TESTS_PARITY_TABLE_H

#include "platform/base/arena.h"
#include "policy/policy.h"

#define TABLE_POLICIES_MAX 128U
#define TABLE_ASKS_MAX 64U
#define TABLE_OVERRIDES_MAX 8U

struct table_ask {
    const char *path;
    bool read, write; /* what is expected */
    unsigned line;
};

struct table_policy {
    const char *name;
    const char *config;
    const char *require;
    const char *mode;
    const char *profile;
    const char *overrides[TABLE_OVERRIDES_MAX];
    size_t override_count;
    const char *refused;
    struct table_ask asks[TABLE_ASKS_MAX];
    size_t ask_count;
};

struct table {
    const char *world;
    struct table_policy policies[TABLE_POLICIES_MAX];
    size_t policy_count;
};

/* false, with a line on stderr: @path cannot be read, or has a line that means nothing. */
bool table_read(const char *path, struct arena *arena, struct table *ret_table);

#endif
