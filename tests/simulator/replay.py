"""Recorded sessions of OpenVPN 2.6.14, and the part of a line that two daemons share."""

import re
from pathlib import Path

from exporter.simulator.management.session import SimulatedSession

TRANSCRIPTS = Path(__file__).parents[1] / "data" / "transcripts" / "2.6.14"

_LOG = re.compile(r"\d+,[IFNWD]*,.+")
_STATE = re.compile(r"\d+,([A-Z_]+),([^,]*),(.*)")


def sent(name: str) -> bytes:
    """Return what the recorded client sent."""
    return (TRANSCRIPTS / f"{name}.sent").read_bytes()


def received(name: str) -> list[str]:
    """Return the lines of the recorded daemon."""
    return as_lines((TRANSCRIPTS / f"{name}.recv").read_bytes())


def as_lines(data: bytes) -> list[str]:
    """Split at CR LF; what has none at the end is a line of its own."""
    lines = data.decode("utf-8", "surrogateescape").split("\r\n")
    return lines[:-1] if lines[-1] == "" else lines


def shape(line: str) -> str:
    """Return what two daemons of one release have in common in a line.

    Numbers are normalised; of a state its name, its reason and which fields are filled; of a
    status row its keyword and the number of its fields.
    """
    if _LOG.fullmatch(line.removeprefix(">LOG:")):
        return "log"
    if line.startswith(">CLIENT:ENV,"):
        return line.partition("=")[0]
    prefix = ">STATE:" if line.startswith(">STATE:") else ""
    if (state := _STATE.fullmatch(line.removeprefix(prefix))) is not None:
        filled = ["x" if field else "" for field in state[3].split(",")]
        return prefix + ",".join((state[1], state[2], *filled))
    keyword = re.split(r"[,\t]", line)[0]
    if keyword in ("CLIENT_LIST", "ROUTING_TABLE"):
        separator = line[len(keyword)]
        return f"{keyword}{separator}{line.count(separator)}"
    return re.sub(r"\d+", "N", line)


def answer(session: SimulatedSession, data: bytes) -> list[str]:
    """Send bytes; return the lines of the reply."""
    session.receive(data)
    return as_lines(session.output())
