"""What differs in 2.7, and may differ in later versions, causes no error.

The rows are written by hand after what 2.7 prints; the sockets are those of a server with several
`local` lines: UDP and TCP, IPv4, IPv6, and IPv4 on an IPv6 socket.
"""

import pytest

from exporter.management.commands import Command
from exporter.management.messages import (
    ErrorReply,
    Message,
    MultilineReply,
    Notification,
    SuccessReply,
    UnexpectedLine,
)
from exporter.management.notifications import (
    AnswerNeeded,
    Notify,
    PasswordRequest,
    UnknownNotification,
    parse_notification,
)
from exporter.management.protocol import ManagementProtocol
from exporter.management.replies import parse_version
from exporter.management.status import ServerStatus, parse_status
from exporter.management.values import parse_real_address

GREETING = b">INFO:OpenVPN Management Interface Version 6 -- type 'help' for more info\r\n"
HOSTS = {
    "udp4:127.0.0.1:49630": "127.0.0.1",
    "tcp4-server:192.0.2.7:41152": "192.0.2.7",
    "udp6:[2001:db8::7]:38311": "2001:db8::7",
    "tcp6-server:[::1]:60260": "::1",
    "udp6:198.51.100.4:39244": "198.51.100.4",
}
NAME = "Doe, J. >FATAL:[udp4:1.2.3.4:5]"
HEADER_3 = (
    "HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,"
    "Bytes Received,Bytes Sent,Connected Since,Connected Since (time_t),Username,Client ID,"
    "Peer ID,Data Channel Cipher"
)
ROUTES = "HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref,Last Ref (time_t)"


def session(*lines: bytes, command: Command) -> list[Message]:
    """Return the messages of a session that comes byte by byte."""
    protocol = ManagementProtocol()
    protocol.receive_data(GREETING)
    protocol.send_command(command)
    return [
        message
        for byte in b"".join(line + b"\r\n" for line in lines)
        for message in protocol.receive_data(bytes([byte]))
    ]


def table(separator: str, *, name: str, later: bool = False) -> list[bytes]:
    """Write a status with one client on each socket; `later`: with unknown rows and columns."""
    header = f"{HEADER_3},Compression Level" if later else HEADER_3
    extra = ["9"] if later else []
    rows = [["TITLE", "OpenVPN 2.7.2 x86_64-pc-linux-gnu"], ["TIME", "-", "1795405983"]]
    rows.append(header.split(","))
    for number, address in enumerate(HOSTS):
        socket = ["CLIENT_LIST", name, address, f"10.8.0.{number}", "", "3005", "3148", "-"]
        identity = ["1795405980", "UNDEF", str(number), str(number), "AES-256-GCM"]
        rows.append([*socket, *identity, *extra])
    rows.append(ROUTES.split(","))
    rows += [
        ["ROUTING_TABLE", f"10.8.0.{number}", name, address, "-", "1795405980"]
        for number, address in enumerate(HOSTS)
    ]
    rows += [["GLOBAL_STATS", "Max bcast/mcast queue length", "1"]]
    rows += [["GLOBAL_STATS", "dco_enabled", "0"]]
    if later:
        rows += [["GLOBAL_STATS", "sockets", "5"], ["SOCKET_LIST", "udp4", "1194"]]
    return [separator.join(row).encode() for row in rows]


def report(name: str) -> list[bytes]:
    """Write the same status in format 1."""
    clients = [f"{name},{address},3005,3148,2026-11-23 03:53:00" for address in HOSTS]
    routes = [
        f"10.8.0.{number},{name},{address},2026-11-23 03:53:00"
        for number, address in enumerate(HOSTS)
    ]
    return [
        line.encode()
        for line in (
            "OpenVPN CLIENT LIST",
            "Updated,2026-11-23 03:53:03",
            "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
            *clients,
            "ROUTING TABLE",
            "Virtual Address,Common Name,Real Address,Last Ref",
            *routes,
            "GLOBAL STATS",
            "Max bcast/mcast queue length,1",
        )
    ]


def read(lines: list[bytes], command: Command) -> ServerStatus:
    (reply,) = session(*lines, b"END", command=command)
    assert isinstance(reply, MultilineReply)
    status = parse_status(reply.lines)
    assert isinstance(status, ServerStatus)
    return status


STATUSES = {
    "1": (report(NAME), Command.STATUS_1),
    "2": (table(",", name=NAME), Command.STATUS_3),
    "3": (table("\t", name=NAME), Command.STATUS_3),
}


@pytest.mark.parametrize("version", STATUSES)
def test_the_clients_of_every_socket_are_read_in_every_format(version: str) -> None:
    status = read(*STATUSES[version])
    assert status.unparsed == 0
    assert [client.common_name for client in status.clients] == [NAME] * len(HOSTS)
    assert [client.real_address for client in status.clients] == list(HOSTS)
    assert [client.virtual_address for client in status.clients] == [
        f"10.8.0.{number}" for number in range(len(HOSTS))
    ]
    assert {client.received_bytes for client in status.clients} == {3005}
    assert status.route_count == len(HOSTS)


@pytest.mark.parametrize(("address", "host"), HOSTS.items())
def test_a_client_is_shown_by_its_host_alone(address: str, host: str) -> None:
    read = parse_real_address(address)
    assert read.host == host
    assert read.protocol == address.partition(":")[0]
    assert read.port is not None


def test_unknown_columns_rows_and_statistics_are_counted_and_skipped() -> None:
    later = read(table("\t", name="alice", later=True), Command.STATUS_3)
    now = read(table("\t", name="alice"), Command.STATUS_3)
    assert later.clients == now.clients
    assert later.unparsed > now.unparsed == 0


@pytest.mark.parametrize("text", ["OpenVPN 2.7.2 x86_64-pc-linux-gnu [SSL]", "OpenVPN 2.8_git [x]"])
def test_the_version_is_parsed(text: str) -> None:
    lines = (f"OpenVPN Version: {text}".encode(), b"Management Version: 6")
    (reply,) = session(*lines, b"END", command=Command.VERSION)
    assert isinstance(reply, MultilineReply)
    version = parse_version(reply.lines)
    assert version.version == text.split()[1]
    assert version.management_version == "6"


def test_the_error_for_an_unknown_command_repeats_it() -> None:
    (failure,) = session(
        b"ERROR: unknown command [hold], enter 'help' for more options", command=Command.HOLD
    )
    assert isinstance(failure, ErrorReply)


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (b">PASSWORD:Need 'Auth' username", PasswordRequest("Auth")),
        (b">PASSWORD:Need 'Auth' username/password SC:1,Code", PasswordRequest("Auth")),
        (b">PK_SIGN:AAAA,RSA_PKCS1_PSS_PADDING,hashalg=SHA256", AnswerNeeded("PK_SIGN")),
        (b">REMOTE:vpn.example.org,1194,udp4", AnswerNeeded("REMOTE")),
        (b">NOTIFY:info,remote-exit,EXIT", Notify("info", "remote-exit")),
        (b">PUSH_UPDATE:whatever,it,is", UnknownNotification("PUSH_UPDATE")),
        (b">REMOTE-ENTRY:0,127.0.0.1,21194,udp4,enabled", UnknownNotification("REMOTE-ENTRY")),
        (b">CLIENT:FLOATED,0,udp4:192.0.2.7:4", UnknownNotification("CLIENT")),
    ],
)
def test_a_notification_between_command_and_reply_changes_neither(
    line: bytes, reading: object
) -> None:
    notification, reply = session(line, b"SUCCESS: pid=7", command=Command.PID)
    assert isinstance(notification, Notification)
    assert parse_notification(notification) == reading
    assert reply == SuccessReply(b"pid=7")


def test_the_env_block_of_an_unknown_event_is_counted_line_by_line() -> None:
    begin, *block, reply = session(
        b">CLIENT:MOVED,0,1",
        b">CLIENT:ENV,common_name=alice",
        b">CLIENT:ENV,END",
        b"SUCCESS: pid=7",
        command=Command.PID,
    )
    assert isinstance(begin, Notification)
    assert parse_notification(begin) == UnknownNotification("CLIENT")
    assert [type(message) for message in block] == [UnexpectedLine, UnexpectedLine]
    assert reply == SuccessReply(b"pid=7")
