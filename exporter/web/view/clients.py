"""The clients of a server as values: those connected, those expected, those that have left."""

import enum
from collections.abc import Iterator
from typing import Any

import msgspec

from exporter.management.batches import row_batches
from exporter.management.peer import UNKNOWN
from exporter.management.status import ServerStatus
from exporter.management.values import parse_real_address
from exporter.state.client_session import ClientSession
from exporter.state.client_totals import ClientTotals
from exporter.state.daemon import DaemonState

BATCH_SIZE = 200
"""Clients that are made at once: some milliseconds, if each has a new pseudonym."""


class ClientStatus(enum.StrEnum):
    """Whether a client is there, in the order of the page."""

    MISSING = "missing"
    """In `expected_clients`, and not connected."""
    CONNECTED = "connected"
    LEFT = "left"
    """Not connected any more, for less than `clients.forget_after`."""


class ClientView(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One session of a client that is connected, or a client without one.

    Texts are "" and numbers None where they are unknown, or hidden by `clients.series`,
    `clients.info` or `privacy`. Times are Unix times in seconds; bytes are those of the session. A
    rate is the mean between the last two polls that showed the session. `real_address` has no port.
    `certificate` is `revoked` or `expired` if the CA's list says so, else "".
    """

    status: ClientStatus
    name: str
    expected: bool
    username: str = ""
    real_address: str = ""
    virtual_address: str = ""
    virtual_ipv6_address: str = ""
    connected_since: int | None = None
    received_bytes: int | None = None
    sent_bytes: int | None = None
    received_bytes_per_second: float | None = None
    sent_bytes_per_second: float | None = None
    last_seen: float | None = None
    cipher: str = ""
    platform: str = ""
    client_version: str = ""
    gui: str = ""
    certificate: str = ""

    @property
    def bytes_per_second(self) -> float | None:
        """The rate in both directions."""
        if self.received_bytes_per_second is None or self.sent_bytes_per_second is None:
            return None
        return self.received_bytes_per_second + self.sent_bytes_per_second


def client_batches(daemon: DaemonState) -> Iterator[list[ClientView]]:
    """Yield the clients in batches: missing ones first, then the connected, then those that left.

    There are none of a daemon that is no server or down, or whose clients are hidden.
    """
    if not isinstance(daemon.status, ServerStatus) or not daemon.privacy.shows_clients:
        return
    config, expected = daemon.target.clients, daemon.clients.expected
    totals = daemon.clients.totals
    for names in row_batches(sorted(expected), BATCH_SIZE):
        yield [
            _missing(daemon, name, client)
            for name in names
            if (client := totals.get(name)) and not client.sessions
        ]
    for sessions in row_batches(list(daemon.clients.listed_sessions()), BATCH_SIZE):
        yield [
            _connected(daemon, session)
            for session in sessions
            if config.series or config.info or session.name in expected
        ]
    for names in row_batches(list(totals) if config.series else (), BATCH_SIZE):
        yield [
            _left(daemon, name, client)
            for name in names
            if (client := totals.get(name)) and not client.sessions and name not in expected
        ]


def clients_note(daemon: DaemonState) -> str:
    """Return a sentence about clients that are not among those of `client_batches`, or ""."""
    config = daemon.target.clients
    if not daemon.privacy.shows_clients:
        return "Clients are hidden by 'privacy'."
    if not isinstance(daemon.status, ServerStatus):
        return "Clients are unknown while the daemon is not up."
    if not config.series and not config.info:
        return "'clients.series' and 'clients.info' are off: only expected clients are shown."
    if daemon.clients.not_exported:
        return f"{daemon.clients.not_exported:,} more are beyond 'clients.limit'."
    return ""


def _missing(daemon: DaemonState, name: str, totals: ClientTotals) -> ClientView:
    return ClientView(
        status=ClientStatus.MISSING,
        name=daemon.privacy.name(name),
        expected=True,
        last_seen=totals.last_seen if daemon.target.clients.series else None,
    )


def _left(daemon: DaemonState, name: str, totals: ClientTotals) -> ClientView:
    return ClientView(
        status=ClientStatus.LEFT,
        name=daemon.privacy.name(name),
        expected=False,
        last_seen=totals.last_seen,
    )


def _known(text: str) -> str:
    return "" if text == UNKNOWN else text


def _connected(daemon: DaemonState, session: ClientSession) -> ClientView:
    config, privacy = daemon.target.clients, daemon.privacy
    row, peer, rate = session.last_row, session.peer_info, session.rate
    fields: dict[str, Any] = {}
    if config.info:
        fields = {
            "username": privacy.name(row.username),
            "real_address": privacy.address(parse_real_address(row.real_address).host),
            "virtual_address": privacy.address(row.virtual_address),
            "virtual_ipv6_address": privacy.address(row.virtual_ipv6_address),
            "cipher": row.cipher,
            "platform": _known(peer.platform),
            "client_version": _known(peer.version),
            "gui": peer.gui,
        }
    if config.series:
        fields |= {
            "connected_since": row.connected_since,
            "received_bytes": session.received_bytes,
            "sent_bytes": session.sent_bytes,
            "received_bytes_per_second": rate.received if rate else None,
            "sent_bytes_per_second": rate.sent if rate else None,
            "last_seen": daemon.polled_at,
            "certificate": daemon.client_certificates.invalid_state(session.key) or "",
        }
    return ClientView(
        status=ClientStatus.CONNECTED,
        name=privacy.name(session.name),
        expected=session.name in daemon.clients.expected,
        **fields,
    )
