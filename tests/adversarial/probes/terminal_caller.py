# SPDX-License-Identifier: Apache-2.0
"""terminal_caller.py CORDON FOLDER attack|control: an interactive shell on a terminal, as callers
have it.

attack: a job puts input into the terminals that it can reach; the shell must get none of it.
control: keys, size and hang-up, of a command run directly and in the sandbox: the same.
FOLDER is where terminal.py is.
"""
import os
import select
import signal
import subprocess
import sys
import time

CORDON, FOLDER, WHAT = sys.argv[1:4]
sys.path.insert(0, FOLDER)
sys.dont_write_bytecode = True
from terminal import LIMIT, Session, main  # noqa: E402

SHELL = ("/bin/bash", "--norc", "--noprofile", "-i")
SANDBOX = f"'{CORDON}' sandbox linux "
INTERRUPT, END_OF_FILE, SUSPEND = "\x03", "\x04", "\x1a"

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


PROMPT = "prompt> "


class Shell(Session):
    """The shell, at its prompt. What is waited for is never as it was typed: that comes back, too."""

    def __init__(self):
        super().__init__(program=SHELL)
        self.expect("bash-")  # what is typed while it changes the terminal can be lost
        self.do("PS1='pro''mpt> '; bind 'set enable-bracketed-paste off'", PROMPT)

    def key(self, key, *told):
        self.type(key)
        for text in told:
            self.expect(text)

    def do(self, line, *told):
        self.key(line + "\n", *told)

    def begin(self, prefix, script):
        """A command that runs until a key ends it, and has said so. Not dash, whose children borrow its
        memory until they are programs: one that is stopped before that keeps it from being stopped."""
        self.do(f"{prefix}bash -c 'echo rea\"\"dy; {script}'", "ready")

    def foreground(self):
        self.do("fg", "while")
        time.sleep(0.3)

    def stopped(self):
        """What the shell has started is, or has ended: it prompts."""
        end = time.monotonic() + LIMIT
        while PROMPT.encode() not in self.seen:
            assert time.monotonic() < end, f"it is not stopped: {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 4096)

    def leave(self, line="", *told):
        self.do(line + "exit 5", *told)
        self.end(5)


def nothing_is_typed():
    with open("typist.py", "w", encoding="ascii") as file:
        file.write(TYPIST)
    for words in ("", "-s danger-full-access "):
        for streams in ("", " </dev/null", " </dev/null >out 2>&1"):
            shell = Shell()
            shell.do(f"{SANDBOX}{words}-- /usr/bin/python3 typist.py{streams}; echo en''ded",
                     *(() if streams.endswith("out 2>&1") else ("typed 0 of ",)), "ended", PROMPT)
            time.sleep(0.1)
            shell.leave("test -e typed || echo cl''ean; ", "clean")


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
    shell = Shell()
    shell.begin(prefix, "exec sleep 60")
    shell.key(INTERRUPT, PROMPT)
    shell.leave("echo st''atus $?; stty -a | grep -o ' icanon\\| echo '; ", "status 130", "icanon", "echo")


@both
def suspend_and_go_on(prefix):
    shell = Shell()
    # By itself bash goes on after a key to interrupt if what it waits for ended a moment before.
    shell.begin(prefix, 'trap "exit 130" INT; i=0; while :; do i=$((i + 1)); echo $i >>count; sleep 0.02; done')
    time.sleep(0.2)
    shell.key(SUSPEND, "Stopped", PROMPT)
    # The job stops and goes on a moment after its client.
    shell.do("until a=$(tail -n 1 count); sleep 0.3; test $a = $(tail -n 1 count); do :; done; echo st''ill",
             "still", PROMPT)
    shell.do("bg", PROMPT)
    shell.do("until test $a != $(tail -n 1 count); do sleep 0.1; done; echo mo''ves", "moves", PROMPT)
    shell.foreground()
    shell.key(SUSPEND, "Stopped", PROMPT)
    shell.foreground()
    shell.key(INTERRUPT, PROMPT)
    shell.leave("echo st''atus $?; jobs; ", "status 130")


@both
def a_stop_that_is_caught(prefix):
    shell = Shell()
    shell.do(prefix + "sh -c 'trap \"echo >came; echo cau\"\"ght; exit 9\" TSTP; echo rea\"\"dy; while :; do :; done'",
             "ready")
    shell.type(SUSPEND)
    if prefix:
        shell.stopped()
    # In the kernel SIGCONT takes back a stop that has not come to its process yet.
    end = time.monotonic() + LIMIT
    while not os.path.exists("came"):
        assert time.monotonic() < end, f"it has caught nothing: {shell.seen!r}"
        time.sleep(0.02)
    os.remove("came")
    shell.do("fg 2>/dev/null; echo" if prefix else "", "caught", PROMPT)
    shell.leave()


@both
def a_stop_that_is_ignored(prefix):
    shell = Shell()
    shell.do(prefix + "sh -c 'trap \"\" TSTP; echo rea\"\"dy; sleep 0.5; echo do\"\"ne; exit 9'", "ready")
    shell.key(SUSPEND, "done", PROMPT)
    shell.leave("echo st''atus $?; ", "status 9")


@both
def window_size(prefix):
    shell = Shell()
    shell.do(prefix + "sh -c 'trap \"stty size\" WINCH; stty size; while :; do sleep 0.05; done'", "33 111")
    shell.resize(44, 122)
    shell.expect("44 122")
    shell.key(INTERRUPT, PROMPT)
    shell.leave("stty size; ", "44 122")


@both
def background(prefix):
    shell = Shell()
    shell.do(prefix + "sh -c 'sleep 0.2; echo fr\"\"om; exit 7' & wait $!; echo st''atus $?", "from", "status 7")
    shell.do(prefix + "cat &", PROMPT)
    time.sleep(0.3)
    shell.do("echo ty''ped", "typed")
    shell.do("fg", "cat")
    time.sleep(0.3)
    shell.do("for cat", "for cat\r\nfor cat")
    shell.key(END_OF_FILE, PROMPT)
    shell.leave()


@both
def hang_up(prefix):
    shell = Shell()
    shell.begin(prefix, "exec sleep 47.7")
    os.close(shell.master)
    os.close(shell.slave)
    end = time.monotonic() + 5
    while subprocess.run(["pgrep", "-f", "^sleep 47.7"], capture_output=True, check=False).returncode == 0:
        assert time.monotonic() < end, "it lives on"
        time.sleep(0.02)
    os.kill(shell.pid, signal.SIGKILL)
    os.waitpid(shell.pid, 0)


if WHAT == "attack":
    main((nothing_is_typed, what_it_said))
else:
    main((interrupt, suspend_and_go_on, a_stop_that_is_caught, a_stop_that_is_ignored, window_size, background,
          hang_up))
