"""Statuses that operators have published, anonymous and short, with their right values."""

from pathlib import Path

import pytest

from exporter.management.errors import ReplyError
from exporter.management.status import ServerStatus, parse_status

CASES = Path(__file__).parents[2] / "data" / "cases"


def lines(name: str) -> tuple[bytes, ...]:
    return tuple((CASES / name).read_bytes().splitlines())


def read(name: str) -> ServerStatus:
    status = parse_status(lines(name), routes=False)
    assert isinstance(status, ServerStatus)
    return status


@pytest.mark.parametrize(
    ("name", "clients", "received", "sent"),
    [
        # No virtual addresses: a DHCP server behind the bridge assigns them.
        ("tap-bridge-2.4.status", ["site-a", "site-b"], 20_433, 34_150),
        ("tun-iroute-only.status", ["gw1"], 61_011_660, 73_712_683),
    ],
)
def test_a_route_of_its_own_proves_a_login(
    name: str, clients: list[str], received: int, sent: int
) -> None:
    status = read(name)
    assert [row.common_name for row in status.clients] == clients
    assert status.pending == ()
    assert sum(row.received_bytes for row in status.clients) == received
    assert sum(row.sent_bytes for row in status.clients) == sent


def test_a_day_without_padding_is_parsed() -> None:
    status = read("format1-unpadded-day.status")
    assert [(row.common_name, row.virtual_address) for row in status.clients] == [
        ("site", "10.100.0.6")
    ]
    assert status.unparsed == 0


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("log-in-status-file.status", "'log-append' names the same file as 'status'"),
        ("access-server.json", "JSON, as OpenVPN Access Server prints it"),
    ],
)
def test_the_error_names_the_cause(name: str, cause: str) -> None:
    with pytest.raises(ReplyError, match=cause):
        parse_status(lines(name))
