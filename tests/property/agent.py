# SPDX-License-Identifier: Apache-2.0
"""Does to the file system what it is told; run in the job, and imported for the host's part.

One line of JSON on stdin is a list of [OPERATION, ARGUMENT...]; the answer on stdout is a list of
[errno or 0, RESULT] of the same length.
"""
import ctypes
import json
import os
import shutil
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
AT_FDCWD = -100


def slurp(fd):
    with os.fdopen(fd, "rb") as stream:
        return stream.read(4096).decode()


def read(path, how="plain"):
    """@how: the spelling under which the file is opened."""
    folder, name = os.path.split(path)
    if how == "dotted":
        path = f"{folder}/./../{os.path.basename(folder)}/{name}"
    elif how == "relative":
        path = os.path.relpath(path)
    elif how == "link":
        link = f"/dev/shm/link{os.getpid()}"
        os.symlink(path, link)
        try:
            return slurp(os.open(link, os.O_RDONLY))
        finally:
            os.unlink(link)
    elif how in ("directory", "descriptor"):
        by_folder = how == "directory"
        at = os.open(folder if by_folder else path, os.O_PATH)
        try:
            if by_folder:
                return slurp(os.open(name, os.O_RDONLY, dir_fd=at))
            return slurp(os.open(f"/proc/self/fd/{at}", os.O_RDONLY))
        finally:
            os.close(at)
    return slurp(os.open(path, os.O_RDWR if how == "both" else os.O_RDONLY))


def write(path, text, flags):
    fd = os.open(path, os.O_WRONLY | flags, 0o755)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def execute(path):
    ours, theirs = os.pipe()
    try:
        pid = os.posix_spawn(path, [path], {}, file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 1)])
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    said = slurp(ours)
    os.waitpid(pid, 0)
    return said


def rename(old, new, flags):
    if LIBC.renameat2(AT_FDCWD, old.encode(), AT_FDCWD, new.encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


ACTS = {
    "read": read,
    "write": lambda path: write(path, "", 0),
    "exec": execute,
    "list": lambda path: sorted(os.listdir(path)),
    "put": lambda path, text: write(path, text, os.O_TRUNC),
    "create": lambda path, text: write(path, text, os.O_CREAT | os.O_EXCL),
    "mkdir": lambda path: os.mkdir(path, 0o755),
    "chain": os.makedirs,
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "clear": shutil.rmtree,
    "rename": lambda old, new: rename(old, new, 0),
    "exchange": lambda old, new: rename(old, new, RENAME_EXCHANGE),
    "link": os.link,
    "truncate": lambda path: os.truncate(path, 0),
    "chmod": lambda path: os.chmod(path, 0o755),
}


def act(operation, *arguments):
    try:
        return [0, ACTS[operation](*arguments)]
    except OSError as error:
        return [error.errno, None]


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps([act(*one) for one in json.loads(line)]), flush=True)


if __name__ == "__main__":
    main()
