# SPDX-License-Identifier: Apache-2.0
"""terminal_caller.py CORDON FOLDER attack|control: an interactive shell on a terminal, as callers
have it.

attack: a job puts input into the terminals that it can reach; the shell must get none of it.
control: keys, size and hang-up, of a command run directly and in the sandbox: the same.
FOLDER is where terminal.py is.
"""
import os
import signal
import subprocess
import sys
import time

CORDON, FOLDER, WHAT = sys.argv[1:4]
sys.path.insert(0, FOLDER)
sys.dont_write_bytecode = True
from terminal import Session, main  # noqa: E402

SHELL = ("/bin/bash", "--norc", "--noprofile", "-i")
SANDBOX = f"'{CORDON}' sandbox linux "

# Every terminal by every way there is, with each form of the requests that type for a caller.
TYPIST = r'''
import ctypes, fcntl, glob, os
libc = ctypes.CDLL(None, use_errno=True)
fds = [0, 1, 2]
for path in ["/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ptmx", *glob.glob("/dev/pts/*"),
             *glob.glob("/proc/*/fd/*")]:
    for mode in (os.O_RDWR, os.O_WRONLY, os.O_RDONLY):
        try:
            fds.append(os.open(path, mode | os.O_NOCTTY | os.O_NONBLOCK))
        except OSError:
            pass
typed = 0
for fd in fds:
    for request in (0x5412, 0x5412 | 1 << 32, 0x5412 | 1 << 63):
        for key in b"touch typed\n":
            byte = ctypes.c_char(bytes([key]))
            typed += libc.syscall(16, fd, ctypes.c_ulong(request), ctypes.byref(byte)) == 0
    for request in (0x541C, 0x541C | 1 << 32):
        for code in (2, 3, 11, 14):
            text = ctypes.create_string_buffer(bytes([code]) + bytes(11))
            typed += libc.syscall(16, fd, ctypes.c_ulong(request), text) == 0
print("ty" + "ped", typed, "of", len(fds))
'''


def shell():
    session = Session(program=SHELL)
    session.type("PS1='pro''mpt> '; bind 'set enable-bracketed-paste off'\n")
    session.expect("prompt> ")
    return session


def nothing_is_typed():
    with open("typist.py", "w", encoding="ascii") as file:
        file.write(TYPIST)
    for words in ("", "-s danger-full-access "):
        for streams in ("", " </dev/null", " </dev/null >out 2>&1"):
            session = shell()
            session.type(f"{SANDBOX}{words}-- /usr/bin/python3 typist.py{streams}; echo en''ded\n")
            if not streams.endswith("out 2>&1"):
                session.expect("typed 0 of ")
            session.expect("ended")
            session.expect("prompt> ")
            time.sleep(0.1)
            session.type("test -e typed || echo cl''ean; exit 5\n")
            session.expect("clean")
            session.end(5)


def what_it_said():
    out = subprocess.run([CORDON, "sandbox", "linux", "--", "/usr/bin/python3", "typist.py"],
                         capture_output=True, text=True, check=True).stdout
    assert out.startswith("typed 0 of "), out


def both(case):
    """The case, of a command run directly and in the sandbox."""

    def run():
        for prefix in ("", SANDBOX + "-s workspace-write -- "):
            try:
                case(prefix)
            except AssertionError as error:
                raise AssertionError(f"{prefix or 'directly'}: {error}") from error

    run.__name__ = case.__name__
    return run


@both
def interrupt(prefix):
    session = shell()
    session.type(prefix + "sh -c 'echo rea\"\"dy; exec sleep 60'\n")
    session.expect("ready")
    session.type("\x03")
    session.expect("prompt> ")
    session.type("echo st''atus $?; stty -a | grep -o ' icanon\\| echo '; exit 5\n")
    session.expect("status 130")
    session.expect("icanon")
    session.expect("echo")
    session.end(5)


@both
def suspend_and_go_on(prefix):
    session = shell()
    session.type(prefix + "sh -c 'i=0; echo rea\"\"dy; while :; do i=$((i + 1)); echo $i >count; sleep 0.02; done'\n")
    session.expect("ready")
    time.sleep(0.2)
    session.type("\x1a")
    session.expect("Stopped")
    session.expect("prompt> ")
    time.sleep(0.2)
    session.type("a=$(cat count); sleep 0.3; test $a = $(cat count) && echo st''ill\n")
    session.expect("still")
    session.expect("prompt> ")
    session.type("bg\n")
    session.expect("prompt> ")
    session.type("sleep 0.3; test $a != $(cat count) && echo mo''ves\n")
    session.expect("moves")
    session.expect("prompt> ")
    session.type("fg\n")
    session.expect("while")
    time.sleep(0.3)
    session.type("\x1a")
    session.expect("Stopped")
    session.expect("prompt> ")
    session.type("fg\n")
    session.expect("while")
    time.sleep(0.3)
    session.type("\x03")
    session.expect("prompt> ")
    session.type("echo st''atus $?; jobs; exit 5\n")
    session.expect("status 130")
    session.end(5)


@both
def a_stop_that_is_caught(prefix):
    session = shell()
    session.type(prefix + "sh -c 'trap \"echo cau\"\"ght; exit 9\" TSTP; echo rea\"\"dy; while :; do :; done'\n")
    session.expect("ready")
    session.type("\x1a")
    time.sleep(0.3)
    session.type("fg 2>/dev/null; echo\n" if prefix else "\n")
    session.expect("caught")
    session.expect("prompt> ")
    session.type("exit 5\n")
    session.end(5)


@both
def a_stop_that_is_ignored(prefix):
    session = shell()
    session.type(prefix + "sh -c 'trap \"\" TSTP; echo rea\"\"dy; sleep 0.5; echo do\"\"ne; exit 9'\n")
    session.expect("ready")
    session.type("\x1a")
    session.expect("done")
    session.expect("prompt> ")
    session.type("echo st''atus $?; exit 5\n")
    session.expect("status 9")
    session.end(5)


@both
def window_size(prefix):
    session = shell()
    session.type(prefix + "sh -c 'trap \"stty size\" WINCH; stty size; while :; do sleep 0.05; done'\n")
    session.expect("33 111")
    session.resize(44, 122)
    session.expect("44 122")
    session.type("\x03")
    session.expect("prompt> ")
    session.type("stty size; exit 5\n")
    session.expect("44 122")
    session.end(5)


@both
def background(prefix):
    session = shell()
    session.type(prefix + "sh -c 'sleep 0.2; echo fr\"\"om; exit 7' & wait $!; echo st''atus $?\n")
    session.expect("from")
    session.expect("status 7")
    session.type(prefix + "cat &\n")
    session.expect("prompt> ")
    time.sleep(0.3)
    session.type("echo ty''ped\n")
    session.expect("typed")
    session.type("fg\n")
    session.expect("cat")
    time.sleep(0.3)
    session.type("for cat\n")
    session.expect("for cat\r\nfor cat")
    session.type("\x04")
    session.expect("prompt> ")
    session.type("exit 5\n")
    session.end(5)


@both
def hang_up(prefix):
    session = shell()
    session.type(prefix + "sh -c 'echo rea\"\"dy; exec sleep 47.7'\n")
    session.expect("ready")
    os.close(session.master)
    os.close(session.slave)
    end = time.monotonic() + 5
    while subprocess.run(["pgrep", "-f", "^sleep 47.7"], capture_output=True, check=False).returncode == 0:
        assert time.monotonic() < end, "it lives on"
        time.sleep(0.02)
    os.kill(session.pid, signal.SIGKILL)
    os.waitpid(session.pid, 0)


if WHAT == "attack":
    main((nothing_is_typed, what_it_said))
else:
    main((interrupt, suspend_and_go_on, a_stop_that_is_caught, a_stop_that_is_ignored, window_size, background,
          hang_up))
