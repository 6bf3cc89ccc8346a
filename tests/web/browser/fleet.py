"""Daemons whose pages have everything that a page can have."""

from collections.abc import Sequence

from msgspec import structs

from exporter.management.state import State, StateName
from exporter.management.status import ClientRow
from exporter.state.daemon import DaemonState
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    poll,
    server,
    server_status,
    take_down,
    tunnel,
)

HOSTILE = "<img src=x onerror=\"document.title='pwned'\">'/?#%2F&amp;{{7*7}}$x"


def rows(count: int) -> list[ClientRow]:
    """Return clients, each with more traffic than the one before."""
    return [
        structs.replace(
            OFFICE_CLIENT,
            common_name=f"client-{number:05}",
            client_id=100 + number,
            virtual_address=f"10.8.{number // 250}.{number % 250 + 1}",
            received_bytes=1000 * number,
        )
        for number in range(count)
    ]


def large_server(count: int = 300, *, expected: Sequence[str] = ("site-oslo",)) -> DaemonState:
    """Return a server that one client has left."""
    daemon = server("office", [OFFICE_CLIENT, *rows(count)], expected=expected)
    poll(daemon, structs.replace(server_status(rows(count)), updated=NOON + 15), now=NOON + 15)
    return daemon


def hostile_server() -> DaemonState:
    """Return a server all of whose texts are markup."""
    client = structs.replace(
        OFFICE_CLIENT,
        common_name=HOSTILE,
        username=HOSTILE,
        real_address=HOSTILE,
        virtual_address=HOSTILE,
        virtual_ipv6_address=HOSTILE,
        cipher=HOSTILE,
    )
    return server(HOSTILE, [client], expected=[f"{HOSTILE}!"])


def reconnecting_tunnel() -> DaemonState:
    """Return a tunnel in a state with a long reason."""
    daemon = tunnel()
    reason = "server-pushed-connection-reset"
    daemon.on_state(State(NOON, StateName.RECONNECTING, reason))
    return daemon


def down_server() -> DaemonState:
    daemon = server("branch")
    take_down(daemon)
    return daemon
