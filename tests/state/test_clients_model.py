"""The ledger against a simulated truth: never above it, never falling, equal to what was shown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config.schema import ClientsConfig
from exporter.state.clients import ClientTable
from tests.state.model import Act, Step, Truth


class Poll(NamedTuple):
    """A status, and what happens behind it before it is read to the end."""

    format_1: bool = False
    meanwhile: Sequence[Step] = ()


ACTS = st.sampled_from(
    [Act.ARRIVE, Act.ADMIT, Act.MOVE, Act.ARRIVE, Act.ADMIT, Act.MOVE, Act.MOVE, Act.TURN_AWAY,
     Act.LEAVE, Act.RECONNECT, Act.FLOAT, Act.RESTART]
)  # fmt: skip


def steps(*, seconds: tuple[int, int]) -> st.SearchStrategy[Step]:
    return st.builds(Step, ACTS, st.integers(0, 5), st.integers(0, 1000), st.integers(*seconds))


def histories(
    *, seconds: tuple[int, int] = (1, 5), format_1: bool = False
) -> st.SearchStrategy[list[Step | Poll]]:
    step = steps(seconds=seconds)
    formats = st.booleans() if format_1 else st.just(value=False)
    poll = st.builds(Poll, formats, st.lists(step, max_size=2) if format_1 else st.just(()))
    return st.lists(step | step | poll, max_size=60)


class Watch:
    """A ledger beside its server."""

    def __init__(self, truth: Truth, *, log: bool) -> None:
        self.truth = truth
        self.ledger = ClientTable(ClientsConfig(forget_after=1e9))
        self._log = log
        self._restarted = False
        self._before = self._counters()

    def live(self, history: Sequence[Step | Poll]) -> Iterator[None]:
        """Let everything happen, and stop to look after each poll."""
        for event in (Poll(), *history, Poll(), Poll(), Poll()):
            if isinstance(event, Step):
                self._restarted |= event.act is Act.RESTART
                self._happen(event)
            else:
                self._poll(event)
                yield

    def _happen(self, step: Step) -> None:
        for line in self.truth.happen(step):
            if self._log:
                self.ledger.sessions.add_logged_connect(line)

    def _poll(self, poll: Poll) -> None:
        status = self.truth.status(format_1=poll.format_1)
        self.truth.watched = True
        restarted, self._restarted = self._restarted, False
        for step in poll.meanwhile:
            self._restarted |= step.act is Act.RESTART
            self._happen(step)
        if restarted:
            self.ledger.restart()
        self.ledger.update(status, self.truth.now)

    def totals(self) -> tuple[Counter[str], Counter[str]]:
        """Return the bytes received and sent, by name."""
        totals = self.ledger.totals.items()
        return (
            Counter({name: account.received_bytes for name, account in totals}),
            Counter({name: account.sent_bytes for name, account in totals}),
        )

    def check_bounds(self) -> None:
        """Nothing is above the truth, and nothing fell."""
        for counted, moved in zip(self.totals(), self.truth.moved(), strict=True):
            assert all(counted[name] <= moved[name] for name in counted)
        assert self.ledger.received_bytes <= self.truth.moved()[0].total()
        assert self.ledger.sessions.connects <= self.truth.connects
        assert self.ledger.sessions.disconnects <= self.truth.disconnects
        after = self._counters()
        assert all(after[key] >= value for key, value in self._before.items())
        self._before = after

    def check_bytes(self) -> None:
        """All that a status has shown is counted."""
        for counted, polled in zip(self.totals(), self.truth.polled(), strict=True):
            assert +counted == +polled
        assert self.ledger.received_bytes == self.truth.polled()[0].total()
        assert self.ledger.sent_bytes == self.truth.polled()[1].total()

    def check_visits(self) -> None:
        """Who came and went is counted."""
        assert self.ledger.sessions.connects == self.truth.connects
        assert self.ledger.sessions.disconnects == self.truth.disconnects

    def check_sessions(self) -> None:
        """The current sessions are those of the server."""
        current = Counter(row.name for row in self.truth.rows if row.admitted)
        totals = self.ledger.totals.items()
        assert +Counter({name: account.sessions for name, account in totals}) == current

    def _counters(self) -> Counter[str]:
        received, sent = self.totals()
        counters = Counter({f"received {name}": value for name, value in received.items()})
        counters.update({f"sent {name}": value for name, value in sent.items()})
        counters["connects"] = self.ledger.sessions.connects
        counters["disconnects"] = self.ledger.sessions.disconnects
        return counters


@settings(max_examples=400)
@given(histories())
def test_with_ids_and_the_log_every_byte_and_every_connect_is_counted(
    history: list[Step | Poll],
) -> None:
    watch = Watch(Truth(), log=True)
    for _ in watch.live(history):
        watch.check_bounds()
        watch.check_bytes()
        watch.check_sessions()
    watch.check_visits()


@settings(max_examples=200)
@given(histories())
def test_without_the_log_every_byte_in_a_status_is_counted(history: list[Step | Poll]) -> None:
    watch = Watch(Truth(), log=False)
    for _ in watch.live(history):
        watch.check_bounds()
        watch.check_bytes()
        watch.check_sessions()


@settings(max_examples=200)
@given(histories())
def test_daemons_without_client_ids_are_counted(history: list[Step | Poll]) -> None:
    watch = Watch(Truth(ids=False), log=True)
    for _ in watch.live(history):
        watch.check_bounds()
        watch.check_bytes()
    watch.check_visits()


@settings(max_examples=400)
@given(
    histories(seconds=(0, 450), format_1=True),
    st.builds(
        Watch,
        st.builds(
            Truth,
            ids=st.booleans(),
            ports=st.booleans(),
            zone=st.sampled_from([0, 3600, -12600]),
        ),
        log=st.booleans(),
    ),
)
def test_counters_never_exceed_the_truth_and_never_fall(
    history: list[Step | Poll], watch: Watch
) -> None:
    """Times and addresses of several clients are the same, and polls fall back to format 1."""
    for _ in watch.live(history):
        watch.check_bounds()
