#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""undying.py PID...: traces these processes and never waits for them: once they are killed they are
zombies that nobody else may reap, so the first process of their pid namespace, which has to, cannot
end. Says "traced", holds them until its input ends."""
import ctypes
import os
import sys

PTRACE_SEIZE = 0x4206
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
for pid in sys.argv[1:]:
    if ptrace(PTRACE_SEIZE, int(pid), None, None) != 0:
        sys.exit(f"{pid}: {os.strerror(ctypes.get_errno())}")
print("traced", flush=True)
sys.stdin.read()
