"""Hypothesis strategies for server statuses with hostile names."""

from hypothesis import strategies as st

from exporter.management.status import ClientRow, RouteRow, ServerStatus

MOMENTS = st.integers(0, 2**32)
NUMBERS = st.integers(0, 2**64 - 1)

HOSTILE_NAMES = (
    "", "END", ">FATAL:x", "SUCCESS: x", "ERROR: x", "ENTER PASSWORD:", "Doe, John", ",", ",,,",
    "a,1,2,3", "7,7", "CLIENT_LIST,x", 'dave "the\\rat" o\'neil', "carol ann  smith", "日本 ü",
    "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since", "GLOBAL STATS",
    "\ufffd", ">STATE:1,2", "x,192.0.2.1:5,1,2,2026-11-23 03:53:03",
    "x,192.0.2.1:5,10.8.0.9,,1,2,2026-11-23 03:53:03,3,u", "u,1,2,3,4,5,6,7,8",
)  # fmt: skip
NAMES = st.sampled_from(HOSTILE_NAMES) | st.text(max_size=30).filter(
    lambda name: name.isprintable() and name != "UNDEF"
)


@st.composite
def _clients(draw: st.DrawFn, number: int, *, connected: bool) -> ClientRow:
    v4, v6 = f"10.8.0.{number}", f"fd00:8::{number:x}"
    own = draw(st.sampled_from([(v4, ""), ("", v6), (v4, v6)])) if connected else ("", "")
    return ClientRow(
        common_name=draw(NAMES),
        real_address=f"192.0.2.{number}:{draw(st.integers(1, 65535))}",
        virtual_address=own[0],
        virtual_ipv6_address=own[1],
        received_bytes=draw(NUMBERS),
        sent_bytes=draw(NUMBERS),
        connected_since=draw(MOMENTS),
        username=draw(NAMES),
        client_id=draw(NUMBERS),
        cipher=draw(st.sampled_from(["AES-256-GCM", "BF-CBC", ""])),
    )


def _routes(client: ClientRow, last_reference: int) -> list[RouteRow]:
    number = client.real_address.split(".")[3].partition(":")[0]
    own = [client.virtual_address, client.virtual_ipv6_address]
    other = [f"192.168.{number}.0/24", f"192.168.{number}.5C"]
    return [
        RouteRow(address, client.common_name, client.real_address, last_reference)
        for address in own + other
        if address
    ]


@st.composite
def server_statuses(draw: st.DrawFn) -> ServerStatus:
    """Draw a status whose texts are all clean."""
    numbers = range(1, draw(st.integers(0, 5)) + 1)
    clients = tuple(draw(_clients(number, connected=True)) for number in numbers)
    routes = [route for client in clients for route in _routes(client, draw(MOMENTS))]
    return ServerStatus(
        updated=draw(MOMENTS),
        clients=clients,
        pending=tuple(draw(_clients(100 + number, connected=False)) for number in numbers),
        route_count=len(routes),
        routes=tuple(draw(st.permutations(routes))),
        max_queue_length=draw(st.integers(0, 1000)),
        dco_enabled=draw(st.sampled_from([None, False, True])),
        title="OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)]",
    )
