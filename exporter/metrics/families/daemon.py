"""Whether a daemon can be asked, and what it says of itself."""

from collections.abc import Iterable

from exporter.management.errors import DownReason
from exporter.metrics.family import Sample, gauge, info, single, state_set
from exporter.state.daemon import DaemonState

_INFO_LABELS = ("version", "platform", "mode", "management_version", "source")


def _info(daemon: DaemonState) -> Iterable[Sample]:
    version = daemon.version
    if version is None:
        return
    mode = daemon.mode
    yield (
        (
            version.version,
            version.platform,
            mode.value if mode else "",
            version.management_version,
            daemon.source,
        ),
        1,
    )


def _verbosity(daemon: DaemonState) -> Iterable[Sample]:
    return single(daemon.info.verbosity if daemon.info else None)


FAMILIES = (
    gauge(
        "openvpn_up",
        "1 if the last poll of the daemon succeeded, by whatever source.",
        lambda daemon: single(daemon.up),
        while_up=False,
    ),
    gauge(
        "openvpn_management_up",
        "1 if the session with the daemon's management interface works.",
        lambda daemon: single(daemon.management_up if daemon.has_management else None),
        while_up=False,
    ),
    gauge(
        "openvpn_down_reason",
        "1 for the reason why the management session, or the status file of a daemon without one, "
        "does not work, else 0; all 0 when it works.",
        lambda daemon: state_set(DownReason, daemon.down_reason),
        labels=("reason",),
        while_up=False,
    ),
    info(
        "openvpn_info",
        "What the daemon says of itself ('version'); source is where its status comes from.",
        _info,
        labels=_INFO_LABELS,
    ),
    gauge(
        "openvpn_start_time_seconds",
        "Unix time of the start of the daemon's process, by the first entry of its state history.",
        lambda daemon: single(daemon.process.start_time if daemon.management_up else None),
    ),
    gauge(
        "openvpn_log_verbosity",
        "The daemon's 'verb': which of its log messages exist at all.",
        _verbosity,
    ),
)
