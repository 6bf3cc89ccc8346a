"""Generates docs/metrics.md from the catalogue.

python -m exporter.metrics.docs            writes docs/metrics.md
python -m exporter.metrics.docs --check    exits with 1 if the file is out of date
"""

import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from exporter.config.docs import format_value
from exporter.config.keys import Key, key_specs
from exporter.config.schema import ClientsConfig
from exporter.management.log_events import LOG_EVENTS
from exporter.management.reconnect_reasons import RECONNECT_REASONS
from exporter.management.state import ANY_MODE, STATE_MODES, Modes
from exporter.metrics import catalogue, expected_clients, self_metrics
from exporter.metrics.family import Metric, MetricType

PAGE = Path("docs", "metrics.md")

_INTRODUCTION = """\
<!-- Written by `python -m exporter.metrics.docs`; change exporter/metrics/families. -->

# Metrics

All metrics of the exporter, by subject.

- All series of a daemon have the label `daemon`: its name in the configuration, or the name of its
  OpenVPN configuration file; with `--openvpn.management`, the name of its socket or its address.
  The tables leave the label out. Series of the last two sections belong to no single daemon.
- While a daemon is down, its gauges and infos are absent and its counters keep their values. These
  gauges stay: {staying}.
- Counters start at 0 when the exporter starts to monitor a daemon: what was counted before, by the
  daemon itself, is not included. They keep their values over restarts of the daemon, reconnects of
  its clients and losses of the management session, so `rate()` and `increase()` work, also over a
  restart of the exporter. What is transferred between the last scrape before that restart and the
  first poll after it is lost. A daemon or a session that starts later counts from its beginning.
- Some metrics are switched on or off by a key of the [configuration](configuration.md); their rows
  name it.
- States and events that the mode of a daemon does not have are left out: a server has no state
  `RESOLVE`, a client no event `client_limit_reached`. All others are there from the start, at 0, so
  that `increase()` sees the first one. All are there while the mode is unknown.
- An info is a constant 1 with labels to join on. Empty labels are left out.
"""

_LOG_EVENTS = """
## Log events

Values of the label `event` of `openvpn_log_events_total`. OpenVPN logs an event if its `verb` is at
least the one in the table. The default is 1; most configurations set 3.

| event | modes | verb | OpenVPN | meaning |
|---|---|---|---|---|
"""

_MUTE = """
A daemon with `mute N` hides lines after N of one kind in a row, and with them their events. The
daemon logs this once (`lines_muted`); leave `mute` at 0 for exact counts. A failure that the daemon
logs in several lines counts once. A second factor that is asked for (`AUTH_FAILED,CRV1`) is no
failure, but a script or plugin that asks for it and fails before counts as `auth_failed`.
"""

_STATES = """
## States

Values of the label `state`. A server that has started is CONNECTED, also without clients.

| state | modes |
|---|---|
"""

_RECONNECT_REASONS = """
## Reasons to reconnect

Values of the label `reason` of `openvpn_reconnects_total`; any other text is `other`.

| reason | modes | OpenVPN |
|---|---|---|
"""

_CLIENT_LIBRARY = """
The exporter also exports `process_*` and `python_info` of prometheus_client.
"""


def render() -> str:
    """Return the whole page as Markdown."""
    switches = _switches()
    sections = [
        f"\n## {title}\n\n{_table([family.metric for family in families], switches)}"
        for title, families in catalogue.SECTIONS.items()
    ]
    expected = f"\n## Clients expected on any server\n\n{_table(expected_clients.METRICS, {})}"
    self_section = f"\n## Exporter\n\n{_table(self_metrics.METRICS, {})}{_CLIENT_LIBRARY}"
    values = f"{_states()}{_reconnect_reasons()}{_log_events()}"
    return f"{_introduction()}{''.join(sections)}{expected}{self_section}{values}"


def _introduction() -> str:
    staying_gauges = [
        f"`{family.metric.name}`"
        for family in catalogue.FAMILIES
        if family.metric.type is MetricType.GAUGE and not family.while_up
    ]
    return _INTRODUCTION.format(staying=", ".join(staying_gauges))


def _log_events() -> str:
    return (
        _LOG_EVENTS
        + "".join(
            f"| `{event.name}` | {_modes(event.modes)} | {event.verb} | {event.versions} "
            f"| {event.meaning} |\n"
            for event in LOG_EVENTS
        )
        + _MUTE
    )


def _reconnect_reasons() -> str:
    return _RECONNECT_REASONS + "".join(
        f"| `{text}` | {_modes(reason.modes)} | {reason.versions} |\n"
        for text, reason in RECONNECT_REASONS.items()
    )


def _states() -> str:
    return _STATES + "".join(
        f"| `{state}` | {_modes(modes)} |\n" for state, modes in STATE_MODES.items()
    )


def _modes(modes: Modes) -> str:
    return "all" if modes == ANY_MODE else ", ".join(sorted(modes))


def _table(metrics: Collection[Metric], switches: Mapping[str, Key]) -> str:
    head = "| metric | type | labels | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"{_row(metric, switches.get(metric.name))}\n" for metric in metrics)


def _row(metric: Metric, switch: Key | None) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    meaning = metric.help
    if switch is not None:
        meaning += f" Enabled by `clients.{switch.name}` (`{format_value(switch.default)}`)."
    return f"| `{metric.name}` | {metric.type.value} | {labels} | {meaning} |"


def _switches() -> dict[str, Key]:
    """Return the key of `clients` that switches a metric, by metric name."""
    return {name: key for key in key_specs(ClientsConfig) for name in _switched_by(key)}


def _switched_by(key: Key) -> Iterator[str]:
    if isinstance(key.default, bool):
        without = catalogue.families(msgspec.structs.replace(_ALL_ENABLED, **{key.name: False}))
        for family in catalogue.families(_ALL_ENABLED):
            if family not in without:
                yield family.metric.name


_ALL_ENABLED = msgspec.structs.replace(
    ClientsConfig(),
    **{key.name: True for key in key_specs(ClientsConfig) if isinstance(key.default, bool)},
)


def main(arguments: list[str]) -> int:
    """Write the page, or compare it with the file; return the exit code."""
    if arguments == ["--check"]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != render())
    PAGE.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
