import gc
import itertools
import re
import weakref
from collections.abc import Generator, Iterable

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry, Counter

from exporter.management.errors import ReplyTimeout
from exporter.management.log_events import LOG_EVENTS
from exporter.management.log_lines import Severity
from exporter.management.notifications import KEYWORDS, Greeting
from exporter.management.reconnect_reasons import RECONNECT_REASONS
from exporter.management.state import StateName
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.family import Family, LabelledValues, Metric, MetricType, PerClientSamples
from exporter.metrics.page import Block, Page
from exporter.metrics.self_metrics import SelfMetrics
from exporter.state.daemon import DaemonState
from tests.metrics.counting_family import CountingFamily
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    new_daemon,
    poll,
    server,
    server_status,
    shared,
    start_session,
    take_down,
    tunnel,
)
from tests.metrics.parsing import (
    FORMATS,
    OPENMETRICS,
    Parsed,
    all_series,
    names_of,
    parse,
    scrape,
    values,
)

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)

PLAIN = "text/plain; version=0.0.4; charset=utf-8"

FLEET = (server(), server("branch", expected=()), tunnel(), shared())


def exposition(*families: Family) -> Exposition:
    return Exposition(families or FAMILIES, CollectorRegistry())


def restricted(names: Iterable[str], accept: str) -> set[str]:
    """Return the names of the series on a restricted page of the fleet and the exporter."""
    whole = Exposition(FAMILIES, SelfMetrics().registry)
    page = whole.page(FLEET, accept=accept, names=list(names))
    return {series.name for series in all_series(parse(page.body, page.content_type))}


class TestFormats:
    @pytest.mark.parametrize("accept", ["", "*/*", "text/html", "text/plain", "text/plain;q=0.5"])
    def test_plain_text_is_the_default(self, accept: str) -> None:
        assert exposition().page(FLEET, accept=accept).content_type == PLAIN

    @pytest.mark.parametrize("accept", [PROMETHEUS_2, PROMETHEUS_3, OPENMETRICS])
    def test_prometheus_gets_openmetrics(self, accept: str) -> None:
        page = exposition().page(FLEET, accept=accept)
        assert page.content_type.startswith("application/openmetrics-text; version=1.0.0;")
        assert page.body.endswith(b"\n# EOF\n")

    @pytest.mark.parametrize(
        "accept",
        [
            "application/openmetrics-text; version=foo",
            'application/openmetrics-text; version="1.0.0"',
            "application/openmetrics-text; version=",
            "application/openmetrics-text; version=1.0.0.0.0.0",
            "application/openmetrics-text; version=99.0.0",
            "application/openmetrics-text; version=2.0.0",
            "application/openmetrics-text; version=-1",
            "application/openmetrics-text;version=1.0.0;escaping=\u00e9",
            "text/plain; version=2",
            "text/plain; version=1.0.0; escaping=nonsense",
            ";;;,,,===",
            "version=1",
            "\x00",
            "," * 5000,
        ],
    )
    def test_an_unusual_header_gets_a_supported_format(self, accept: str) -> None:
        page = exposition().page(FLEET, accept=accept)
        assert page.content_type in {
            PLAIN,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            "text/plain; version=1.0.0; charset=utf-8; escaping=underscores",
        }
        assert parse(page.body, page.content_type)

    def test_an_unsupported_version_is_skipped(self) -> None:
        kind = "application/openmetrics-text"
        accept = f"{kind};version=2.0.0;q=0.9,{kind};version=1.0.0;q=0.8"
        page = exposition().page(FLEET, accept=accept)
        assert page.content_type.startswith("application/openmetrics-text; version=1.0.0")

    def test_openmetrics_has_one_eof_on_the_last_line(self) -> None:
        whole = Exposition(FAMILIES, SelfMetrics().registry)
        body = whole.page(FLEET, accept=OPENMETRICS).body
        assert body.count(b"# EOF") == 1
        assert body.endswith(b"# EOF\n")

    def test_plain_text_has_no_eof(self) -> None:
        assert b"# EOF" not in exposition().page(FLEET).body

    def test_sample_lines_are_the_same_in_both_formats(self) -> None:
        plain, openmetrics = (exposition().page(FLEET, accept=accept).body for accept in FORMATS)
        assert sample_lines(plain) == sample_lines(openmetrics)

    @pytest.mark.parametrize("accept", FORMATS)
    def test_a_page_without_daemons_has_only_metrics_about_the_exporter(self, accept: str) -> None:
        page = Exposition(FAMILIES, SelfMetrics().registry).page([], accept=accept)
        names = {series.name for series in all_series(parse(page.body, page.content_type))}
        assert "openvpn_exporter_build_info" in names
        assert not [name for name in names if name.startswith(("openvpn_up", "openvpn_server"))]


def sample_lines(body: bytes) -> list[bytes]:
    return [line for line in body.splitlines() if not line.startswith(b"#")]


class TestFamilies:
    @pytest.mark.parametrize("accept", FORMATS)
    def test_are_contiguous_each_with_one_help_and_type(self, accept: str) -> None:
        body = exposition().page(FLEET, accept=accept).body.decode()
        lines = body.removesuffix("# EOF\n").splitlines()
        runs = [name for name, _ in itertools.groupby(map(family_of, lines))]
        assert len(runs) == len(set(runs)) == len(FAMILIES)
        helps = [line for line in lines if line.startswith("# HELP")]
        types = [line for line in lines if line.startswith("# TYPE")]
        assert len(helps) == len(types) == len(FAMILIES)

    @pytest.mark.parametrize("accept", FORMATS)
    def test_come_in_the_order_of_the_catalogue(self, accept: str) -> None:
        shown = [family.samples[0][0].name for family in scrape(FAMILIES, FLEET, accept)]
        for name, family in zip(shown, FAMILIES, strict=True):
            assert name in names_of(family)

    def test_without_samples_have_no_help_and_type(self) -> None:
        body = exposition().page([tunnel()]).body
        assert b"openvpn_server_connected_clients" not in body


def family_of(line: str) -> str:
    name = line.split(" ")[2] if line.startswith("# ") else line.partition("{")[0]
    return re.sub("_(total|info|bucket|sum|count)$", "", name)


class TestRestriction:
    @pytest.mark.parametrize("accept", FORMATS)
    @pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.metric.name)
    def test_names_a_metric(self, family: Family, accept: str) -> None:
        assert restricted([family.metric.name], accept) == names_of(family)

    @pytest.mark.parametrize("accept", FORMATS)
    @pytest.mark.parametrize("suffix", ["_bucket", "_sum", "_count"])
    def test_names_a_sample_of_a_histogram(self, suffix: str, accept: str) -> None:
        for family in FAMILIES:
            if family.metric.type is MetricType.HISTOGRAM:
                shown = restricted([family.metric.name + suffix], accept)
                assert shown == names_of(family)

    @pytest.mark.parametrize("accept", FORMATS)
    @pytest.mark.parametrize(
        ("family", "metric"),
        [
            ("openvpn_received_bytes", "openvpn_received_bytes_total"),
            ("openvpn", "openvpn_info"),
            ("openvpn_up", "openvpn_up"),
            ("process_resident_memory_bytes", "process_resident_memory_bytes"),
            ("openvpn_exporter_build_info", "openvpn_exporter_build_info"),
        ],
    )
    def test_names_a_family(self, family: str, metric: str, accept: str) -> None:
        assert restricted([family], accept) == {metric}

    @pytest.mark.parametrize("accept", FORMATS)
    def test_names_several_metrics_and_ignores_unknown_ones(self, accept: str) -> None:
        names = ["openvpn_up", "no_such_metric", "process_open_fds", "openvpn_up"]
        assert restricted(names, accept) == {"openvpn_up", "process_open_fds"}

    @pytest.mark.parametrize("accept", FORMATS)
    @pytest.mark.parametrize("name", ["no_such_metric", "", "openvpn_", 'a"b\n# EOF', "*"])
    def test_to_an_unknown_name_is_an_empty_page(self, name: str, accept: str) -> None:
        assert restricted([name], accept) == set()

    def test_does_not_change_samples(self) -> None:
        whole, part = exposition().page(FLEET), exposition().page(FLEET, names=["openvpn_state"])
        assert part.body in whole.body


class TestDown:
    @pytest.mark.parametrize("accept", FORMATS)
    def test_keeps_counters_and_the_gauges_of_availability(self, accept: str) -> None:
        daemon = server()
        before = scrape(FAMILIES, [daemon], accept)
        take_down(daemon)
        staying = {n for family in FAMILIES if not family.while_up for n in names_of(family)}
        after = scrape(FAMILIES, [daemon], accept)
        assert set(all_series(after)) == {s for s in all_series(before) if s.name in staying}

    def test_has_a_reason(self) -> None:
        daemon = server()
        take_down(daemon)
        assert labels_at_1(scrape(FAMILIES, [daemon], ""), "openvpn_down_reason") == [
            ("reason", "refused")
        ]
        assert single_value(daemon, "openvpn_up") == 0
        assert single_value(daemon, "openvpn_management_up") == 0

    def test_decreases_no_counter(self) -> None:
        daemon = server()
        before = values(scrape(FAMILIES, [daemon], ""))
        take_down(daemon)
        after = values(scrape(FAMILIES, [daemon], ""))
        counters = [s for s in before if s.name.endswith("_total")]
        assert len(counters) > 10
        assert all(after[series] >= before[series] for series in counters)

    def test_does_not_affect_other_daemons(self) -> None:
        down, up = server("a"), server("b")
        take_down(down)
        shown = set(all_series(scrape(FAMILIES, [down, up], "")))
        alone = set(all_series(scrape(FAMILIES, [up], "")))
        assert {series for series in shown if ("daemon", "b") in series.labels} == alone

    def test_ends_with_all_gauges_present_again(self) -> None:
        daemon, status = new_daemon(), server_status([OFFICE_CLIENT])
        start_session(daemon)
        poll(daemon, status)
        before = set(all_series(scrape(FAMILIES, [daemon], "")))
        take_down(daemon)
        assert not before <= set(all_series(scrape(FAMILIES, [daemon], "")))
        start_session(daemon)
        poll(daemon, status)
        assert before <= set(all_series(scrape(FAMILIES, [daemon], "")))

    def test_is_the_state_before_the_first_session(self) -> None:
        page = scrape(FAMILIES, [new_daemon()], "")
        assert labels_at_1(page, "openvpn_down_reason") == []
        up = {s.name: v for s, v in values(page).items() if s.name.endswith("_up")}
        assert up == {"openvpn_up": 0, "openvpn_management_up": 0}


def labels_at_1(page: list[Parsed], name: str) -> list[tuple[str, str]]:
    """Return the labels, but `daemon`, of the samples of a metric that are 1."""
    return [
        label
        for series, value in values(page).items()
        for label in series.labels
        if series.name == name and value == 1 and label[0] != "daemon"
    ]


def single_value(daemon: DaemonState, name: str) -> float:
    (value,) = [v for s, v in values(scrape(FAMILIES, [daemon], "")).items() if s.name == name]
    return value


class TestCounters:
    def test_of_known_label_values_exist_from_the_first_scrape(self) -> None:
        page = scrape(FAMILIES, [new_daemon()], "")
        failures = [s for s in values(page) if s.name == "openvpn_exporter_poll_failures_total"]
        reasons = [s for s in values(page) if s.name == "openvpn_down_reason"]
        assert len(failures) == len(reasons) > 5

    @pytest.mark.parametrize(
        ("metric", "label", "known"),
        [
            ("openvpn_realtime_messages_total", "source", {*KEYWORDS, "other"}),
            ("openvpn_state_transitions_total", "state", {name.value for name in StateName}),
            ("openvpn_reconnects_total", "reason", set(RECONNECT_REASONS)),
            ("openvpn_log_messages_total", "severity", {level.value for level in Severity}),
            ("openvpn_log_events_total", "event", {event.name for event in LOG_EVENTS}),
        ],
    )
    def test_of_events_are_0_from_the_first_scrape(
        self, metric: str, label: str, known: set[str]
    ) -> None:
        page = values(scrape(FAMILIES, [new_daemon()], ""))
        counts = {dict(s.labels)[label]: count for s, count in page.items() if s.name == metric}
        assert counts == dict.fromkeys(known, 0)

    def test_have_failed_polls_by_reason(self) -> None:
        daemon = server()
        daemon.on_poll_error(ReplyTimeout("no answer"))
        page = values(scrape(FAMILIES, [daemon], ""))
        failed = {s for s, v in page.items() if "poll_failures" in s.name and v == 1}
        assert [dict(series.labels)["reason"] for series in failed] == ["timeout"]


class TestOncePerPoll:
    def test_families_of_clients_are_rendered(self) -> None:
        counting, daemon = CountingFamily(per_client=True), server()
        page = exposition(counting.family)
        bodies = {page.page([daemon], accept=accept).body[-30:] for accept in ("", "*/*")}
        page.page([daemon], accept=OPENMETRICS)
        assert counting.calls == len(bodies) == 1

    def test_families_of_clients_are_rendered_again_after_the_next(self) -> None:
        counting, daemon = CountingFamily(per_client=True), server()
        page = exposition(counting.family)
        assert b"} 1\n" in page.page([daemon]).body
        poll(daemon, server_status([OFFICE_CLIENT]), now=NOON + 15)
        assert b"} 2\n" in page.page([daemon]).body
        assert counting.calls == 2

    def test_names_are_those_of_the_current_clients(self) -> None:
        carol = structs.replace(OFFICE_CLIENT, common_name="carol", client_id=5)
        daemon = server(expected=())
        page = exposition(*FAMILIES)
        assert b'common_name="alice"' in page.page([daemon]).body
        poll(daemon, server_status([carol]), now=NOON + 7200)  # alice is forgotten by then
        body = page.page([daemon]).body
        assert b'common_name="alice"' not in body
        assert body.count(b'_client_sent_bytes_total{daemon="office",common_name="carol"}') == 1

    def test_each_daemon_is_rendered_by_itself(self) -> None:
        counting, daemons = CountingFamily(per_client=True), [server("a"), server("b")]
        page = exposition(counting.family)
        page.page(daemons)
        poll(daemons[0], server_status([OFFICE_CLIENT]), now=NOON + 15)
        page.page(daemons)
        assert counting.calls == 3

    def test_small_families_are_rendered_after_every_change_too(self) -> None:
        counting, daemon = CountingFamily(per_client=False), server()
        page = exposition(counting.family)
        page.page([daemon])
        page.page([daemon])
        assert counting.calls == 1
        daemon.on_notification("INFO", Greeting(5))
        assert b"} 2\n" in page.page([daemon]).body
        assert counting.calls == 2

    async def test_families_are_rendered_before_the_scrape_if_prerendered(self) -> None:
        counting, daemon = CountingFamily(per_client=True), server()
        page = exposition(counting.family)
        await page.prerender(daemon)
        assert counting.calls == 1
        assert b"} 1\n" in page.page([daemon]).body
        assert counting.calls == 1

    async def test_a_daemon_that_changes_while_another_is_rendered_is_rendered_again(self) -> None:
        first, second = server("first"), server("second")
        collected: list[str] = []

        def collect(daemon: DaemonState) -> Generator[None, None, LabelledValues]:
            collected.append(daemon.name)
            if collected == ["first", "second"]:
                poll(first, server_status())
            yield
            return {"alice": 1}

        metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("common_name",))
        page = exposition(Family(metric, PerClientSamples(collect)))
        await page.prerender(first, second)
        assert collected == ["first", "second", "first"]
        page.page([first, second])
        assert len(collected) == 3


class TestCache:
    def test_of_a_removed_daemon_is_freed(self) -> None:
        counting = CountingFamily(per_client=True)
        page = exposition(counting.family)
        daemon = server()
        page.page([daemon])
        text = weakref.ref(daemon)
        del daemon
        gc.collect()
        assert text() is None

    def test_a_new_daemon_of_the_same_name_is_rendered_anew(self) -> None:
        page = exposition()
        assert b'common_name="alice"' in page.page([server()]).body
        other = structs.replace(OFFICE_CLIENT, common_name="carol")
        body = page.page([server(clients=[other], expected=())]).body
        assert b'common_name="carol"' in body
        assert b"alice" not in body.replace(b"alice@office", b"")

    def test_a_large_family_is_one_block_of_every_page_until_it_changes(self) -> None:
        many = [
            structs.replace(OFFICE_CLIENT, client_id=number, common_name=f"{number:0128}")
            for number in range(200)
        ]
        daemon = server(clients=many)
        page = exposition()
        first, second = blocks(page.page([daemon])), blocks(page.page([daemon], accept=OPENMETRICS))
        assert len(first) > 3
        assert first == second
        many[7] = structs.replace(many[7], received_bytes=many[7].received_bytes + 1)
        poll(daemon, server_status(many), now=NOON + 15)
        third = blocks(page.page([daemon]))
        assert [name for name, block in third.items() if block != first[name]] == [
            b"openvpn_server_client_received_bytes_total"
        ]


def blocks(page: Page) -> dict[bytes, Block]:
    """Return the blocks of large families; the others begin with the HELP line of a small one.

    Blocks are equal if they are the same object.
    """
    starts = [(next(iter(block.parts)), block) for block in page.blocks]
    return {
        start.partition(b"{")[0]: block for start, block in starts if not start.startswith(b"#")
    }


def test_the_registry_comes_after_the_daemons() -> None:
    registry = CollectorRegistry()
    Counter("mine", "Mine.", registry=registry)
    body = Exposition(FAMILIES, registry).page(FLEET).body
    assert body.index(b"# HELP mine") > body.rindex(b"openvpn_")
