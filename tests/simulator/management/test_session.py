from random import Random

from exporter.simulator.daemon.server import ServerDaemon, ServerSettings
from exporter.simulator.management.session import SimulatedSession
from exporter.simulator.population.identity import make_identities
from exporter.simulator.population.profile import ChurnProfile
from tests.simulator.manual_clock import ManualClock

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
PID = b"SUCCESS: pid=4242\r\n"


def server(*, hold: bool = False) -> ServerDaemon:
    now = ManualClock()()
    rng = Random(1)
    return ServerDaemon(
        ServerSettings(hold=hold),
        make_identities(2, rng=rng),
        ChurnProfile(churn=False),
        rng=rng,
        start=now - 100,
        now=now,
    )


def session(*, password: str | None = None, hold: bool = False) -> SimulatedSession:
    return SimulatedSession(server(hold=hold), clock=ManualClock(), password=password)


def exchange(session: SimulatedSession, data: bytes) -> bytes:
    session.receive(data)
    return session.output()


def test_a_client_is_greeted_and_answered() -> None:
    it = session()
    assert it.output() == GREETING
    assert exchange(it, b"pid\nverb\n") == PID + b"SUCCESS: verb=3\r\n"


def test_the_pending_request_follows_the_login() -> None:
    it = session(password="s3cret", hold=True)
    assert it.output() == b"ENTER PASSWORD:"
    hold = b">HOLD:Waiting for hold release:0\r\n"
    assert exchange(it, b"s3cret\n") == b"SUCCESS: password is correct\r\n" + GREETING + hold


def test_three_wrong_passwords_are_logged() -> None:
    daemon = server()
    it = SimulatedSession(daemon, clock=ManualClock(), password="s3cret")
    it.receive(b"a\nb\nc\n")
    assert it.closed
    assert daemon.log_buffer.lines[-1].endswith(
        ",W,MAN: client connection rejected after 3 failed password attempts"
    )
    assert not daemon.has_client


def test_a_waiting_daemon_sends_at_once_so_quit_discards_nothing() -> None:
    it = session(hold=True)
    it.output()
    assert exchange(it, b"pid\nquit\n") == PID
    assert it.closed


def test_the_end_of_the_clients_stream_closes_the_session() -> None:
    it = session()
    it.output()
    it.receive(b"pid\npid")
    it.receive_eof()
    assert it.output() == PID
    assert it.closed


def test_lines_without_a_command_are_logged_too() -> None:
    it = session()
    it.receive(b"log on\n")
    it.output()
    text = exchange(it, b"# pid\n").decode()
    assert text.endswith(",D,MANAGEMENT: CMD '# pid'\r\n")


def test_the_flags_of_a_client_are_reset_when_it_leaves() -> None:
    daemon, clock = server(), ManualClock()
    first = SimulatedSession(daemon, clock=clock)
    first.receive(b"log on\nstate on\n")
    first.detach()
    second = SimulatedSession(daemon, clock=clock)
    second.output()
    assert exchange(second, b"pid\n") == PID
