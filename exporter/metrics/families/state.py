"""The daemon's state, by `state` and the real-time messages."""

from collections.abc import Iterable

from exporter.management.state import StateName
from exporter.metrics.family import Sample, gauge, one, one_hot
from exporter.state.daemon import Record


def _since(record: Record) -> int | None:
    return record.state.time if record.state else None


def _state(record: Record) -> Iterable[Sample]:
    return one_hot(StateName, record.state.name if record.state else StateName.UNKNOWN)


FAMILIES = (
    gauge(
        "openvpn_state",
        "1 for the daemon's state, else 0; CONNECTED on a server means that it is initialised.",
        _state,
        labels=("state",),
    ),
    gauge(
        "openvpn_state_since_timestamp_seconds",
        "Unix time at which the daemon entered its state.",
        lambda record: one(_since(record)),
    ),
)
