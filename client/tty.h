/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's terminal: which standard streams are one, its size, and raw
 * mode, which is undone on every way out that a process can see.
 */
#ifndef CORDON_CLIENT_TTY_H
#define CORDON_CLIENT_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tty {
    bool stream[3]; /* the standard streams that are a terminal */
    int in;         /* read from here; -1: standard input is none */
    int out;        /* written to here; -1: there is no terminal */
    bool raw;       /* between tty_raw() and tty_restore() */
};

/* Looks at descriptors 0 to 2. */
void tty_find(struct tty *ret_tty);

/* Rows and columns; 0 where unknown. */
void tty_size(const struct tty *tty, uint16_t *ret_rows, uint16_t *ret_cols);

/* Gives the master @pty the size of the terminal; the job gets SIGWINCH. */
void tty_copy_size(const struct tty *tty, int pty);

/* True if this process may read and change the terminal without being stopped for it. */
bool tty_foreground(const struct tty *tty);

/*
 * The place of the first key of @typed that would suspend what runs on the job's @pty, if it can
 * be suspended by nobody but us: a shell with jobs of its own does that itself, and a command
 * that ignores SIGTSTP is to be let alone. @len if there is none.
 */
size_t tty_suspend_key(int pty, const char *typed, size_t len);

/*
 * Every key goes through as a byte; the job's own pty gives it its meaning.
 * Nothing if standard input is no terminal or we are in the background.
 */
void tty_raw(struct tty *tty);

/* Back to how it was. Safe in a signal handler. */
void tty_restore(struct tty *tty);

#endif
