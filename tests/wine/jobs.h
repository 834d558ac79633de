/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_WINE_JOBS_H
#define CORDON_TESTS_WINE_JOBS_H

#include "platform/windows/launch.h"
#include "platform/windows/token.h"

/* The system's own calls, but for the limits of job objects: Wine heeds them and says, asked for
 * them, that there are none. test_wine_launch.c fails when that is over. */
const struct launch_api *wine_launch(void);

/*
 * token_win32() with a logon: a token of SIDs that no account has, and of what is added to them. Of
 * the rest that Wine has not, as much as is said is remembered when it is asked for, and told in
 * place of what is.
 */
enum wine_pretence {
    WINE_NOTHING,
    WINE_LEVELS, /* the integrity that was set */
    WINE_ALL     /* and the restricting SIDs, of the last token that was restricted */
};
const struct token_api *wine_tokens(enum wine_pretence pretence);

#endif
