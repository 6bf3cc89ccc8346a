"""The daemon's state, by `state` and the real-time messages."""

from collections.abc import Iterable

from exporter.management.state import StateName
from exporter.metrics.family import Sample, gauge, single, state_set
from exporter.state.daemon import DaemonState


def _since(daemon: DaemonState) -> int | None:
    return daemon.state.time if daemon.state else None


def _state(daemon: DaemonState) -> Iterable[Sample]:
    return state_set(StateName, daemon.state.name if daemon.state else StateName.UNKNOWN)


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
        lambda daemon: single(_since(daemon)),
    ),
)
