# SPDX-License-Identifier: Apache-2.0
"""What asyncio programs rely on: its own socketpair, subprocesses, servers on loopback and paths."""

import asyncio
import os
import socket
import sys


async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


async def talk(reader, writer):
    writer.write(b"hello\n")
    await writer.drain()
    answer = await reader.readline()
    writer.close()
    assert answer == b"hello\n", answer


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(3)))
    await talk(*await asyncio.open_connection("127.0.0.1", port))
    server.close()

    path = "asyncio-work.sock"
    local = await asyncio.start_unix_server(echo, path)
    await talk(*await asyncio.open_unix_connection(path))
    local.close()
    os.unlink(path)

    one, two = socket.socketpair()
    writer = (await asyncio.open_connection(sock=one))[1]
    reader = (await asyncio.open_connection(sock=two))[0]
    writer.write(b"pair\n")
    assert await reader.readline() == b"pair\n"

    jobs = [await asyncio.create_subprocess_exec(sys.executable, "-c", f"print({n} * {n})",
                                                 stdout=asyncio.subprocess.PIPE) for n in range(4)]
    texts = [(await job.communicate())[0] for job in jobs]
    assert [int(text) for text in texts] == [0, 1, 4, 9], texts
    shell = await asyncio.create_subprocess_shell("cat | tr a-z A-Z", stdin=-1, stdout=-1)
    assert (await shell.communicate(b"shell"))[0] == b"SHELL"
    print("asyncio works")


asyncio.run(main())
