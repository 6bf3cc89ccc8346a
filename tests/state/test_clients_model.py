"""The client table, compared with a model: never above it, never decreasing, equal to the polls."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config.schema import ClientsConfig
from exporter.management.batches import run_batches
from exporter.state.clients import ClientTable
from tests.state.model import Action, ModelReader, ServerModel, Step


class Poll(NamedTuple):
    """A status, and the steps that happen before it is read to the end."""

    format_1: bool = False
    meanwhile: Sequence[Step] = ()


ACTIONS = st.sampled_from(
    [Action.CONNECT, Action.AUTHENTICATE, Action.TRANSFER,
     Action.CONNECT, Action.AUTHENTICATE, Action.TRANSFER, Action.TRANSFER,
     Action.REJECT, Action.DISCONNECT, Action.RECONNECT, Action.FLOAT, Action.RESTART]
)  # fmt: skip


def steps(*, seconds: tuple[int, int]) -> st.SearchStrategy[Step]:
    return st.builds(Step, ACTIONS, st.integers(0, 5), st.integers(0, 1000), st.integers(*seconds))


def histories(
    *, seconds: tuple[int, int] = (1, 5), format_1: bool = False
) -> st.SearchStrategy[list[Step | Poll]]:
    step = steps(seconds=seconds)
    formats = st.booleans() if format_1 else st.just(value=False)
    poll = st.builds(Poll, formats, st.lists(step, max_size=2) if format_1 else st.just(()))
    return st.lists(step | step | poll, max_size=60)


class MonitoredModel:
    """A server model with the client table of its monitor."""

    def __init__(self, server: ServerModel, *, log: bool) -> None:
        self.server = server
        self.table = ClientTable(ClientsConfig(forget_after=1e9))
        self._log = log
        self._restarted = False
        self._reader = ModelReader()
        self._before = self._counters()

    def run(self, history: Sequence[Step | Poll]) -> Iterator[None]:
        """Apply a history; yield after each poll."""
        for event in (Poll(), *history, Poll(), Poll(), Poll()):
            if isinstance(event, Step):
                self._restarted |= event.action is Action.RESTART
                self._apply(event)
            else:
                self._poll(event)
                yield

    def _apply(self, step: Step) -> None:
        for line in self.server.apply(step):
            if self._log:
                self.table.sessions.add_logged_connect(line)

    def _poll(self, poll: Poll) -> None:
        status = self._reader.read(self.server.status(format_1=poll.format_1))
        self.server.monitored = True
        restarted, self._restarted = self._restarted, False
        for step in poll.meanwhile:
            self._restarted |= step.action is Action.RESTART
            self._apply(step)
        if restarted:
            run_batches(self.table.restart())
        run_batches(self.table.update(status, self.server.now))

    def totals(self) -> tuple[Counter[str], Counter[str]]:
        """Return the bytes received and sent, by name."""
        totals = self.table.totals.items()
        return (
            Counter({name: client.received_bytes for name, client in totals}),
            Counter({name: client.sent_bytes for name, client in totals}),
        )

    def check_bounds(self) -> None:
        """Check that no counter exceeds the model, and that none decreased."""
        for counted, total in zip(self.totals(), self.server.total_traffic(), strict=True):
            assert all(counted[name] <= total[name] for name in counted)
        assert self.table.received_bytes <= self.server.total_traffic()[0].total()
        assert self.table.sessions.connects <= self.server.connects
        assert self.table.sessions.disconnects <= self.server.disconnects
        after = self._counters()
        assert all(after[key] >= value for key, value in self._before.items())
        self._before = after

    def check_bytes(self) -> None:
        """Check that every byte in a status is counted."""
        for counted, polled in zip(self.totals(), self.server.polled_traffic(), strict=True):
            assert +counted == +polled
        assert self.table.received_bytes == self.server.polled_traffic()[0].total()
        assert self.table.sent_bytes == self.server.polled_traffic()[1].total()

    def check_connects(self) -> None:
        """Check that every connect and disconnect is counted."""
        assert self.table.sessions.connects == self.server.connects
        assert self.table.sessions.disconnects == self.server.disconnects

    def check_sessions(self) -> None:
        """Check that the current sessions are those of the server."""
        current = Counter(row.name for row in self.server.rows if row.authenticated)
        totals = self.table.totals.items()
        assert +Counter({name: client.sessions for name, client in totals}) == current

    def _counters(self) -> Counter[str]:
        received, sent = self.totals()
        counters = Counter({f"received {name}": value for name, value in received.items()})
        counters.update({f"sent {name}": value for name, value in sent.items()})
        counters["connects"] = self.table.sessions.connects
        counters["disconnects"] = self.table.sessions.disconnects
        return counters


@settings(max_examples=400)
@given(histories())
def test_with_ids_and_the_log_every_byte_and_every_connect_is_counted(
    history: list[Step | Poll],
) -> None:
    monitored = MonitoredModel(ServerModel(), log=True)
    for _ in monitored.run(history):
        monitored.check_bounds()
        monitored.check_bytes()
        monitored.check_sessions()
    monitored.check_connects()


@settings(max_examples=200)
@given(histories())
def test_without_the_log_every_byte_in_a_status_is_counted(history: list[Step | Poll]) -> None:
    monitored = MonitoredModel(ServerModel(), log=False)
    for _ in monitored.run(history):
        monitored.check_bounds()
        monitored.check_bytes()
        monitored.check_sessions()


@settings(max_examples=200)
@given(histories())
def test_daemons_without_client_ids_are_counted(history: list[Step | Poll]) -> None:
    monitored = MonitoredModel(ServerModel(ids=False), log=True)
    for _ in monitored.run(history):
        monitored.check_bounds()
        monitored.check_bytes()
    monitored.check_connects()


@settings(max_examples=400)
@given(
    histories(seconds=(0, 450), format_1=True),
    st.builds(
        MonitoredModel,
        st.builds(
            ServerModel,
            ids=st.booleans(),
            ports=st.booleans(),
            zone=st.sampled_from([0, 3600, -12600]),
        ),
        log=st.booleans(),
    ),
)
def test_counters_never_exceed_the_model_and_never_decrease(
    history: list[Step | Poll], monitored: MonitoredModel
) -> None:
    """Clients share times and addresses, and polls fall back to format 1."""
    for _ in monitored.run(history):
        monitored.check_bounds()
