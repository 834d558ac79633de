/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_WINE_INSTALL_H
#define CORDON_TESTS_WINE_INSTALL_H

#include "platform/windows/install.h"

/* The key below HKLM that stands for the account of jobs. */
#define INSTALL_ACCOUNT "Software\\cordon-test-account"

#endif
