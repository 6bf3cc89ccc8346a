"""The page equals that of prometheus_client, whatever the names of clients are."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporter.management.status import ClientRow
from exporter.management.values import clean_name
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from tests.metrics.daemons import server, take_down, tunnel
from tests.metrics.parsing import FORMATS, OPENMETRICS, ReferenceCollector, all_series, parse

HOSTILE_NAMES = (
    'quote"',
    "back\\slash",
    "trailing\\",
    "line\nbreak",
    "\n# HELP openvpn_up fake.\n# TYPE openvpn_up counter\nopenvpn_up 42\n",
    '"} 1\nopenvpn_up{daemon="fake"} 0\n# EOF\n',
    "# EOF",
    "a,b=c{d}",
    "carriage\rreturn",
    "\x00\x1b[31m",
    "\x85\u2028\u2029",
    " leading and trailing ",
    "\u202egnitirw",
    "ünïcode 漢字 😀",
    "UNDEF",
    "",
    "n" * 140,
    "n" * 139 + "m",
    "tab\tname",
    "tab\x0bname",  # the same as the one before, once it is clean
)

texts = st.one_of(st.sampled_from(HOSTILE_NAMES), st.text(st.characters(exclude_categories=["Cs"])))
names = texts.map(clean_name) | texts
"""Names as the parsers return them, and unclean ones."""

clients = st.builds(
    ClientRow,
    common_name=names,
    real_address=st.sampled_from(["192.0.2.1:1", "192.0.2.1:2", "[2001:db8::1]:1", ""]) | names,
    virtual_address=st.sampled_from(["10.8.0.6", ""]) | names,
    virtual_ipv6_address=names,
    received_bytes=st.integers(0, 2**64 - 1),
    sent_bytes=st.integers(0, 2**64 - 1),
    connected_since=st.integers(0, 3),
    username=names,
    client_id=st.none() | st.integers(0, 3),
    cipher=names,
)

daemon_names = st.lists(texts.filter(bool), min_size=1, max_size=3, unique=True)


@st.composite
def fleets(draw: st.DrawFn) -> list[DaemonState]:
    daemons = []
    for name in draw(daemon_names):
        if draw(st.integers(0, 3)) == 0:
            daemon = tunnel(name)
        else:
            expected = draw(st.lists(texts.filter(bool), max_size=2))
            daemon = server(name, draw(st.lists(clients, max_size=5)), expected=expected)
        if draw(st.integers(0, 4)) == 0:
            take_down(daemon)
        daemons.append(daemon)
    return daemons


def page(daemons: Sequence[DaemonState], accept: str) -> tuple[bytes, str]:
    written = Exposition(FAMILIES, CollectorRegistry()).page(daemons, accept=accept)
    return written.body, written.content_type


@pytest.mark.parametrize("accept", FORMATS, ids=["plain", "openmetrics"])
@given(daemons=fleets())
def test_no_series_comes_twice(daemons: list[DaemonState], accept: str) -> None:
    series = all_series(parse(*page(daemons, accept)))
    assert len(series) == len(set(series))


@pytest.mark.parametrize("accept", FORMATS, ids=["plain", "openmetrics"])
@given(daemons=fleets())
def test_the_page_equals_that_of_prometheus_client(daemons: list[DaemonState], accept: str) -> None:
    body, content_type = page(daemons, accept)
    generate = generate_openmetrics if accept == OPENMETRICS else generate_latest
    reference = generate(ReferenceCollector(FAMILIES, daemons))
    assert parse(body, content_type) == parse(reference, content_type)


@given(daemons=fleets())
def test_no_name_injects_a_line(daemons: list[DaemonState]) -> None:
    body, _ = page(daemons, OPENMETRICS)
    for line in body.decode().removesuffix("\n").split("\n"):
        assert line.startswith(("# HELP openvpn", "# TYPE openvpn", "openvpn_", "# EOF"))
    assert body.count(b"\n# EOF\n") == 1
