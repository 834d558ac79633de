# SPDX-License-Identifier: Apache-2.0
"""traces.py look|leave|leave-look: run as a job. `look` prints what a job finds at its start, by
kind, as JSON; `leave` leaves what it can of each kind and ends with a process still running;
`leave-look` looks afterwards, in the same job: whatever was left must show, or the look is blind.
`leave` says in "refused" what it was not let do."""

import ctypes
import json
import os
import resource
import socket
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
ADD_KEY = {"x86_64": 248, "aarch64": 217}[os.uname().machine]
PTRACE_SEIZE, PR_SET_NAME, CLONE_NEWNS, CLONE_NEWUSER = 0x4206, 15, 0x00020000, 0x10000000


def text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError as error:
        return f"error {error.errno}\n"


def of_processes(name, pick):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) != os.getpid():
            found += pick(text(f"/proc/{pid}/{name}"))
    return sorted(found)


def status(*keys):
    return [line for line in text("/proc/self/status").splitlines() if line.split(":")[0] in keys]


def descriptors():
    fds = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            fds.append([int(fd), os.readlink(f"/proc/self/fd/{fd}").split(":")[0]])
        except OSError:
            pass  # that of the listing
    return sorted(fds)


def reached():
    found = []
    for family, address in ((socket.AF_UNIX, "\0trace"), (socket.AF_INET, ("127.0.0.1", 4711))):
        with socket.socket(family) as one:
            found.append(one.connect_ex(address) == 0)
    return found


def look():
    mask = os.umask(0)
    os.umask(mask)
    return {
        "file": {folder: sorted(os.listdir(folder)) for folder in ("/", "/dev", "/dev/shm")},
        "process": of_processes("comm", lambda comm: [comm.strip()]),
        "mount": sorted(" ".join(line.split()[3:6] + line.split(" - ")[1].split()[:2])
                        for line in text("/proc/self/mountinfo").splitlines()),
        "socket": [len(text("/proc/net/unix").splitlines()), reached()],
        "environment": [{name: value for name, value in os.environ.items() if name != "CORDON_JOB"},
                        text("/proc/1/environ")],
        "keyring": text("/proc/keys"),
        "shm": [text(f"/proc/sysvipc/{kind}") for kind in ("shm", "sem", "msg")],
        "ptrace": of_processes("status", lambda all_: [line for line in all_.splitlines()
                                                       if line.startswith("TracerPid")]),
        "network": [line.split()[:3] for line in text("/proc/net/dev").splitlines()[2:]] +
                   [text("/proc/net/tcp").count("\n"), text("/proc/net/udp").count("\n")],
        "self": [mask, os.getcwd(), os.uname().nodename, os.nice(0), descriptors(),
                 resource.getrlimit(resource.RLIMIT_NOFILE), sorted(os.sched_getaffinity(0)),
                 status("SigBlk", "SigIgn", "SigPnd", "ShdPnd", "Seccomp", "NoNewPrivs", "CapEff")],
    }


def stay():
    """A process of its own session that holds sockets; returns once it does."""
    ready, told = os.pipe()
    if os.fork() != 0:
        os.close(told)
        os.read(ready, 1)
        os.close(ready)
        return
    os.setsid()
    LIBC.prctl(PR_SET_NAME, b"trace-left", 0, 0, 0)
    held = [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_INET),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
    held[0].bind("\0trace")
    held[1].bind(("127.0.0.1", 4711))
    held[2].bind(("127.0.0.1", 4712))
    for one in held[:2]:
        one.listen()
    try:
        held[2].sendto(b"trace", ("127.0.0.1", 4712))
    except OSError:
        pass
    os.write(told, b"x")
    time.sleep(600)


def leave():
    refused = []

    def attempt(kind, result):
        if result < 0:
            refused.append(kind)

    attempt("ptrace", LIBC.ptrace(PTRACE_SEIZE, 1, None, None))
    attempt("keyring", LIBC.syscall(ADD_KEY, b"user", b"trace", b"x", ctypes.c_size_t(1), -3))
    attempt("mount", LIBC.unshare(CLONE_NEWNS))
    attempt("mount", LIBC.mount(b"trace", b"/dev/shm", b"tmpfs", 0, None))
    with open("/dev/shm/trace", "w", encoding="utf-8") as stream:
        stream.write("trace")
    os.environ["TRACE"] = "trace"
    if LIBC.shmget(0x4711, 4096, 0o1666) < 0 or LIBC.msgget(0x4711, 0o1666) < 0:
        raise OSError(ctypes.get_errno(), "System V IPC")
    os.umask(0)
    os.nice(3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    stay()
    os.chdir("/")
    return sorted(set(refused))


def main():
    born = int(text("/proc/1/stat").split()[21])
    out = {"born": born}
    if sys.argv[1] != "look":
        out["refused"] = leave()
    if sys.argv[1] != "leave":
        out["seen"] = look()
    print(json.dumps(out), flush=True)


if __name__ == "__main__":
    main()
