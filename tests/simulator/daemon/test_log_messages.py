import re
from collections.abc import Iterator

import pytest

from exporter.simulator.daemon.log_messages import log_entries
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance, InstanceEvent
from exporter.simulator.population.instance_table import InstanceTable
from tests.simulator.daemons import FIVE
from tests.simulator.manual_clock import MORNING
from tests.simulator.replay import TRANSCRIPTS

_LOG = re.compile(rb"^(?:>LOG:)?\d+,([IFNWD]*),(.*)\r$", re.MULTILINE)


def normal(text: str) -> str:
    """Normalise what differs between two clients: their numbers and addresses."""
    text = re.sub(r"fd00:8::[0-9a-f]+", "V6", text)
    return re.sub(r"\d+", "N", re.sub(r"(?<=\[)bob(?=\])|bob(?=/)", "alice", text))


@pytest.fixture(scope="module")
def recorded() -> set[tuple[str, str]]:
    """Every log line of every recorded session, as flags and text."""
    return {
        (flags.decode(), normal(text.decode("utf-8", "replace")))
        for path in TRANSCRIPTS.rglob("*.recv")
        for flags, text in _LOG.findall(path.read_bytes())
    }


UNSEEN = {
    InstanceEvent.MAX_CLIENTS_REACHED: "logged by the server, which knows its limit",
    InstanceEvent.PING_TIMED_OUT: "no recorded session waits for a server to miss a client",
    InstanceEvent.FLOATED: "no session with a floating client was recorded at verb 4",
}
"""Events without log lines in any recorded session, and why."""

_UNVERIFIED = (
    InstanceEvent.OPENED,
    InstanceEvent.HANDSHAKE_TIMED_OUT,
    InstanceEvent.CERTIFICATE_REJECTED,
)


def instance(event: InstanceEvent) -> Instance:
    """Return a client as it is when the event happens to it."""
    instance_table = InstanceTable()
    unverified = event in _UNVERIFIED
    identity = ClientIdentity(common_name="UNDEF", host="127.0.0.1") if unverified else FIVE[0]
    opened = instance_table.open(identity, port=50_000, now=MORNING)
    if not unverified:
        instance_table.verify(opened, received=1, sent=1)
    if not unverified and event is not InstanceEvent.PASSWORD_REJECTED:
        instance_table.establish(opened, MORNING)
    return opened


def _logged() -> Iterator[tuple[str, str]]:
    for event in set(InstanceEvent) - set(UNSEEN):
        for entry in log_entries(event, instance(event), tcp=True):
            yield entry.flags, entry.text


def test_every_line_is_one_of_a_recorded_log(recorded: set[tuple[str, str]]) -> None:
    simulated = {(flags, normal(text)) for flags, text in _logged()}
    replacing = instance(InstanceEvent.ESTABLISHED)
    replacing.replaces = True
    for entry in log_entries(InstanceEvent.ESTABLISHED, replacing, tcp=False):
        simulated.add((entry.flags, normal(entry.text)))
    assert simulated - recorded == set()
    assert len(simulated) > 30
