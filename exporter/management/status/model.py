"""The parsed status, the same for all formats. Its texts are clean (see `management.values`)."""

import enum

import msgspec

from exporter.management.errors import ReplyError

MAX_CLIENTS = 100_000
"""Most client rows of a status: some 100 MB, with all that is kept of them."""

MAX_ROUTES = 300_000
"""Most routes that are parsed."""


class ClientRow(msgspec.Struct, gc=False):
    """One `CLIENT_LIST` row: a client instance of the server, logged in or not.

    The counters are the server's, in bytes of the link, control channel included. In the next
    status a row of which nothing else has changed is the same object, with new counters: they are
    those of the status that was read last. They begin at
    `connected_since` (Unix time in seconds), when the instance was created. `common_name` and
    `username` are "" where the daemon prints `UNDEF`. `client_id` exists since 2.4, `username`
    since 2.3, `cipher` since 2.5; before, and in format 1, they are None or "".
    """

    common_name: str
    real_address: str
    virtual_address: str
    virtual_ipv6_address: str
    received_bytes: int
    sent_bytes: int
    connected_since: int
    username: str = ""
    client_id: int | None = None
    cipher: str = ""


class RouteRow(msgspec.Struct, frozen=True, gc=False):
    """One `ROUTING_TABLE` row; `last_reference` is Unix time in seconds.

    `common_name` is "" where the daemon prints `UNDEF`, as in `ClientRow`.
    """

    virtual_address: str
    common_name: str
    real_address: str
    last_reference: int


class ServerStatus(msgspec.Struct, frozen=True):
    """The status of a daemon in server mode.

    `clients` are logged in; `pending` are the other rows: handshaking, being authenticated, just
    rejected, port scans. `routes` is empty where only their number was requested.
    `max_queue_length` and `dco_enabled` are None where the daemon does not print them. `unparsed`
    counts the lines that could not be parsed, `unparsed_clients` the client rows among them.
    """

    updated: int
    clients: tuple[ClientRow, ...]
    pending: tuple[ClientRow, ...]
    route_count: int
    routes: tuple[RouteRow, ...] = ()
    max_queue_length: int | None = None
    dco_enabled: bool | None = None
    title: str = ""
    unparsed: int = 0
    unparsed_clients: int = 0


class TunnelStatus(msgspec.Struct, frozen=True):
    """The statistics of a daemon in client or point-to-point mode, in bytes.

    The counters belong to the current connection and restart at 0 with the next one. A counter
    that the daemon does not print is None; the last four need a compression context.
    """

    updated: int
    tun_tap_read: int | None = None
    tun_tap_write: int | None = None
    tcp_udp_read: int | None = None
    tcp_udp_write: int | None = None
    auth_read: int | None = None
    pre_compress: int | None = None
    post_compress: int | None = None
    pre_decompress: int | None = None
    post_decompress: int | None = None
    unparsed: int = 0


Status = ServerStatus | TunnelStatus


def check_row_count(clients: int, routes: int) -> None:
    """Refuse a status of more rows than a daemon can have.

    Raises:
        ReplyError: there are more.
    """
    if clients > MAX_CLIENTS:
        raise ReplyError(f"a status of more than {MAX_CLIENTS:,} clients")
    if routes > MAX_ROUTES:
        raise ReplyError(f"a status of more than {MAX_ROUTES:,} routes")


class StatusSource(enum.StrEnum):
    """Where a status came from."""

    MANAGEMENT = "management"
    STATUS_FILE = "status_file"
