/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of install.h and account.h over a machine in memory: its folders are those of the
 * disk there, its service holds the state's lock while it runs. Every call is written down and
 * counted by a tap.
 */
#ifndef CORDON_TESTS_FAKE_INSTALL_H
#define CORDON_TESTS_FAKE_INSTALL_H

#include "platform/windows/install.h"
#include "tests/support/api_tap.h"
#include "tests/support/fake_api.h"

struct fake_install {
    struct install_api install;
    struct account_api account;
    struct api_tap *tap;
    struct fake *world;
    const char *lock; /* path of the file that the service holds */
    /* What is the case. */
    bool administrator, source, service, running;
    bool is_account, hidden, denied, member;
    unsigned settings; /* a bit for each enum scm_setting */
    char command_line[256];
    api_handle held;
    /* What it answers. */
    bool is_others; /* the account is somebody else's */
    bool is_going;  /* the entry goes with somebody else's handle */
};

void fake_install_init(struct fake_install *fake, struct api_tap *tap, struct fake *world,
                       const char *lock);

#endif
