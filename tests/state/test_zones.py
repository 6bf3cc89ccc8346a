"""The client table over statuses in format 1, whose times are printed without a zone."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config.schema import ClientsConfig
from exporter.management.batches import run_batches
from exporter.management.status import RouteRow, ServerStatus, parse_status
from exporter.state.clients import ClientTable
from tests.management.status.status_printer import Printer, iso
from tests.state.model import START, Action, ServerModel, Step
from tests.state.test_clients_model import ACTIONS

STEPS = st.builds(
    Step,
    ACTIONS.filter(lambda action: action is not Action.RESTART),
    st.integers(0, 5),
    st.integers(0, 1000),
    st.integers(1, 5),
)
OFFSETS = st.integers(-48, 56).map(lambda quarters: quarters * 900)


class Zone(NamedTuple):
    """A time zone whose offset from UTC, in seconds, changes once."""

    before: int
    after: int
    change: int

    def offset(self, at: int) -> int:
        """Return by how many seconds the zone is ahead of UTC."""
        return self.before if at < self.change else self.after


class Poll(NamedTuple):
    """A status that is read this many seconds after it was printed, or by a wrong clock."""

    late: int = 0


ZONES = st.builds(Zone, OFFSETS, OFFSETS, st.integers(START, START + 200))
POLLS = st.builds(Poll, st.integers(-2000, 2000))


def as_read(status: ServerStatus, zone: Zone, late: int) -> ServerStatus:
    """Return a status that was printed in this zone and parsed again."""
    routes = tuple(
        RouteRow(row.virtual_address, row.common_name, row.real_address, row.connected_since)
        for row in status.clients
    )
    status = msgspec.structs.replace(status, routes=routes, max_queue_length=0)
    lines = Printer(date=iso, zone_offset=zone.offset).report(status)
    parsed = parse_status(lines, status.updated + late)
    assert isinstance(parsed, ServerStatus)
    return parsed


def received(table: ClientTable) -> Counter[str]:
    return Counter({name: client.received_bytes for name, client in table.totals.items()})


@settings(max_examples=300)
@given(ZONES, st.lists(STEPS | STEPS | POLLS, min_size=10, max_size=60))
def test_in_any_zone_sessions_continue_over_any_change_of_it(
    zone: Zone, history: Sequence[Step | Poll]
) -> None:
    """A restart of the daemon is seen in the session, so it is none of these steps."""
    server = ServerModel(ids=False)
    table = ClientTable(ClientsConfig(forget_after=1e9))
    for event in (Poll(), *history, Poll(), Poll()):
        if isinstance(event, Step):
            for line in server.apply(event):
                table.sessions.add_logged_connect(line)
        else:
            run_batches(table.update(as_read(server.status(), zone, event.late), server.now))
            server.monitored = True
            assert +received(table) == +server.polled_traffic()[0]
    assert table.sessions.connects == server.connects
    assert table.sessions.disconnects == server.disconnects


@given(OFFSETS, st.integers(-449, 449))
def test_starts_are_right_in_any_zone(offset: int, late: int) -> None:
    server = ServerModel(ids=False)
    server.apply(Step(Action.CONNECT))
    server.apply(Step(Action.AUTHENTICATE))
    status = server.status()
    parsed = as_read(status, Zone(offset, offset, START), late)
    assert parsed.clients == status.clients
    assert parsed.updated == status.updated
