"""Statuses and restarts in the order in which they happened, not in which they are read."""

import pytest

from exporter.management.state import State, StateName
from exporter.management.status import TunnelStatus
from exporter.state.status_order import Restart, StatusFileContent, StatusOrder

RECONNECTING = State(200, StateName.RECONNECTING, "ping-restart")


def session(
    order: StatusOrder, *, at: float, restart_time: int | None = None, received: bool = True
) -> Restart:
    if received:
        order.record_received()
    return order.add_session_status(TunnelStatus(updated=0), restart_time, now=at)


def file(
    order: StatusOrder,
    *,
    written_at: float,
    restart_time: int | None = None,
    content: bytes | None = None,
    now: float = 1000.0,
) -> Restart | None:
    digest = b"%d" % written_at if content is None else content
    status = StatusFileContent(TunnelStatus(updated=0), written_at, digest)
    return order.add_file_status(status, restart_time, now=now)


def served() -> StatusOrder:
    """Return the order after a status of the session, and one of the file."""
    order = StatusOrder()
    session(order, at=100.0)
    assert file(order, written_at=150.0) is Restart.NONE
    return order


class TestSession:
    def test_a_restart_between_two_statuses_restarts_all(self) -> None:
        order = StatusOrder()
        session(order, at=100.0)
        order.record_restart()
        assert session(order, at=110.0) is Restart.ALL
        assert session(order, at=120.0) is Restart.NONE

    def test_a_reconnect_is_a_restart_and_no_other_state_is(self) -> None:
        order = StatusOrder()
        order.record_state(State(1, StateName.CONNECTED, "SUCCESS"))
        assert session(order, at=100.0) is Restart.NONE
        order.record_state(RECONNECTING)
        assert session(order, at=110.0) is Restart.ALL

    def test_a_restart_behind_a_status_belongs_to_the_next(self) -> None:
        order = StatusOrder()
        order.record_received()
        order.record_restart()
        assert session(order, at=100.0, received=False) is Restart.NONE
        assert session(order, at=110.0) is Restart.ALL


class TestSessionAfterAFile:
    def test_a_restart_before_the_file_does_not_count_again(self) -> None:
        order = served()
        order.record_restart()
        assert session(order, at=300.0, restart_time=120) is Restart.NONE

    def test_a_restart_after_the_file_restarts_the_tunnel(self) -> None:
        """Sessions of clients are known by their start."""
        order = served()
        order.record_restart()
        assert session(order, at=300.0, restart_time=200) is Restart.TUNNEL

    @pytest.mark.parametrize("restart_time", [None, 150, 301])
    def test_a_restart_at_a_time_in_doubt_restarts_nothing(self, restart_time: int | None) -> None:
        """It is unknown, that of the file, or in the future: the clock was set back."""
        order = served()
        order.record_restart()
        assert session(order, at=300.0, restart_time=restart_time) is Restart.NONE

    def test_a_restart_behind_the_status_belongs_to_the_next(self) -> None:
        order = served()
        order.record_received()
        order.record_state(RECONNECTING)
        assert session(order, at=210.0, restart_time=200, received=False) is Restart.NONE
        assert session(order, at=220.0, restart_time=200) is Restart.ALL

    def test_the_first_session_finds_a_restart_after_the_file(self) -> None:
        order = StatusOrder()
        assert file(order, written_at=150.0) is Restart.NONE
        assert session(order, at=300.0, restart_time=200) is Restart.TUNNEL


class TestFile:
    def test_is_new_at_first_and_when_its_content_changes(self) -> None:
        order = StatusOrder()
        assert file(order, written_at=150.0, content=b"a") is Restart.NONE
        assert file(order, written_at=160.0, content=b"a") is None
        assert file(order, written_at=90.0, content=b"b") is Restart.NONE

    @pytest.mark.parametrize("written_at", [90.0, 100.0, 2000.0])
    def test_that_may_be_older_than_the_session_is_not_new_until_it_changes(
        self, written_at: float
    ) -> None:
        order = StatusOrder()
        session(order, at=100.0)
        assert file(order, written_at=written_at, content=b"a") is None
        assert file(order, written_at=written_at, content=b"b") is Restart.NONE
        session(order, at=300.0)
        assert file(order, written_at=150.0, content=b"c") is None

    def test_is_not_new_while_a_status_of_the_session_is_parsed(self) -> None:
        order = StatusOrder()
        session(order, at=100.0)
        order.record_received()
        assert file(order, written_at=150.0) is None
        order.record_unusable()
        assert file(order, written_at=160.0) is Restart.NONE

    def test_that_was_written_after_a_restart_restarts_the_tunnel_once(self) -> None:
        """A session has found the restart, and ended before its first status."""
        order = served()
        order.record_restart()
        assert file(order, written_at=250.0, restart_time=200) is Restart.TUNNEL
        assert file(order, written_at=260.0, restart_time=200) is Restart.NONE
        assert session(order, at=300.0, restart_time=200) is Restart.NONE

    def test_after_a_restart_at_an_unknown_time_restarts_nothing(self) -> None:
        order = served()
        order.record_restart()
        assert file(order, written_at=250.0, restart_time=None) is Restart.NONE

    def test_that_was_written_before_a_restart_leaves_it_to_the_session(self) -> None:
        order = StatusOrder()
        session(order, at=100.0)
        order.record_restart()
        assert file(order, written_at=150.0, restart_time=200) is Restart.NONE
        assert session(order, at=300.0, restart_time=200) is Restart.TUNNEL

    def test_that_has_shown_a_restart_already_restarts_nothing(self) -> None:
        order = served()
        order.record_restart()
        assert file(order, written_at=170.0, restart_time=120) is Restart.NONE
