"""The reference of the metrics, written from the catalogue.

python -m exporter.metrics.docs            writes docs/metrics.md
python -m exporter.metrics.docs --check    exits with 1 if that file says anything else
"""

import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from exporter.config.docs import format_value
from exporter.config.schema import ClientsConfig, Key, key_specs
from exporter.management.log_events import LOG_EVENTS
from exporter.metrics import catalogue, self_metrics
from exporter.metrics.family import Kind, Metric

PAGE = Path("docs", "metrics.md")

_INTRODUCTION = """\
<!-- Written by `python -m exporter.metrics.docs`; change exporter/metrics/families. -->

# Metrics

Everything that the exporter can say, by subject.

- Every series of a daemon has the label `daemon`: its name in the configuration, or that of the
  OpenVPN file or the address that it was found by. The tables leave it out.
- While a daemon can't be reached, its gauges and infos go away, and its counters stay as they
  were. These gauges stay too, since they say so: {staying}.
- Counters begin at 0 with the exporter and go on over restarts of the daemon, reconnects of its
  clients and losses of the management session: `rate()` and `increase()` hold.
- Some metrics can be switched by a key of the [configuration](configuration.md), named beside them.
- An info is a constant 1 that carries labels to join on. Empty labels are left out.
"""

_LOG_EVENTS = """
## Log events

Values of the label `event` of `openvpn_log_events_total`. A daemon says each from the `verb` on
that is named here; its default is 1, and 3 is what most run with.

| event | verb | OpenVPN | what it means |
|---|---|---|---|
"""

_OF_OTHERS = """
`process_*` and `python_info` come with it, from prometheus_client.
"""


def render() -> str:
    """Return the whole page as Markdown."""
    switches = _switches()
    sections = [
        f"\n## {title}\n\n{_table([family.metric for family in families], switches)}"
        for title, families in catalogue.SECTIONS.items()
    ]
    self_section = f"\n## Exporter\n\n{_table(self_metrics.METRICS, {})}{_OF_OTHERS}"
    return f"{_introduction()}{''.join(sections)}{self_section}{_log_events()}"


def _introduction() -> str:
    staying = [
        f"`{family.metric.name}`"
        for family in catalogue.FAMILIES
        if family.metric.kind is Kind.GAUGE and not family.while_up
    ]
    return _INTRODUCTION.format(staying=", ".join(staying))


def _log_events() -> str:
    return _LOG_EVENTS + "".join(
        f"| `{event.name}` | {event.verb} | {event.versions} | {event.meaning} |\n"
        for event in LOG_EVENTS
    )


def _table(metrics: Collection[Metric], switches: Mapping[str, Key]) -> str:
    head = "| metric | kind | labels | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"{_row(metric, switches.get(metric.name))}\n" for metric in metrics)


def _row(metric: Metric, switch: Key | None) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    meaning = metric.help
    if switch is not None:
        meaning += f" Switched by `clients.{switch.name}` (`{format_value(switch.default)}`)."
    return f"| `{metric.name}` | {metric.kind.value} | {labels} | {meaning} |"


def _switches() -> dict[str, Key]:
    """Return by which key of `clients` a metric is switched, for those that can be."""
    return {name: key for key in key_specs(ClientsConfig) for name in _switched_by(key)}


def _switched_by(key: Key) -> Iterator[str]:
    if isinstance(key.default, bool):
        without = catalogue.families(msgspec.structs.replace(_EVERYTHING, **{key.name: False}))
        for family in catalogue.families(_EVERYTHING):
            if family not in without:
                yield family.metric.name


_EVERYTHING = msgspec.structs.replace(
    ClientsConfig(),
    **{key.name: True for key in key_specs(ClientsConfig) if isinstance(key.default, bool)},
)


def main(arguments: list[str]) -> int:
    """Write the page, or compare it; return the exit code."""
    if arguments == ["--check"]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != render())
    PAGE.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
