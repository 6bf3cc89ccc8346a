"""The page is the same whether or not rows are known from the previous status.

The reference reads each status with a new reader, looks up each session by its key, and counts the
sessions of each identity at each poll.
"""

import enum
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from exporter.config.schema import ClientsConfig, DaemonConfig, Identity, PrivacyMode
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import TcpEndpoint
from exporter.management.errors import ReplyError, SessionClosed
from exporter.management.replies import LoadStats, Poll
from exporter.management.reply_lines import ReplyLines
from exporter.management.status import Status, StatusReader
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.state.status_order import StatusFileContent
from tests.management.status.changing_server import SIZES, Server, received, servers

CONFIGS = st.builds(
    ClientsConfig,
    identity=st.sampled_from(Identity),
    privacy=st.sampled_from(PrivacyMode),
    limit=st.sampled_from([1, 3, 20, 10_000]),
    routes=st.booleans(),
)
MANAGED = DaemonConfig(
    name="d", management=TcpEndpoint("127.0.0.1", 7505), expected_clients=("c1",)
)
FROM_FILE = DaemonConfig(name="d", status_file=Path("status.log"))


class Form(enum.Enum):
    """How a status is printed, or what happens in place of a poll."""

    FORMAT_1 = enum.auto()
    FORMAT_2 = enum.auto()
    FORMAT_3 = enum.auto()
    RESTART = enum.auto()
    DOWN = enum.auto()


FORMS = st.sampled_from([*[Form.FORMAT_3] * 8, *Form])


@dataclass
class Monitor:
    """A daemon as its polls show it; of a `reference` nothing is known from one to the next."""

    daemon: DaemonConfig
    clients: ClientsConfig
    reference: bool
    pid: int = 1
    reader: StatusReader = field(init=False)
    state: DaemonState = field(init=False)

    def __post_init__(self) -> None:
        self.reader = StatusReader(routes=self.clients.routes)
        self.state = DaemonState(Target(self.daemon, self.clients))

    def poll(self, lines: ReplyLines, now: int) -> None:
        if self.reference:
            self.reader = StatusReader(routes=self.clients.routes)
            self.state.clients.sessions._last_rows = None
        try:
            status = run_batches(self.reader.read_in_batches(lines, float(now)))
        except ReplyError:
            return
        if self.daemon.management is None:
            self._read_file(status, now)
        else:
            poll = Poll(LoadStats(1, now, now), status)
            run_batches(self.state.on_poll(poll, now=now, duration=0.0))

    def _read_file(self, status: Status, now: int) -> None:
        content = StatusFileContent(status, float(now), b"%d" % now)
        run_batches(self.state.on_status_file(content, now=now, duration=0.0))

    def restart(self) -> None:
        self.pid += 1
        self.state.on_pid(self.pid)

    def page(self) -> list[bytes]:
        exposition = Exposition(catalogue.families(self.clients), CollectorRegistry())
        return sorted(exposition.page([self.state]).body.splitlines())


@dataclass(frozen=True)
class Step:
    """What happens, and the status then."""

    form: Form
    lines: ReplyLines
    now: int


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    server, steps = draw(servers()), list[Step]()
    for form in draw(st.lists(FORMS, min_size=2, max_size=7)):
        lines = received(lines_of(server, form), b"\r\n", draw(SIZES) + 1)
        steps.append(Step(form, lines, server.now))
        server.change(draw)
    return steps


def lines_of(server: Server, form: Form) -> list[bytes]:
    match form:
        case Form.FORMAT_1:
            return server.report()
        case Form.FORMAT_2:
            return [line.replace(b"\t", b",") for line in server.lines()]
        case _:
            return server.lines()


@given(history=histories(), config=CONFIGS, daemon=st.sampled_from([MANAGED, FROM_FILE]))
@settings(max_examples=50)
def test_the_page_is_that_of_the_reference(
    *, history: list[Step], config: ClientsConfig, daemon: DaemonConfig
) -> None:
    known, reference = [Monitor(daemon, config, reference) for reference in (False, True)]
    for step in history:
        for monitor in (known, reference):
            match step.form:
                case Form.RESTART:
                    monitor.restart()
                case Form.DOWN:
                    monitor.state.on_down(SessionClosed("x"))
                case _:
                    monitor.poll(step.lines, step.now)
        assert known.page() == reference.page()
