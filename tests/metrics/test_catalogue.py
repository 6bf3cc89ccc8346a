import collections
import re

import msgspec
import pytest

from exporter.config.schema import ClientsConfig
from exporter.metrics.catalogue import FAMILIES, METRICS, families
from exporter.metrics.families import client_certificates, clients
from exporter.metrics.family import Metric, MetricType, PerClient
from tests.metrics.daemons import server, shared, tunnel
from tests.metrics.parsing import names_of, scrape

RESERVED_LABELS = {"job", "instance", "le", "quantile", "daemon"}
"""Those of Prometheus and of the text formats, and the label of every daemon."""

RESERVED_SUFFIXES = ("_sum", "_count", "_bucket", "_created", "_gsum", "_gcount")


def each_metric() -> list[object]:
    return [pytest.param(metric, id=metric.name) for metric in METRICS]


@pytest.mark.parametrize("metric", each_metric())
class TestEveryMetric:
    def test_has_help_of_one_sentence_on_one_line(self, metric: Metric) -> None:
        assert re.fullmatch(r"[1A-Z].*[^. ]\.", metric.help)
        assert ". " not in metric.help

    def test_has_help_that_fits_into_a_table_of_markdown(self, metric: Metric) -> None:
        assert "|" not in metric.help
        assert "`" not in metric.help

    def test_has_a_plain_name_with_our_prefix(self, metric: Metric) -> None:
        assert re.fullmatch(r"openvpn(_[a-z0-9]+)+", metric.name)

    def test_ends_in_total_if_and_only_if_it_is_a_counter(self, metric: Metric) -> None:
        assert metric.name.endswith("_total") == (metric.type is MetricType.COUNTER)

    def test_ends_in_info_if_it_is_an_info(self, metric: Metric) -> None:
        assert metric.type is not MetricType.INFO or metric.name.endswith("_info")

    def test_ends_in_no_reserved_suffix(self, metric: Metric) -> None:
        assert not metric.name.endswith(RESERVED_SUFFIXES)

    def test_counts_in_base_units(self, metric: Metric) -> None:
        words = set(metric.name.split("_"))
        assert not words & {
            "milliseconds",
            "ms",
            "minutes",
            "hours",
            "kilobytes",
            "bits",
            "percent",
        }

    def test_has_legal_labels_none_of_them_twice(self, metric: Metric) -> None:
        assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", label) for label in metric.labels)
        assert len(set(metric.labels)) == len(metric.labels)

    def test_has_no_reserved_label(self, metric: Metric) -> None:
        assert not RESERVED_LABELS & set(metric.labels)


def test_names_are_unique() -> None:
    names = collections.Counter(metric.name for metric in METRICS)
    assert names.most_common(1)[0][1] == 1


def test_family_names_of_openmetrics_are_unique() -> None:
    names = collections.Counter(re.sub("_(total|info)$", "", metric.name) for metric in METRICS)
    assert names.most_common(1)[0][1] == 1


def test_counters_and_histograms_stay_while_a_daemon_is_down() -> None:
    absent = [family.metric for family in FAMILIES if family.while_up]
    assert not [
        metric for metric in absent if metric.type in (MetricType.COUNTER, MetricType.HISTOGRAM)
    ]


def test_families_that_grow_with_the_clients_are_rendered_once_per_poll() -> None:
    per_client_labels = {"common_name", "virtual_address"}
    small = {family.metric.name for family in clients.EXPECTED}
    for family in FAMILIES:
        if per_client_labels & set(family.metric.labels) and family.metric.name not in small:
            assert isinstance(family.source, PerClient), family.metric.name


def test_servers_and_a_tunnel_together_show_every_family() -> None:
    page = scrape(FAMILIES, [server(), tunnel(), shared()], accept="")
    shown = {series.name for family in page for series, _ in family.samples}
    assert {name for family in FAMILIES for name in names_of(family)} <= shown


@pytest.mark.parametrize(
    ("key", "switched"),
    [
        ("series", (*clients.SERIES, *client_certificates.CLIENTS)),
        ("info", clients.INFO),
        ("routes", clients.ROUTES),
    ],
)
def test_each_key_of_clients_switches_its_own_families(
    key: str, switched: tuple[object, ...]
) -> None:
    on = msgspec.structs.replace(ClientsConfig(), **{key: True})
    off = msgspec.structs.replace(ClientsConfig(), **{key: False})
    assert [family for family in families(on) if family not in families(off)] == list(switched)
    assert set(families(off)) < set(families(on))


def test_the_order_is_the_same_with_all_switches_off() -> None:
    config = ClientsConfig(series=False, info=False, routes=False)
    kept = families(config)
    assert list(kept) == [family for family in FAMILIES if family in kept]
