"""Entries of the state history: the reply to `state` and the payload of `>STATE:`."""

import enum
import ipaddress

import msgspec

from exporter.management.numbers import parse_number
from exporter.management.text import clean


class StateName(enum.StrEnum):
    """The states of OpenVPN; servers only know those without a peer."""

    INITIAL = "INITIAL"
    CONNECTING = "CONNECTING"
    WAIT = "WAIT"
    AUTH = "AUTH"
    AUTH_PENDING = "AUTH_PENDING"
    GET_CONFIG = "GET_CONFIG"
    ASSIGN_IP = "ASSIGN_IP"
    ADD_ROUTES = "ADD_ROUTES"
    CONNECTED = "CONNECTED"
    RECONNECTING = "RECONNECTING"
    EXITING = "EXITING"
    RESOLVE = "RESOLVE"
    TCP_CONNECT = "TCP_CONNECT"
    UNKNOWN = "UNKNOWN"


class State(msgspec.Struct, frozen=True):
    """One entry: entered at `time` (seconds since the epoch).

    `description` is the reason of RECONNECTING and EXITING, `SUCCESS` or `ERROR` of CONNECTED.
    Fields from `remote_port` on exist from 2.4 on and are "" before; `virtual_ipv6_address` is ""
    also where the tunnel has none.
    """

    time: int
    name: StateName
    description: str
    virtual_address: str = ""
    remote_address: str = ""
    remote_port: str = ""
    local_address: str = ""
    local_port: str = ""
    virtual_ipv6_address: str = ""


# How many fields follow the description: 2.4 and later with IPv6 in the tunnel, and without; 2.3
# and earlier. The description itself may hold commas (AUTH_PENDING) from 2.6 on.
_LATE_TAILS = (6, 5)
_EARLY_TAIL = 2


def parse_state(line: str) -> State:
    """Read one entry of 5, 8 or 9 fields, a description with commas included.

    Raises:
        ValueError: not an entry of the state history.
    """
    time, name, *rest = line.split(",")
    fitting = [tail for tail in _LATE_TAILS if len(rest) > tail and _fits(rest[-tail:])]
    exact = [tail for tail in (*_LATE_TAILS, _EARLY_TAIL) if len(rest) == tail + 1]  # odd addresses
    if not fitting and not exact:
        raise ValueError("not an entry of the state history")
    tail = [*fitting, *exact][0]
    return State(
        parse_number(time),
        _name(name),
        clean(",".join(rest[:-tail])),
        *(clean(field) for field in rest[-tail:]),
    )


def _name(text: str) -> StateName:
    try:
        return StateName(text)
    except ValueError:
        return StateName.UNKNOWN


def _fits(tail: list[str]) -> bool:
    """Tell whether the fields after the description are addresses and ports in their places."""
    addresses = [*tail[:2], *tail[3:4], *tail[5:]]
    ports = [*tail[2:3], *tail[4:5]]
    return all(_is_address(field) for field in addresses) and all(
        not field or field.isdigit() for field in ports
    )


def _is_address(text: str) -> bool:
    if not text:
        return True
    try:
        ipaddress.ip_address(text)  # with a zone, too: fe80::1%eth0
    except ValueError:
        return False
    return True
