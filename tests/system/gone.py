# SPDX-License-Identifier: Apache-2.0
"""gone.py PROGRAM: starts a private broker whose client is dead by then, and says how it ended:
"ended STATUS", or "lives" if it still runs after 5 s (it is killed)."""
import os
import signal
import socket
import sys
import time


def start(program):
    """In a process of its own, which makes the connection and is gone when the broker begins."""
    ours, broker = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    maker = os.getpid()
    if os.fork() != 0:
        os._exit(0)
    while os.getppid() == maker:
        time.sleep(0.001)
    ours.close()
    os.dup2(broker.fileno(), 3)
    os.execve(program, ["cordon-embedded", "--embedded", "3"], {})


def main():
    # What it becomes the child of, so that its end can be waited for.
    libc = __import__("ctypes").CDLL(None, use_errno=True)
    assert libc.prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
    maker = os.fork()
    if maker == 0:
        start(sys.argv[1])
    os.waitpid(maker, 0)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid != 0:
            print("ended", os.waitstatus_to_exitcode(status))
            return
        time.sleep(0.01)
    print("lives")
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
        for pid in children.read().split():
            os.kill(int(pid), signal.SIGKILL)


main()
