"""`python -m bench.hostile_daemons`: daemons that send too much, nonsense, or nothing.

`ATTACKS` are those of a soak. `COSTLY` are the replies that cost their reader the most.

The program prints the kind of attack and the addresses of its two daemons, and an empty line. It
ends at the end of its input. Each daemon attacks each client that connects.
"""

import asyncio
import contextlib
import functools
import itertools
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import msgspec

_GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
_BLOCK = 64 * 1024
_SLOW_RATE = 1000
"""Lines a second below the limits of a flood."""

_TITLE = "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu"
_CLIENT_COLUMNS = (
    "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address"
    "\tBytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername"
    "\tClient ID\tPeer ID\tData Channel Cipher"
)
_NEW_NAMES = 300
"""Clients of a status in which each name is new."""


class Session(msgspec.Struct, frozen=True):
    """One connection of the exporter."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes as fast as the exporter reads them."""
        self.writer.write(data)
        await self.writer.drain()


Attack = Callable[[Session], Awaitable[None]]
Reply = Callable[[], bytes]


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _status(rows: Sequence[str] = ()) -> bytes:
    time_row = f"TIME\tnow\t{int(time.time())}"
    return _lines(_TITLE, time_row, _CLIENT_COLUMNS, *rows, "END")


_REPLIES: Mapping[bytes, Reply] = {
    b"version": lambda: _lines("OpenVPN Version: OpenVPN 2.6.14 x86_64", "END"),
    b"pid": lambda: _lines("SUCCESS: pid=4711"),
    b"state": lambda: _lines("1795404000,CONNECTED,SUCCESS,10.8.0.1,,,,", "END"),
    b"state all": lambda: _lines("1795404000,CONNECTED,SUCCESS,10.8.0.1,,,,", "END"),
    b"state on": lambda: _lines("SUCCESS: real-time state notification set to ON"),
    b"hold": lambda: _lines("SUCCESS: hold=0"),
    b"verb": lambda: _lines("SUCCESS: verb=3"),
    b"log on": lambda: _lines("SUCCESS: real-time log notification set to ON"),
    b"log off": lambda: _lines("SUCCESS: real-time log notification set to OFF"),
    b"log all": lambda: _lines("END"),
    b"bytecount 0": lambda: _lines("SUCCESS: bytecount interval changed"),
    b"load-stats": lambda: _lines("SUCCESS: nclients=1,bytesin=3005,bytesout=3148"),
    b"status 1": _status,
    b"status 3": _status,
}
"""The replies of a daemon without clients."""


async def _answer(session: Session, replies: Mapping[bytes, Reply], *, last: bytes = b"") -> None:
    """Answer commands until `quit`, or until after the command `last`."""
    while line := (await session.reader.readline()).strip():
        if line == b"quit":
            return
        await session.send(replies.get(line, lambda: _lines("ERROR: unknown command"))())
        if line == last:
            return


def _answering(**replies: Reply) -> Attack:
    """Return a daemon with some other replies; `_` in a keyword is the blank of the command."""
    changed = {name.replace("_", " ").encode(): reply for name, reply in replies.items()}

    async def attack(session: Session) -> None:
        await session.send(_GREETING)
        await _answer(session, {**_REPLIES, **changed})

    return attack


def _flooding(block: Callable[[int], bytes], *, greeting: bytes = _GREETING) -> Attack:
    """Return a daemon that sends one block after the other, and reads nothing."""

    async def attack(session: Session) -> None:
        await session.send(greeting)
        for number in itertools.count():
            await session.send(block(number))

    return attack


def _trickling(line: Callable[[int], str]) -> Attack:
    """Return a daemon that answers, and sends lines just below the limit of a flood."""

    async def attack(session: Session) -> None:
        await session.send(_GREETING)
        answering = asyncio.ensure_future(
            _answer(session, {**_REPLIES, b"status 3": _never, b"status 1": _never})
        )
        try:
            for number in itertools.count(0, _SLOW_RATE // 10):
                if answering.done():
                    return
                numbers = range(number, number + _SLOW_RATE // 10)
                await session.send(_lines(*map(line, numbers)))
                await asyncio.sleep(0.1)
        finally:
            answering.cancel()

    return attack


def _never() -> bytes:
    return b""


def _random_bytes(number: int) -> bytes:
    return random.Random(number % 16).randbytes(_BLOCK)


def _repeat(line: bytes) -> Callable[[int], bytes]:
    block = line * (_BLOCK // len(line) + 1)
    return lambda _: block


def _announcement(number: int) -> str:
    client = f"new-{number}/192.0.{number >> 8 & 255}.{number & 255}:{1024 + number % 60_000}"
    return f">LOG:{int(time.time())},,{client} MULTI: primary virtual IP for {client}: 10.8.0.2"


def _rows_of_commas() -> bytes:
    row = f"CLIENT_LIST,{',' * 16_000}x"
    header = _CLIENT_COLUMNS.replace("\t", ",")
    return _lines(_TITLE.replace("\t", ","), "TIME,x,1795600000", header, *[row] * 64, "END")


def _new_names(numbers: Iterator[int]) -> bytes:
    """Return a status in which each client is new and transfers fewer bytes than one before."""
    now = int(time.time())
    return _status(
        [
            f"CLIENT_LIST\tnew-{number}\t192.0.2.7:{number % 60_000}\t10.8.0.2\t\t"
            f"{random.randrange(2**40)}\t{random.randrange(2**40)}\tnow\t{now}\tUNDEF"
            f"\t{number}\t{number % 500}\tC{number}-GCM"
            for number in itertools.islice(numbers, _NEW_NAMES)
        ]
    )


def _falling_bytes() -> bytes:
    """Return a status in which the byte counts of one session rise and fall."""
    since = int(time.time()) - random.randrange(3)
    received, sent = random.randrange(2**63), random.randrange(2**40)
    address = "192.0.2.7:51820\t10.8.0.2\t"
    row = f"CLIENT_LIST\talice\t{address}\t{received}\t{sent}\tnow\t{since}\tUNDEF\t0\t0\tX"
    return _status([row])


def _other_process() -> bytes:
    return _lines(f"SUCCESS: pid={random.randrange(2, 2**31)}")


def _falling_totals() -> bytes:
    received, sent = random.randrange(2**60), random.randrange(2**40)
    return _lines(f"SUCCESS: nclients=1,bytesin={received},bytesout={sent}")


def _long_log() -> bytes:
    start = int(time.time()) - 60
    return _lines(*(f"{start},,{_announcement(n).split(',,')[1]}" for n in range(50_000)), "END")


def _long_states() -> bytes:
    start = int(time.time())
    line = f"{start},RECONNECTING,ping-restart,,,,,"
    return _lines(*[line] * 200_000, "END")


async def _close_after_a_poll(session: Session) -> None:
    await session.send(_GREETING)
    await _answer(session, _REPLIES, last=b"status 3")


async def _cut_status(session: Session) -> None:
    await session.send(_GREETING)
    cut = {**_REPLIES, b"status 3": lambda: _status(["CLIENT_LIST\talice\t192.0"])[:-20]}
    await _answer(session, cut, last=b"status 3")


async def _endless_status(session: Session) -> None:
    await session.send(_GREETING)
    await _answer(session, {**_REPLIES, b"status 3": _never}, last=b"status 3")
    await _flooding(_repeat(b"CLIENT_LIST\talice\r\n"), greeting=b"")(session)


async def _drip(session: Session) -> None:
    for byte in itertools.cycle(_GREETING.strip()):
        await session.send(bytes([byte]))
        await asyncio.sleep(0.1)


async def _prompt(session: Session) -> None:
    await session.send(_GREETING + b">PASSWORD:Need 'Auth' username/password\r\n")
    await session.reader.read()


async def _hang(session: Session) -> None:
    await session.send(_GREETING)
    await session.reader.read()


async def _reset(session: Session) -> None:
    await session.reader.readline()
    session.writer.transport.abort()


ATTACKS: Mapping[str, Attack] = {
    "endless-line": _flooding(_repeat(b"x")),
    "garbage": _flooding(_random_bytes),
    "garbage-login": _flooding(_random_bytes, greeting=b""),
    "endless-prompt": _flooding(_repeat(b"ENTER PASSWORD:"), greeting=b""),
    "log-flood": _flooding(_repeat(b">LOG:1795600000,,alice/192.0.2.7:51820 TLS Error: x\r\n")),
    "state-flood": _flooding(_repeat(b">STATE:1795600000,RECONNECTING,ping-restart,,,,,\r\n")),
    "env-flood": _flooding(_repeat(b">CLIENT:CONNECT,0,1\r\n>CLIENT:ENV,common_name=alice\r\n")),
    "newline-flood": _flooding(_repeat(b"\r\n")),
    "slow-announcements": _trickling(_announcement),
    "slow-notifications": _trickling(lambda _: ">BYTECOUNT_CLI:1,2,3"),
    "rows-of-commas": _answering(status_3=_rows_of_commas),
    "new-names": _answering(status_3=functools.partial(_new_names, itertools.count())),
    "falling-counters": _answering(
        pid=_other_process, status_3=_falling_bytes, load_stats=_falling_totals
    ),
    "long-log": _answering(log_all=_long_log),
    "long-states": _answering(state_all=_long_states),
    "endless-status": _endless_status,
    "close-after-a-poll": _close_after_a_poll,
    "cut-status": _cut_status,
    "drip": _drip,
    "prompt": _prompt,
    "hang": _hang,
    "reset": _reset,
}
"""The attacks by kind."""


_LONG = 16_000
_SHORT = 2000
_EQUAL_LINES = 60_000
_ALIKE = 10_000
_FLOATING = 9000
_MANY = 100_000
"""Clients: as many as a status may have."""


def _alternating(*replies: Reply) -> Reply:
    """Return the replies in turn, each made once."""
    made = itertools.cycle(list(map(functools.cache, replies)))
    return lambda: next(made)()  # noqa: PLW0108 -- the next one at each call


def _client(name: str, number: int, *, address: str, moved: int = 0) -> str:
    virtual = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return (
        f"CLIENT_LIST\t{name}\t{address}:{number % 60_000}\t{virtual}\t\t{moved}\t1\tnow"
        f"\t1795600000\tUNDEF\t{number}\t0\tAES-256-GCM"
    )


def _many_clients(first: int, moved: int) -> bytes:
    numbers = range(first, first + _MANY)
    return _status([_client(f"c-{n}", n, address="192.0.2.7", moved=moved) for n in numbers])


def _format_1(*, alike: int = 0) -> bytes:
    """Return a status in format 1 of many clients, or of some that look alike."""
    date = "2026-11-23 03:53:03"
    clients = ["x,::1"] * alike or [f"c-{n},192.0.2.7:{n % 60_000}" for n in range(_MANY)]
    return _lines(
        "OpenVPN CLIENT LIST",
        f"Updated,{date}",
        "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
        *(f"{client},1,2,{date}" for client in clients),
        "Virtual Address,Common Name,Real Address,Last Ref",
        *(f"10.8.0.2,{client},{date}" for client in clients),
        "END",
    )


def _many_commas() -> bytes:
    header = _CLIENT_COLUMNS.replace("\t", ",")
    row = f"CLIENT_LIST,{'1,' * 60}x,1:1,1.1.1.1,,1,2,x,3,b,1,1,c"
    return _lines(
        _TITLE.replace("\t", ","), "TIME,x,1795600000", header, *[row] * (2 * _ALIKE), "END"
    )


def _equal_log_lines(different: int) -> bytes:
    """Return a log of equal lines but one."""
    lines = ["1,,a"] * _EQUAL_LINES
    lines[different] = "1,,b"
    return _lines(*lines, "END")


async def _floating_clients(session: Session) -> None:
    """Announce clients of one name, and show them at other addresses."""
    clients = [_client("x", number, address="10.2.2.2") for number in range(_FLOATING)]
    text = "MULTI: primary virtual IP for"
    announced = (f">LOG:1795600000,,{text} x/10.1.1.1:{n}: 10.8.0.2" for n in range(_FLOATING))
    await session.send(_GREETING)
    await _answer(session, _REPLIES, last=b"status 3")
    await session.send(_lines(*announced))
    await _answer(session, {**_REPLIES, b"status 3": lambda: _status(clients)})


COSTLY: Mapping[str, Attack] = {
    "many-clients": _answering(  # they transfer, are replaced by others, leave, and come back
        status_3=_alternating(
            lambda: _many_clients(0, 0),
            lambda: _many_clients(0, 9),
            lambda: _many_clients(_MANY // 2, 9),
            _status,
        )
    ),
    "many-clients-in-two-formats": _answering(
        status_3=_alternating(_format_1, lambda: _many_clients(0, 9))
    ),
    "alike-clients": _answering(status_3=lambda: _format_1(alike=_ALIKE)),
    "names-of-commas": _answering(status_3=_many_commas),
    "long-statistics": _answering(
        status_3=lambda: _lines("OpenVPN STATISTICS", *["x"] * 3 * _MANY, "END")
    ),
    "floating-clients": _floating_clients,
    "equal-log-lines": _answering(
        log_all=_alternating(
            lambda: _equal_log_lines(_EQUAL_LINES - 1), lambda: _equal_log_lines(_EQUAL_LINES // 2)
        )
    ),
    "long-log-lines": _flooding(
        _repeat(
            _lines(
                f">LOG:1795600000,,{(' MULTI: primary virtual IP for /' * 510)[:_LONG]}",
                f">LOG:1795600000,,{'/' * _SHORT}",
                f">LOG:1795600000,,peer 0 ({') floated from ' * 130}",
            )
        )
    ),
    "long-state-messages": _flooding(_repeat(_lines(">STATE:1,A," + "," * 4000))),
}
"""The replies that cost their reader the most, by kind."""


async def _attack(
    attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with contextlib.suppress(OSError):
        await attack(Session(reader, writer))
    writer.close()


async def _run() -> None:
    for kind, attack in {**ATTACKS, **COSTLY}.items():
        serve = functools.partial(_attack, attack)
        servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(2)]
        names = [server.sockets[0].getsockname() for server in servers]
        addresses = " ".join(f"{host}:{port}" for host, port in names)
        sys.stdout.write(f"{kind} {addresses}\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_run())
