"""What a status says, whatever its format. Texts are clean (see `management.text`)."""

import msgspec

from exporter.management.values import clean

UNDEFINED = "UNDEF"
"""What the daemon prints for a common name or user name that it doesn't have (yet)."""


class ClientRow(msgspec.Struct, frozen=True, gc=False):
    """One CLIENT_LIST row: an instance in the server, which is not yet a user.

    Bytes are the server's view of the link, control channel included, since the instance was
    created at `connected_since` (seconds since the epoch). `common_name` and `username` are ""
    where the daemon says `UNDEF`. `client_id` and `peer_id` exist from 2.4 on, `username` from
    2.3, `cipher` from 2.5; before, and in format 1, they are None or "".
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
    peer_id: int | None = None
    cipher: str = ""


class RouteRow(msgspec.Struct, frozen=True, gc=False):
    """One ROUTING_TABLE row; `last_reference` is in seconds since the epoch.

    `common_name` is "" where the daemon says `UNDEF`, as in `ClientRow`.
    """

    virtual_address: str
    common_name: str
    real_address: str
    last_reference: int


class ServerStatus(msgspec.Struct, frozen=True):
    """The status of a daemon in server mode.

    `clients` are connected; `pending` are the other rows: handshaking, being authenticated, just
    rejected, port scans. `routes` may be empty although `route_count` is not, when nobody asked
    for them. `max_queue_length` and `dco_enabled` are None where the daemon doesn't say.
    `unparsed` counts the lines that nobody understood.
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


class TunnelStatus(msgspec.Struct, frozen=True):
    """The statistics of a daemon in client or point-to-point mode, in bytes.

    All counters belong to the current connection and restart at 0 with the next one. A row that
    the daemon does not print is None; the last four need a compression context.
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


def clean_name(raw: str) -> str:
    """Clean a common name or user name; the daemon's word for a missing one becomes ""."""
    return "" if raw == UNDEFINED else clean(raw)
