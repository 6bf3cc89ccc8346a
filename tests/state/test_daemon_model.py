"""A daemon, compared with a model, while the session and the status file alternate."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.state.daemon_model import Event, MonitoredDaemon, Server, Tunnel
from tests.state.model import ServerModel, Step
from tests.state.test_clients_model import ACTIONS

STEPS = st.builds(
    Step,
    ACTIONS.filter(lambda action: action.name != "RESTART"),
    st.integers(0, 5),
    st.integers(0, 1000),
    st.integers(1, 5),
)
SAME_PROCESS = st.sampled_from([event for event in Event if event is not Event.NEW_PROCESS])
FILES = st.sampled_from(
    [Event.WRITE_AND_POLL, Event.WRITE_AND_POLL, Event.POLL, Event.DISCONNECT, Event.CONNECT]
)
History = Sequence[Step | Event]


def histories(
    events: st.SearchStrategy[Event], steps: st.SearchStrategy[Step] = STEPS
) -> st.SearchStrategy[History]:
    return st.lists(steps | steps | events | FILES, min_size=10, max_size=60)


def received(monitored: MonitoredDaemon) -> Counter[str]:
    totals = monitored.state.clients.totals.items()
    return Counter({name: client.received_bytes for name, client in totals})


def check_bounds(monitored: MonitoredDaemon, server: Server) -> None:
    """Check that no counter exceeds the model."""
    total = server.expected(shown_only=False)
    assert all(count <= total[name] for name, count in received(monitored).items())
    sessions = monitored.state.clients.sessions
    assert sessions.connects <= server.connects
    assert sessions.disconnects <= server.disconnects


@settings(max_examples=300)
@given(histories(SAME_PROCESS))
def test_with_the_log_every_byte_and_every_connect_of_a_server_is_counted(
    history: History,
) -> None:
    server = Server()
    monitored = MonitoredDaemon(server)
    monitored.apply(Event.CONNECT)
    for event in history:
        if monitored.apply(event):
            check_bounds(monitored, server)
            assert +received(monitored) == +server.expected(shown_only=True)
    monitored.finish()
    assert +received(monitored) == +server.expected(shown_only=True)
    sessions = monitored.state.clients.sessions
    assert (sessions.connects, sessions.disconnects) == (server.connects, server.disconnects)


@settings(max_examples=300)
@given(st.booleans(), histories(st.sampled_from(Event)))
def test_every_byte_in_a_status_is_counted_over_restarts(
    log: bool,  # noqa: FBT001 -- drawn
    history: History,
) -> None:
    """Each restart is found in the next session, when the file has shown it or not."""
    server = Server()
    monitored = MonitoredDaemon(server, log=log)
    previous = received(monitored)
    for event in history:
        if monitored.apply(event):
            check_bounds(monitored, server)
            assert +received(monitored) == +server.expected(shown_only=True)
            assert all(received(monitored)[name] >= count for name, count in previous.items())
            previous = received(monitored)
    monitored.finish()
    check_bounds(monitored, server)


@settings(max_examples=300)
@given(
    st.builds(ServerModel, monitored=st.just(value=True), zone=st.sampled_from([0, 3600, -12600])),
    st.booleans(),
    histories(st.sampled_from(Event)),
)
def test_with_a_file_of_format_1_no_counter_exceeds_the_model(
    model: ServerModel,
    log: bool,  # noqa: FBT001 -- drawn
    history: History,
) -> None:
    server = Server(model)
    monitored = MonitoredDaemon(server, log=log, format_1=True)
    for event in history:
        if monitored.apply(event):
            check_bounds(monitored, server)
    monitored.finish()
    check_bounds(monitored, server)


@settings(max_examples=300)
@given(histories(st.sampled_from(Event)))
def test_no_counter_of_a_tunnel_exceeds_the_model(history: History) -> None:
    """A reconnect that only the file shows is seen if a value decreased."""
    tunnel = Tunnel()
    monitored = MonitoredDaemon(tunnel)
    for event in history:
        if monitored.apply(event):
            assert monitored.state.tunnel.totals["tcp_udp_read"] <= tunnel.total
            assert monitored.state.traffic.received_bytes <= tunnel.total
    monitored.finish()
    assert monitored.state.tunnel.totals["tcp_udp_read"] <= tunnel.total
