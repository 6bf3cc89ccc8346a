"""`python -m bench.hung_server COUNT`: daemons that stop responding after the greeting.

A stopped OpenVPN process behaves like this. The program prints one address per line and an empty
line. It ends at the end of its input.
"""

import asyncio
import contextlib
import sys

_GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_GREETING)
    with contextlib.suppress(OSError):
        while await reader.read(1024):
            pass
    writer.close()


async def _run(count: int) -> None:
    servers = [await asyncio.start_server(_greet, "127.0.0.1", 0) for _ in range(count)]
    for server in servers:
        host, port = server.sockets[0].getsockname()
        sys.stdout.write(f"{host}:{port}\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1])))
