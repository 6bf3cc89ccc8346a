"""A stand-in for openvpn-auth-oauth2: it owns a daemon's management session and shares it.

It decides on each VPN client (`--management-client-auth`) and lets one guest at a time send
commands. It has the properties of the original that matter to a guest:

- Of the daemon's lines it makes messages: a message ends with a line that begins with `SU`, `ER`,
  `EN`, `>H`, `>I` or `>N`, or with the end of the variables of a VPN client. So a log line or a
  state takes the lines after it with it, requests to admit a VPN client included.
- `>CLIENT`, `>HOLD` and `>INFO` are its own; other messages go to the guest, with an empty line
  after each. A reply to `hold` is dropped.
- It answers `hold` itself, and refuses the commands that decide on VPN clients.
- Further guests wait in silence. A wrong password ends the session after an error.
"""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.real.lab import Lab
from tests.real.management import LOOPBACK, Management, TcpAddress

BANNER = ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info"
PROMPT = b"ENTER PASSWORD:"
DENIED = "mallory"
RESERVED = ("client-auth", "client-auth-nt", "client-deny", "client-pending-auth")
REPLY_TIMEOUT = 10.0
_ENDS = (b"SU", b"ER", b"EN", b">H", b">I", b">N")
_HOLD = slice(9, 13)


class PassThrough:
    """The owner of a management session; ``management`` is the address for its guests."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, management: Management) -> None:
        self.management = management
        self.decided: list[str] = []
        """The names of the VPN clients that it decided on, in order."""
        self.lost: list[str] = []
        """Requests to decide that were taken for a part of another message."""
        self._reader = reader
        self._writer = writer
        self._guest: StreamWriter | None = None
        self._one_guest = asyncio.Lock()
        self._one_command = asyncio.Lock()
        self._replies: asyncio.Queue[str] = asyncio.Queue()
        self._deciding: set[asyncio.Task[str | None]] = set()

    async def own(self) -> None:
        """Read the daemon's messages until it ends the session."""
        while message := await self._message():
            self._handle(message)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one guest, after those before it."""
        async with self._one_guest:
            try:
                if await self._log_in(reader, writer):
                    self._guest = writer
                    self._write(BANNER)
                    await self._serve_commands(reader)
            finally:
                self._guest = None
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    async def _log_in(self, reader: StreamReader, writer: StreamWriter) -> bool:
        password = self.management.password
        if password is None:
            return True
        writer.write(PROMPT)
        if (await reader.readline()).rstrip(b"\r\n") == password.encode():
            writer.write(b"SUCCESS: password is correct\r\n")
            return True
        writer.write(b"ERROR: bad password\r\n")
        return False

    async def _serve_commands(self, reader: StreamReader) -> None:
        while line := await reader.readline():
            command = line.decode().strip()
            if command in ("exit", "quit"):
                return
            if command.split(" ")[0] in RESERVED:
                self._write("ERROR: command not allowed")
            elif command == "hold":
                self._write("SUCCESS: hold release succeeded")
            elif command:
                await self._forward(command)

    async def _forward(self, command: str) -> None:
        reply = await self._request(command)
        if reply is not None:
            self._write(reply.strip())

    async def _request(self, command: str) -> str | None:
        """Send one command at a time, and return its reply; None if none comes in time."""
        async with self._one_command:
            self._send(command)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPLY_TIMEOUT):
                    return await self._replies.get()
        return None

    async def _message(self) -> str:
        lines: list[bytes] = []
        while line := await self._reader.readline():
            line = line.rstrip(b"\r\n")
            if not line:
                continue
            lines.append(line)
            if line.startswith(_ENDS) or line == b">CLIENT:ENV,END":
                return "".join(f"{part.decode()}\r\n" for part in lines)
        return ""

    def _handle(self, message: str) -> None:
        if message.startswith(">CLIENT:"):
            self._decide(message.split("\r\n"))
            return
        self.lost += [line for line in message.split("\r\n") if line.startswith(">CLIENT:CONNECT")]
        if message.startswith(">HOLD:"):
            self._send("hold release")
        elif message.startswith(">INFO:"):
            pass
        elif message.startswith(">"):
            self._write(message)
        elif message[_HOLD] != "hold":
            self._replies.put_nowait(message)

    def _decide(self, lines: list[str]) -> None:
        event, *numbers = lines[0].removeprefix(">CLIENT:").split(",")
        if event not in ("CONNECT", "REAUTH"):
            return
        (name,) = (line.partition("=")[2] for line in lines if "ENV,common_name=" in line)
        self.decided.append(name)
        ids = " ".join(numbers)
        decision = f'client-deny {ids} "no" "no"' if name == DENIED else f"client-auth-nt {ids}"
        task = asyncio.create_task(self._request(decision))
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)

    def _send(self, command: str) -> None:
        self._writer.write(f"{command}\r\n".encode())

    def _write(self, message: str) -> None:
        if self._guest is not None:
            self._guest.write(f"{message}\r\n".encode())


@asynccontextmanager
async def pass_through(
    lab: Lab, daemon: Management, *, password: str | None = None
) -> AsyncIterator[PassThrough]:
    """Own the session of a daemon until the block ends, and offer it to guests."""
    assert isinstance(daemon.address, TcpAddress)
    reader, writer = await asyncio.open_connection(LOOPBACK, daemon.address.port)
    offered = lab.tcp(password=password)
    assert isinstance(offered.address, TcpAddress)
    owner = PassThrough(reader, writer, offered)
    owning = asyncio.create_task(owner.own())
    server = await asyncio.start_server(owner.serve, LOOPBACK, offered.address.port)
    try:
        yield owner
        assert not owning.done(), owning
    finally:
        owning.cancel()
        server.close()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
