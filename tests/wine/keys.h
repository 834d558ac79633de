/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for the state and keys to deny, on the system this runs on. */
#ifndef CORDON_TESTS_WINE_KEYS_H
#define CORDON_TESTS_WINE_KEYS_H

#include <windows.h>

#include "platform/windows/state.h"

#define KEYS_DOMAIN "S-1-5-21-1-2-3"
#define KEYS_JOB KEYS_DOMAIN "-1001"
#define KEYS_FOLDER "C:\\cordon"
#define KEYS_TOP "HKLM\\Software\\cordon-test"
#define KEYS_A KEYS_TOP "\\a"
#define KEYS_B KEYS_TOP "\\b"
#define KEYS_BELOW KEYS_TOP "\\b\\below"
#define KEYS_NEW KEYS_TOP "\\n\\m"

/* Makes them anew, with lists that grant everything to everyone; nothing else is left there. */
bool keys_make(void);

/* All lists below KEYS_TOP, a line each. */
void keys_print(struct strbuf *out);
/* Whether one of them names @sid. */
bool keys_name(const char *sid);

/* The code of opening a key for reading: in this process, and in a child that runs with @token. */
uint32_t keys_open_here(const char *key);
uint32_t keys_open_as(HANDLE token, const char *key);
/* For main() of a program that calls keys_open_as(): true, and what to exit with, in the child. */
bool keys_child(int argc, char **argv, int *ret_status);

struct state_config keys_config(const struct api *api);

#endif
