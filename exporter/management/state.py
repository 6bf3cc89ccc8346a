"""OpenVPN's states: the state history, the reasons to reconnect, and the mode they imply.

An entry of the history is a line of the replies to `state` and `state all`, and the payload of
`>STATE:`.
"""

import enum
import ipaddress
import itertools
from collections.abc import Sequence

import msgspec

from exporter.management.values import OTHER, clean, parse_time


class StateName(enum.StrEnum):
    """The states of OpenVPN; a server uses only those that need no peer."""

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


class Mode(enum.StrEnum):
    """The kinds of daemon: the values of the label `mode`.

    No command reports the mode. The status format shows a server, `infer_tunnel_mode` the others.
    """

    SERVER = "server"
    CLIENT = "client"
    P2P = "p2p"


class State(msgspec.Struct, frozen=True):
    """One entry of the state history; the state was entered at `time` (Unix time in seconds).

    `description` is the reason of RECONNECTING and EXITING, and `SUCCESS` or `ERROR` of CONNECTED.
    The fields from `remote_port` on exist since 2.4 and are "" before; `virtual_ipv6_address` is ""
    where the tunnel has none.
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


# The number of fields after the description. Since 2.6 the description may contain commas
# (AUTH_PENDING), so the fields are counted from the end.
_FIELD_COUNTS_2_4 = (6, 5)
"""Since 2.4: with an IPv6 address of the tunnel, and without."""

_FIELD_COUNT_2_3 = 2
"""Up to 2.3."""


def parse_state(line: str) -> State:
    """Parse an entry of 5, 8 or 9 fields; the description may contain commas.

    Raises:
        ValueError: not an entry of the state history.
    """
    time, name, *rest = line.split(",")
    fitting = [n for n in _FIELD_COUNTS_2_4 if len(rest) > n and _has_addresses(rest[-n:])]
    # An address of unknown form still counts, where the number of fields leaves no doubt.
    exact = [n for n in (*_FIELD_COUNTS_2_4, _FIELD_COUNT_2_3) if len(rest) == n + 1]
    if not fitting and not exact:
        raise ValueError("not an entry of the state history")
    count = [*fitting, *exact][0]
    return State(
        parse_time(time),
        StateName(name) if name in StateName.__members__ else StateName.UNKNOWN,
        clean(",".join(rest[:-count])),
        *(clean(field) for field in rest[-count:]),
    )


def _has_addresses(fields: list[str]) -> bool:
    """Return whether the fields after the description are addresses and ports in their order."""
    addresses = [*fields[:2], *fields[3:4], *fields[5:]]
    ports = [*fields[2:3], *fields[4:5]]
    return all(_is_address(field) for field in addresses) and all(
        not field or field.isdigit() for field in ports
    )


def _is_address(text: str) -> bool:
    if not text:
        return True
    try:
        ipaddress.ip_address(text)  # accepts a zone, too: fe80::1%eth0
    except ValueError:
        return False
    return True


RECONNECT_REASON_VERSIONS = {
    "SIGUSR1": "2.1-2.8",
    "SIGHUP": "2.1-2.8",
    "Could not determine IPv4/IPv6 protocol": "2.6-2.8",
    "HTTP proxy error": "2.6-2.8",
    "Offending option received from server": "2.4-2.8",
    "Preresolving failed": "2.4-2.8",
    "auth-failure": "2.1-2.8",
    "auth-temp-failure": "2.6-2.8",
    "close_context usr1 to hup": "2.4-2.8",
    "connection initialisation failed": "2.6-2.8",
    "connection-failed": "2.6-2.8",
    "connection-reset": "2.1-2.8",
    "dco-connect-error": "2.6-2.8",
    "dco-connect-timeout": "2.6-2.8",
    "dco peer stats error": "2.7-2.8",
    "dco update keys error": "2.6-2.8",
    "decryption-error": "2.1-2.8",
    "init_instance": "2.1-2.8",
    "ip-fail": "2.1-2.8",
    "management-disconnect": "2.1-2.8",
    "network-unreachable": "2.4-2.8",
    "no-push-reply": "2.3-2.8",
    "ping-restart": "2.1-2.8",
    "private-key-password-failure": "2.1-2.8",
    "process-push-msg-failed": "2.4-2.8",
    "remote-exit": "2.6-2.8",
    "server-pushed-connection-reset": "2.1-2.8",
    "server_poll": "2.1-2.8",
    "socks-error": "2.6-2.8",
    "socks-resolve-failure": "2.6-2.8",
    "tls-error": "2.1-2.8",
    "tun-abort": "2.3-2.8",
    # Texts of SIGTERM; RECONNECTING has one only if SIGUSR1 arrives at the same moment.
    "exit-with-notification": "2.1-2.8",
    "server-pushed-halt": "2.3-2.8",
    "session-timeout": "2.6-2.8",
    "tun-stop": "2.1-2.8",
}
"""Descriptions of RECONNECTING with the versions of OpenVPN that have them; 2.8 is its master.

They are the names of signals, and the texts given with SIGUSR1 or SIGHUP. Up to 2.5 `init_instance`
stands for `connection-failed`, `socks-error` and others. Texts of a server's client instances
(`delayed-exit`, `pf-kill`) are never the daemon's.
"""

RECONNECT_REASONS = (*RECONNECT_REASON_VERSIONS, OTHER)
"""The label values: a description is free text, so it is one of these or `other`."""


def reconnect_reason(description: str) -> str:
    """Map a description to one of `RECONNECT_REASONS`; `auth-failure (…)` is `auth-failure`."""
    reason = description.partition(" (")[0]
    return reason if reason in RECONNECT_REASONS else OTHER


_ATTEMPT = frozenset({StateName.CONNECTING, StateName.RECONNECTING, StateName.RESOLVE})
_BEFORE_HANDSHAKE = _ATTEMPT | {StateName.ASSIGN_IP, StateName.TCP_CONNECT, StateName.CONNECTED}


def infer_tunnel_mode(history: Sequence[State]) -> Mode:
    """Infer client or point-to-point mode from the state history, oldest entry first.

    A client receives its addresses from the server: it requests them (GET_CONFIG), unless a server
    of 2.6 or later sends them at once. A point-to-point daemon is configured with its addresses:
    ASSIGN_IP comes before the handshake. If it assigns none, it has another sign: without TLS there
    is no AUTH, the peer begins the handshake (AUTH before WAIT), or no address at all.
    """
    names = [state.name for state in history]
    if StateName.GET_CONFIG in names:
        return Mode.CLIENT
    without_tls = StateName.CONNECTED in names and StateName.AUTH not in names
    is_p2p = without_tls or any(itertools.starmap(_is_p2p_step, itertools.pairwise(history)))
    return Mode.P2P if is_p2p else Mode.CLIENT


def _is_p2p_step(before: State, state: State) -> bool:
    """Return whether no client enters `state` after the one before."""
    match state.name:
        case StateName.ASSIGN_IP:
            return before.name in _ATTEMPT
        case StateName.AUTH:
            return before.name in _BEFORE_HANDSHAKE
        case StateName.CONNECTED:
            has_address = bool(state.virtual_address or state.virtual_ipv6_address)
            return before.name in {StateName.AUTH, StateName.WAIT} and not has_address
        case _:
            return False
