"""A mutation fuzzer: changed recordings of daemons, until one breaks a target or time is up."""

import random
import re
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NamedTuple

from exporter.management.messages import MultilineReply
from exporter.management.server.commands import KNOWN_COMMANDS
from tests.management.captures import CAPTURES, SENT, decode

Target = Callable[[bytes], object]

SEED_SIZE = 20_000
"""Bytes of the longest recording in the corpus; longer ones repeat the same rows."""

INPUT_SECONDS = 5.0
"""Processor time for one input."""

MINIMIZE_SECONDS = 30.0

_TOKENS = (
    *(b"", b"\n", b"\0", b"\xff", b",", b"\t", b">", b"END", b"\nEND\n"),
    *(b"+1", b" 1", b"-1", b"1_0", b"0" * 20, b"18446744073709551616", b"9" * 25),
)
_NEXT_FIELD = re.compile(rb"[\t\n,:]([^\t\n,:]*)")


def corpus(target: str) -> list[bytes]:
    """Return the seed corpus of a target, by its name."""
    sessions = [session for session in CAPTURES.values() if len(session) <= SEED_SIZE]
    if target == "sharing":
        return _tool_sessions()
    return _statuses(sessions) if target == "status" else sessions


def _tool_sessions() -> list[bytes]:
    """Return what recorded clients sent, and each command of OpenVPN with some parameters."""
    names = [name.encode() for name in sorted(KNOWN_COMMANDS)]
    lines = (b"%b\n", b"%b on\n", b"%b 1 2 3 x\n", b'"%b" all\n', b"%b release\n")
    return [*SENT, *(b"".join(line % name for name in names) for line in lines)]


def _statuses(sessions: Sequence[bytes]) -> list[bytes]:
    """Return each status twice, since rows of the second that are in the first are not parsed."""
    listings = {
        b"\n".join([*message.lines, b"END", b""])
        for session in sessions
        for message in decode([session])
        if isinstance(message, MultilineReply)
    }
    statuses = {text for text in listings if text.startswith((b"TITLE", b"OpenVPN "))}
    # The few of format 3 are joined by those of format 2, whose commas become tabs.
    statuses |= {text.replace(b",", b"\t") for text in statuses if text.startswith(b"TITLE,")}
    return [text * 2 for text in sorted(statuses)]


def mutate(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return a seed with bytes or fields removed, repeated, or replaced."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 6)):
        start = rng.randint(0, len(data))
        end = start + int(rng.expovariate(0.1))
        if rng.random() < 0.5 and (field := _NEXT_FIELD.search(data, start)):
            start, end = field.span(1)
        data[start:end] = rng.choice(
            (
                rng.choice(_TOKENS),
                rng.randbytes(rng.randint(1, 4)),
                data[start:end] * 2,
                _part(rng, rng.choice(seeds)),
            )
        )
    return bytes(data)


def _part(rng: random.Random, data: bytes) -> bytes:
    start = rng.randint(0, len(data))
    return data[start : start + int(rng.expovariate(0.05))]


class Outcome(NamedTuple):
    inputs: int
    failing: bytes | None


def find(target: Target, seeds: Sequence[bytes], rng: random.Random, seconds: float) -> Outcome:
    """Try inputs for so long, or until one fails the target."""
    end = time.monotonic() + seconds
    inputs = 0
    while time.monotonic() < end:
        data = mutate(rng, seeds)
        inputs += 1
        if failure(target, data) is not None:
            return Outcome(inputs, data)
    return Outcome(inputs, None)


def minimize(target: Target, data: bytes) -> bytes:
    """Return a short part of an input that fails the target with the same type of exception."""
    expected = type(failure(target, data))
    end = time.monotonic() + MINIMIZE_SECONDS
    size = len(data) // 2
    while size:
        start = 0
        while start < len(data) and time.monotonic() < end:
            shorter = data[:start] + data[start + size :]
            if type(failure(target, shorter)) is expected:
                data = shorter
            else:
                start += size
        size //= 2
    return data


def failure(target: Target, data: bytes) -> Exception | None:
    """Return the exception with which an input fails the target, if it does."""
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, INPUT_SECONDS)
    try:
        target(data)
    except Exception as error:  # noqa: BLE001 - every exception is a finding
        return error
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return None


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"an input took more than {INPUT_SECONDS} s")
