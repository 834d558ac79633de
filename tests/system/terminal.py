# SPDX-License-Identifier: Apache-2.0
"""terminal.py CORDON: what a person at a terminal sees of a sandboxed command.

Each case starts CORDON on a terminal of its own, types, and looks at what comes back, at the
exit status, and at whether the terminal is as it was.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

CORDON = sys.argv[1]
LIMIT = 20  # seconds that a case may take on a slow machine


class Session:
    """One command on a terminal of 33 rows and 111 columns."""

    def __init__(self, *command, program=(CORDON, "sandbox", "linux", "--")):
        master, slave = pty.openpty()
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.master, self.slave, self.seen = master, slave, b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.closerange(3, 256)
            words = [*program, *command]
            os.execv(words[0], words)

    def expect(self, text):
        """Reads until @text has come."""
        end = time.monotonic() + LIMIT
        while text.encode() not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} did not come, but {self.seen!r}")
            self.seen += os.read(self.master, 4096)
        self.seen = self.seen.split(text.encode(), 1)[1]

    def interrupt_until(self, text):
        """What is typed before the command has the terminal is the shell's."""
        end = time.monotonic() + LIMIT
        self.type("\x03")
        while text.encode() not in self.seen:
            if time.monotonic() > end:
                raise AssertionError(f"{text!r} did not come, but {self.seen!r}")
            if select.select([self.master], [], [], 0.5)[0]:
                self.seen += os.read(self.master, 4096)
            else:
                self.type("\x03")
        self.seen = self.seen.split(text.encode(), 1)[1]

    def type(self, text):
        os.write(self.master, text.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self, status):
        """The client's exit status, and the terminal as it was before."""
        end = time.monotonic() + LIMIT
        while True:
            pid, raw = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                break
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"no end; {self.seen!r}")
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                self.seen += os.read(self.master, 4096)
        got = os.waitstatus_to_exitcode(raw)
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 4096)
        assert got == status, f"exit status {got}, not {status}; {self.seen!r}"
        after = termios.tcgetattr(self.slave)
        assert after == self.before, f"the terminal was left changed: {after} not {self.before}"
        os.close(self.master)
        os.close(self.slave)


def is_a_terminal_of_its_own():
    session = Session("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && tty && stty size")
    session.expect("/dev/pts/0")
    session.expect("33 111")
    session.end(0)


def window_size_follows():
    session = Session("sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done")
    session.expect("ready")
    session.resize(44, 122)
    session.expect("44 122")
    session.type("\x03")
    session.end(130)


def interrupt_ends_the_command():
    session = Session("sh", "-c", "echo ready; exec sleep 60")
    session.expect("ready")
    session.type("\x03")
    session.end(130)


def interrupt_can_be_caught():
    session = Session("sh", "-c", "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.1; done")
    session.expect("ready")
    session.type("\x03")
    session.expect("caught")
    session.end(7)


def end_of_file_reaches_the_command():
    session = Session("sh", "-c", "echo ready; cat; echo done")
    session.expect("ready")
    session.type("a line\n")
    session.expect("a line")
    session.type("\x04")
    session.expect("done")
    session.end(0)


def a_shell_has_job_control():
    session = Session("bash", "--norc", "--noprofile", "-i")
    session.expect("bash-")  # it has the terminal as it wants it: what is typed while it changes that can be lost
    session.type("PS1='pro''mpt> '\n")
    session.expect("prompt> ")
    # The shell gives the terminal away before the command runs.
    session.type("sh -c 'echo run''ning; exec sleep 60'\n")
    session.expect("running")
    session.type("\x1a")
    session.expect("Stopped")
    session.expect("prompt> ")
    session.type("fg\n")
    session.expect("sleep 60'")
    session.interrupt_until("prompt> ")
    session.type("jobs; exit 5\n")
    session.end(5)


def nothing_is_typed_at_the_caller():
    # TIOCSTI would put input into the terminal that it is called on; it must not be the caller's.
    code = "import fcntl, termios\ntry:\n fcntl.ioctl(0, termios.TIOCSTI, b'x')\nexcept OSError as e:\n print('refused', e.errno)\nelse:\n print('allowed here')"
    session = Session("/usr/bin/python3", "-c", code)
    session.end(0)
    assert b"refused" in session.seen, session.seen


CASES = (
    is_a_terminal_of_its_own,
    window_size_follows,
    interrupt_ends_the_command,
    interrupt_can_be_caught,
    end_of_file_reaches_the_command,
    a_shell_has_job_control,
    nothing_is_typed_at_the_caller,
)


def main(cases):
    for case in cases:
        try:
            case()
        except AssertionError as error:
            print(f"FAIL: {case.__name__}: {error}")
            sys.exit(1)
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main(CASES)
