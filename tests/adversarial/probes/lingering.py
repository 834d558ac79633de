#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lingering.py SOCKET COUNT: connects to the service, which will refuse that (run without new privileges),
each time with a socket queued that takes ten minutes to be closed, as nobody reads its other end.
Says "queued", holds the other ends until its input ends."""
import array
import socket
import struct
import sys

listener = socket.create_server(("127.0.0.1", 0))
ends = []
for _ in range(int(sys.argv[2])):
    slow = socket.create_connection(listener.getsockname())
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
    slow.setblocking(False)
    ends.append(listener.accept()[0])
    try:
        while True:
            slow.send(bytes(1 << 16))
    except BlockingIOError:
        pass
    with socket.socket(socket.AF_UNIX) as service:
        service.connect(sys.argv[1])
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [slow.fileno()]))
        service.sendmsg([b"x"], [rights])
    slow.close()
print("queued", flush=True)
sys.stdin.read()
