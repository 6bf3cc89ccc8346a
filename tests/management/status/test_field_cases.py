"""Statuses that operators have published, anonymous and short, with their right values."""

from pathlib import Path

import pytest

from exporter.management.status import ServerStatus, parse_status

CASES = Path(__file__).parents[2] / "data" / "cases"


def read(name: str) -> ServerStatus:
    status = parse_status(tuple((CASES / name).read_bytes().splitlines()), routes=False)
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
