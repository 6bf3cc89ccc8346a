import msgspec
import pytest
from msgspec import structs

from exporter.config.schema import PrivacyMode
from exporter.management.batches import run_batches
from exporter.management.errors import DownReason, ManagementError, PromptError, ProtocolError
from exporter.management.replies import LoadStats, Poll
from exporter.management.state import Mode, State, StateName
from exporter.management.status import StatusSource
from exporter.state.daemon import DaemonState
from exporter.web.view.daemon import (
    PROBLEM_LIMIT,
    DaemonView,
    Health,
    StateView,
    daemon_view,
    state_history,
)
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    TUNNEL,
    new_daemon,
    poll,
    server,
    server_status,
    shared,
    start_session,
    take_down,
    tunnel,
)

SERVER = DaemonView(
    name="office",
    address="127.0.0.1:7505",
    health=Health.UP,
    up=True,
    source=StatusSource.MANAGEMENT,
    state=StateName.CONNECTED,
    state_since=NOON - 7200,
    down_reason=None,
    problem=None,
    mode=Mode.SERVER,
    version="2.6.14",
    platform="x86_64-pc-linux-gnu",
    management_version="5",
    start_time=NOON - 7200,
    polled_at=NOON,
    received_bytes=9000,
    sent_bytes=8000,
    received_bytes_per_second=None,
    sent_bytes_per_second=None,
    connected_clients=1,
    pending_clients=0,
    max_clients=200,
    revoked_clients=1,
    expired_clients=0,
    share_addresses=(),
    share_tools=None,
    share_problems=(),
)

UNKNOWN = frozenset(
    {
        *("source", "state", "state_since", "mode", "version", "platform", "management_version"),
        *("start_time", "received_bytes_per_second", "sent_bytes_per_second"),
        *("connected_clients", "pending_clients", "max_clients", "share_tools"),
        *("revoked_clients", "expired_clients"),
    }
)
"""What is unknown while a daemon is down."""


def test_a_connected_server_has_all_values() -> None:
    assert daemon_view(server()) == SERVER


def test_a_tunnel_has_no_clients() -> None:
    view = daemon_view(tunnel())
    assert (view.mode, view.state) == (Mode.P2P, StateName.CONNECTED)
    assert view.connected_clients is view.pending_clients is view.max_clients is None


def test_the_rate_is_that_between_the_last_two_polls() -> None:
    daemon = tunnel()
    reply = Poll(LoadStats(1, 9000 + 3000, 8000), TUNNEL)
    run_batches(daemon.on_poll(reply, now=NOON + 30, duration=0.1))
    view = daemon_view(daemon)
    assert (view.received_bytes_per_second, view.sent_bytes_per_second) == (100.0, 0.0)


def test_pending_clients_are_apart() -> None:
    daemon = server()
    pending = tuple(structs.replace(OFFICE_CLIENT, client_id=number) for number in (8, 9))
    poll(daemon, structs.replace(server_status([OFFICE_CLIENT]), pending=pending))
    view = daemon_view(daemon)
    assert (view.connected_clients, view.pending_clients) == (1, 2)


@pytest.mark.parametrize(
    ("limit", "pool", "expected"), [(None, None, None), (None, 13, 13), (200, 13, 13), (9, 13, 9)]
)
def test_the_limit_of_clients_is_the_smaller_one(
    limit: int | None, pool: int | None, expected: int | None
) -> None:
    daemon = server()
    config = structs.replace(daemon.target.daemon, max_clients=limit, address_pool_size=pool)
    daemon.reconfigure(structs.replace(daemon.target, daemon=config))
    assert daemon_view(daemon).max_clients == expected


class TestSharing:
    def test_has_the_addresses_and_the_number_of_tools(self) -> None:
        daemon = shared()
        daemon.sharing.tools = 1
        view = daemon_view(daemon)
        assert view.share_addresses == ("unix:/run/openvpn-exporter/office.sock",)
        assert view.sharing == "shared at unix:/run/openvpn-exporter/office.sock: 1 tool"

    def test_has_what_prevents_it(self) -> None:
        daemon = shared()
        daemon.sharing.problems["unix:/run/openvpn-exporter/office.sock"] = "no directory"
        view = daemon_view(daemon)
        assert (view.share_addresses, view.share_problems) == ((), ("no directory",))
        assert view.sharing == "no directory"

    def test_is_absent_without_a_share(self) -> None:
        assert daemon_view(server()).sharing == ""


class TestHealth:
    def test_a_daemon_before_its_first_poll_is_pending(self) -> None:
        daemon = new_daemon()
        assert daemon_view(daemon).health is Health.PENDING
        start_session(daemon)
        view = daemon_view(daemon)
        assert (view.health, view.status, view.polled_at) == (Health.PENDING, "pending", None)
        assert view.received_bytes is None

    @pytest.mark.parametrize("name", list(StateName))
    def test_a_daemon_that_is_up_but_not_connected_is_degraded(self, name: StateName) -> None:
        daemon = tunnel()
        daemon.on_state(State(NOON, name, ""))
        view = daemon_view(daemon)
        is_connected = name is StateName.CONNECTED
        assert view.health is (Health.UP if is_connected else Health.DEGRADED)
        assert view.status == name.value

    def test_a_daemon_that_is_up_by_its_status_file_only_is_degraded(self) -> None:
        daemon = server()
        take_down(daemon)
        daemon.up = True
        view = daemon_view(daemon)
        assert (view.health, view.status) == (Health.DEGRADED, "up")
        assert view.down_reason is DownReason.REFUSED


class TestDown:
    def test_only_totals_and_the_reason_are_known(self) -> None:
        daemon = server()
        poll(daemon, server_status([OFFICE_CLIENT]), now=NOON + 30)
        take_down(daemon)
        view = daemon_view(daemon)
        assert (view.health, view.status, view.up) == (Health.DOWN, "down", False)
        assert view.problem == "127.0.0.1:7505: Connection refused"
        assert view.received_bytes == 9000
        unknown = {name for name, value in msgspec.structs.asdict(view).items() if value is None}
        assert unknown == UNKNOWN

    @pytest.mark.parametrize("kind", ManagementError.__subclasses__(), ids=lambda k: k.__name__)
    def test_every_error_is_a_problem_with_a_reason(self, kind: type[ManagementError]) -> None:
        daemon = server()
        daemon.on_down(PromptError("why", "hold") if kind is PromptError else kind("why"))
        view = daemon_view(daemon)
        assert (view.problem, view.down_reason) == ("why", kind.reason)

    def test_a_long_problem_is_truncated(self) -> None:
        daemon = server()
        daemon.on_down(ProtocolError("y" * 5000))
        assert daemon_view(daemon).problem == "y" * (PROBLEM_LIMIT - 1) + "…"

    def test_the_text_of_the_peer_is_under_privacy(self) -> None:
        daemon = with_privacy(server(), PrivacyMode.NONE)
        daemon.on_down(ProtocolError("alice", redacted="hidden"))
        assert daemon_view(daemon).problem == "hidden"


class TestStates:
    def test_are_the_history_newest_first(self) -> None:
        daemon = tunnel()
        daemon.on_state(State(NOON, StateName.RECONNECTING, "ping-restart"))
        assert state_history(daemon) == [
            StateView(NOON, StateName.RECONNECTING, "ping-restart"),
            StateView(NOON - 7200, StateName.CONNECTED, "SUCCESS"),
        ]

    @pytest.mark.parametrize(
        ("name", "text", "reason"),
        [
            (
                StateName.RECONNECTING,
                "auth-failure (AUTH_FAILED,CRV1:R:s3cr3t)",
                "auth-failure",
            ),
            (StateName.RECONNECTING, "alice", "other"),
            (StateName.EXITING, "exit-with-notification", "exit-with-notification"),
            (StateName.AUTH_PENDING, "WEB_AUTH::https://vpn.example.org/?token=s3cr3t", ""),
            (StateName.CONNECTED, "ERROR", "ERROR"),
            (StateName.CONNECTED, "alice", ""),
        ],
    )
    def test_have_no_text_that_the_peer_chose(
        self, name: StateName, text: str, reason: str
    ) -> None:
        daemon = tunnel()
        daemon.on_state(State(NOON, name, text))
        assert state_history(daemon)[0].reason == reason


def with_privacy(daemon: DaemonState, mode: PrivacyMode) -> DaemonState:
    clients = structs.replace(daemon.target.clients, privacy=mode)
    daemon.reconfigure(structs.replace(daemon.target, clients=clients))
    return daemon
