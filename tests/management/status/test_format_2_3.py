"""Status formats 2 and 3, as daemons from 2.1 to 2.7 print them."""

import msgspec
import pytest

from exporter.management.errors import ReplyError
from exporter.management.status import ClientRow, RouteRow, ServerStatus, parse_status
from exporter.management.status.columns import CLIENT_COLUMNS, ROUTE_COLUMNS

SEPARATORS = [",", "\t"]
TITLE = "TITLE,OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)]"
TIME = "TIME,2026-11-23 03:53:03,1795405983"
ROUTES = "HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref,Last Ref (time_t)"
CLIENTS = (
    "HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,"
    "Bytes Received,Bytes Sent,Connected Since,Connected Since (time_t),Username,Client ID,"
    "Peer ID,Data Channel Cipher"
)
ALICE = "CLIENT_LIST,alice,127.0.0.1:49630,10.8.0.2,fd00:8::1000,3005,3122,D,1795404614,al,4,5,C"
VERSIONS = {
    "2.2": (
        ("HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Bytes Received,Bytes Sent,"
        "Connected Since,Connected Since (time_t)"),
        "CLIENT_LIST,alice,127.0.0.1:49630,10.8.0.2,3005,3122,Mon Nov 23 03:43:31 2026,1795405411",
        ClientRow("alice", "127.0.0.1:49630", "10.8.0.2", "", 3005, 3122, 1795405411),
    ),
    "2.3": (
        ("HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Bytes Received,Bytes Sent,"
        "Connected Since,Connected Since (time_t),Username"),
        "CLIENT_LIST,alice,::1,10.8.0.2,3005,3122,Mon Nov 23 03:43:31 2026,1795405411,al",
        ClientRow("alice", "::1", "10.8.0.2", "", 3005, 3122, 1795405411, "al"),
    ),
    "2.4": (
        ("HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,"
        "Bytes Received,Bytes Sent,Connected Since,Connected Since (time_t),Username,Client ID,"
        "Peer ID"),
        ("CLIENT_LIST,alice,127.0.0.1:49630,,fd00:8::1000,3005,3122,Mon Nov 23 03:43:31 2026,"
        "1795405411,UNDEF,4,5"),
        ClientRow(
            "alice", "127.0.0.1:49630", "", "fd00:8::1000", 3005, 3122, 1795405411, "", 4
        ),
    ),
    "2.5": (
        CLIENTS,
        ("CLIENT_LIST,alice,127.0.0.1:49630,10.8.0.2,fd00:8::1000,3005,3122,2026-11-23 03:30:14,"
        "1795404614,al,0,0,AES-256-GCM"),
        ClientRow(
            "alice", "127.0.0.1:49630", "10.8.0.2", "fd00:8::1000", 3005, 3122, 1795404614, "al",
            0, "AES-256-GCM",
        ),
    ),
    "2.7": (
        CLIENTS,
        ("CLIENT_LIST,alice,tcp6-server:[::1]:60260,10.8.0.2,,18446744073709551615,0,"
        "2026-11-23 03:30:14,1795404614,al,4,4294967295,CHACHA20-POLY1305"),
        ClientRow(
            "alice", "tcp6-server:[::1]:60260", "10.8.0.2", "", 2**64 - 1, 0, 1795404614, "al", 4,
            "CHACHA20-POLY1305",
        ),
    ),
}  # fmt: skip


def read(*lines: str, separator: str = "\t", routes: bool = True) -> ServerStatus:
    """Parse a status of the title, the time and these rows, given with commas."""
    text = [line.replace(",", separator).encode() for line in (TITLE, TIME, *lines)]
    status = parse_status(text, routes=routes)
    assert isinstance(status, ServerStatus)
    return status


def test_the_columns_are_in_the_order_of_the_fields() -> None:
    def words(name: str) -> str:
        return name.lower().replace(" (time_t)", "").replace(" ", "_")

    renamed = {
        "bytes_received": "received_bytes",
        "bytes_sent": "sent_bytes",
        "data_channel_cipher": "cipher",
        "last_ref": "last_reference",
    }
    for row, columns in ((ClientRow, CLIENT_COLUMNS), (RouteRow, ROUTE_COLUMNS)):
        fields = tuple(renamed.get(words(name), words(name)) for name in columns)
        assert fields == row.__struct_fields__


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_client_list_of_each_version_is_parsed(version: str, separator: str) -> None:
    header, row, client = VERSIONS[version]
    status = read(header, row, ROUTES, separator=separator)
    assert status.clients == (client,)
    assert status.pending == ()
    assert status.unparsed == 0


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_server_without_clients_is_a_status(separator: str) -> None:
    assert read(CLIENTS, ROUTES, separator=separator) == ServerStatus(
        updated=1795405983,
        clients=(),
        pending=(),
        route_count=0,
        title=TITLE.removeprefix("TITLE,").replace(",", separator),
    )


def test_the_end_line_is_optional() -> None:
    assert read(CLIENTS, ALICE, "END") == read(CLIENTS, ALICE)


@pytest.mark.parametrize("separator", SEPARATORS)
def test_routes_of_every_kind_are_parsed(separator: str) -> None:
    addresses = (
        "10.8.0.2", "fd00:8::1000", "192.168.77.0/24", "fd00:77::/64", "192.168.77.5C",
        "fd00:77::5C", "9e:45:f9:23:0a:9c@0", "9e:45:f9:23:0a:9c",
    )  # fmt: skip
    rows = [f"ROUTING_TABLE,{address},UNDEF,::1,D,1795404614" for address in addresses]
    status = read(ROUTES, *rows, separator=separator)
    assert status.routes == tuple(RouteRow(address, "", "::1", 1795404614) for address in addresses)
    assert status.route_count == len(addresses)
    assert status.unparsed == 0


def test_routes_are_counted_even_if_they_are_not_parsed() -> None:
    rows = ["ROUTING_TABLE,10.8.0.2,alice,::1,D,1795404614"] * 5
    status = read(ROUTES, *rows, routes=False)
    assert (status.routes, status.route_count) == ((), 5)


@pytest.mark.parametrize("dco", [0, 1])
def test_global_statistics_are_parsed(dco: int) -> None:
    status = read("GLOBAL_STATS,Max bcast/mcast queue length,7", f"GLOBAL_STATS,dco_enabled,{dco}")
    assert (status.max_queue_length, status.dco_enabled) == (7, dco == 1)


def test_missing_global_statistics_are_none() -> None:
    status = read(CLIENTS, ROUTES)
    assert (status.max_queue_length, status.dco_enabled) == (None, None)


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize(
    "line",
    [
        "SOMETHING_NEW,1,2",
        "",
        "nonsense",
        "HEADER",
        "HEADER,ERRORS,x",
        "HEADER,CLIENT_LIST,Something,Else",
        "HEADER,CLIENT_LIST,Something New,Common Name,Real Address",
        "GLOBAL_STATS",
        "GLOBAL_STATS,something_new,1",
        "GLOBAL_STATS,dco_enabled,perhaps",
        "GLOBAL_STATS,Max bcast/mcast queue length,-1",
        "CLIENT_LIST",
        "CLIENT_LIST,too,few",
        ALICE.replace("3005", "many"),
        ALICE.replace("3005", "-3005"),
        ALICE.replace("3005", "18446744073709551616"),
        ALICE.replace("1795404614", ""),
        "ROUTING_TABLE,10.8.0.2",
        "ROUTING_TABLE,10.8.0.2,alice,::1,D,soon",
        "TIME,2026-11-23 03:53:03,soon",
    ],
)
def test_unknown_rows_and_columns_are_counted_and_skipped(line: str, separator: str) -> None:
    status = read(CLIENTS, ROUTES, ALICE, line, separator=separator)
    assert [client.common_name for client in status.clients] == ["alice"]
    assert status.updated == 1795405983
    assert status.unparsed == 1


def test_rows_before_their_header_are_counted() -> None:
    status = read(ALICE, "ROUTING_TABLE,10.8.0.2,alice,::1,D,1795404614")
    assert (status.clients, status.routes, status.unparsed) == ((), (), 2)


def test_a_new_column_in_the_middle_shifts_no_field() -> None:
    header = CLIENTS.replace("Bytes Received", "Something New,Bytes Received")
    status = read(header, ALICE.replace("3005", "new,3005"), separator="\t")
    assert status.clients == read(CLIENTS, ALICE).clients
    assert status.unparsed == 1


def test_columns_in_another_order_are_found_by_name() -> None:
    header = "HEADER,CLIENT_LIST,Bytes Sent,Real Address,Virtual Address,Bytes Received,"
    header += "Connected Since (time_t),Common Name"
    status = read(header, "CLIENT_LIST,2,::1,10.8.0.2,1,3,alice")
    assert status.clients == (ClientRow("alice", "::1", "10.8.0.2", "", 1, 2, 3),)


@pytest.mark.parametrize("name", ["UNDEF", "mallory"])
def test_a_row_without_a_virtual_address_is_pending(name: str) -> None:
    row = f"CLIENT_LIST,{name},127.0.0.1:1,,,1,2,D,3,UNDEF,0,0,AES-256-GCM"
    status = read(CLIENTS, ALICE, row)
    assert [client.common_name for client in status.clients] == ["alice"]
    assert [client.common_name for client in status.pending] == [name.replace("UNDEF", "")]


@pytest.mark.parametrize("routes", [True, False])
@pytest.mark.parametrize("address", ["9e:45:f9:23:0a:9c@0", "9e:45:f9:23:0a:9c", "192.168.5.0/24"])
@pytest.mark.parametrize(
    ("client", "connected"),
    [("alice,127.0.0.1:1", 1), ("alice,127.0.0.1:2", 0), ("bob,127.0.0.1:1", 0)],
)
def test_a_route_of_its_own_means_connected(
    client: str, address: str, *, connected: int, routes: bool
) -> None:
    row = "CLIENT_LIST,alice,127.0.0.1:1,,,1,2,D,3,UNDEF,0,0,"
    status = read(CLIENTS, row, ROUTES, f"ROUTING_TABLE,{address},{client},D,3", routes=routes)
    assert (len(status.clients), len(status.pending)) == (connected, 1 - connected)
    assert (status.route_count, len(status.routes)) == (1, int(routes))


def test_a_route_of_the_connected_instance_proves_nothing_of_a_new_one_at_its_address() -> None:
    old = "CLIENT_LIST,alice,::1,10.8.0.2,,1,2,D,3,UNDEF,0,0,"
    new = "CLIENT_LIST,alice,::1,,,1,2,D,4,UNDEF,1,1,"
    status = read(CLIENTS, old, new, ROUTES, "ROUTING_TABLE,10.8.0.2,alice,::1,D,3")
    assert [row.client_id for row in status.clients] == [0]
    assert [row.client_id for row in status.pending] == [1]


@pytest.mark.parametrize("username", ["al", "UNDEF"])
@pytest.mark.parametrize("cipher", ["AES-256-GCM", "CHACHA20-POLY1305", "BF-CBC", ""])
def test_neither_cipher_nor_user_name_means_connected(username: str, cipher: str) -> None:
    row = f"CLIENT_LIST,alice,127.0.0.1:1,,,1,2,D,3,{username},0,0,{cipher}"
    other = "ROUTING_TABLE,9e:45:f9:23:0a:9c@0,bob,127.0.0.1:9,D,3"
    status = read(CLIENTS, row, ROUTES, other)
    assert (len(status.clients), len(status.pending)) == (0, 1)


@pytest.mark.parametrize(
    "name",
    ['dave "the\\rat" o\'neil', ">FATAL:x", "END", "SUCCESS: x", "CLIENT_LIST", "日本", "a,b", ""],
)
def test_format_3_parses_any_name(name: str) -> None:
    fields = ["CLIENT_LIST", name, "::1", "10.8.0.2", "", "1", "2", "D", "3", name, "0", "0", "C"]
    lines = [TITLE, TIME, CLIENTS]
    text = [line.replace(",", "\t").encode() for line in lines] + ["\t".join(fields).encode()]
    status = parse_status(text)
    assert isinstance(status, ServerStatus)
    assert [(client.common_name, client.username) for client in status.clients] == [(name, name)]


def test_names_are_cleaned() -> None:
    header = [line.replace(",", "\t").encode() for line in (TITLE, TIME, CLIENTS)]
    row = b"CLIENT_LIST\t\xff\x1b\t::1\t10.8.0.2\t\t1\t2\tD\t3\t" + b"u" * 500 + b"\t0\t0\tC"
    status = parse_status([*header, row])
    assert isinstance(status, ServerStatus)
    assert status.clients[0].common_name == r"\xff\x1b"
    assert len(status.clients[0].username) == 128


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("Doe, John", "al"),
        ("alice", "Doe, J."),
        ("Doe, John", "Doe, J."),
        (",,,", ",,,"),
        ("a,1,2,3", "4,5,6"),
        ("127.0.0.1:1,10.8.0.9", ""),
    ],
)
def test_format_2_realigns_commas_in_names(name: str, user: str) -> None:
    row = ALICE.replace("alice", name).replace(",al,", f",{user},")
    expected = msgspec.structs.replace(
        read(CLIENTS, ALICE).clients[0], common_name=name, username=user
    )
    status = read(CLIENTS, row, separator=",")
    assert status.clients == (expected,)
    assert status.unparsed == 0


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("x,192.0.2.1:5,10.8.0.9,,1,2,2026-11-23 03:53:03,3", "al"),
        ("alice", "al,192.0.2.1:5,10.8.0.9,,1,2,2026-11-23 03:53:03,3,al"),
    ],
)
def test_format_2_counts_an_ambiguous_row(name: str, user: str) -> None:
    row = ALICE.replace("alice", name).replace(",al,", f",{user},")
    status = read(CLIENTS, row, separator=",")
    assert (status.clients, status.pending, status.unparsed) == ((), (), 1)


def test_format_2_realigns_commas_in_the_name_of_a_route() -> None:
    status = read(ROUTES, "ROUTING_TABLE,10.8.0.2,Doe, J, 2,::1,D,3", separator=",")
    assert status.routes == (RouteRow("10.8.0.2", "Doe, J, 2", "::1", 3),)


def test_format_3_does_not_realign_a_row_with_too_many_fields() -> None:
    status = read(CLIENTS, ALICE.replace("alice", "Doe, John"), separator="\t")
    assert (status.clients, status.unparsed) == ((), 1)


def test_the_title_is_clean_and_bounded() -> None:
    lines = [("TITLE\t" + "\x07" * 5000).encode(), TIME.replace(",", "\t").encode()]
    status = parse_status(lines)
    assert isinstance(status, ServerStatus)
    assert len(status.title) == 256
    assert status.title.isprintable()


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("time", ["TIME", "TIME,,soon", "OTHER,1"])
def test_a_status_without_a_time_is_an_error(time: str, separator: str) -> None:
    lines = [line.replace(",", separator).encode() for line in (TITLE, time, CLIENTS)]
    with pytest.raises(ReplyError, match="TIME"):
        parse_status(lines)


@pytest.mark.parametrize("first", [b"", b"END", b"TITLE", b"OpenVPN", b"1795404614,I,text"])
def test_another_reply_is_no_status(first: bytes) -> None:
    with pytest.raises(ReplyError, match="a status that begins with"):
        parse_status([first])


def test_no_lines_are_no_status() -> None:
    with pytest.raises(ReplyError):
        parse_status([])
