"""The sharing of the management interface: tools that are connected, and their commands."""

from exporter.metrics.family import Samples, counter, gauge
from exporter.state.daemon import DaemonState
from exporter.state.sharing import COMMANDS, OTHER, Outcome

_PAIRS = (
    *((command, outcome.value) for command in COMMANDS for outcome in Outcome),
    (OTHER, Outcome.REFUSED.value),
)


def _commands(daemon: DaemonState) -> Samples:
    if daemon.target.daemon.share is None:
        return None
    counts: dict[tuple[str, ...], float] = {pair: daemon.sharing.commands[pair] for pair in _PAIRS}
    return counts


def _number_of_commands(daemon: DaemonState) -> int | None:
    """Return what grows with each command: a poll does not change their counts."""
    if daemon.target.daemon.share is None:
        return None
    return daemon.sharing.commands.total()


FAMILIES = (
    gauge(
        "openvpn_exporter_shared_tools",
        "Tools connected to the management interface that the exporter shares ('share').",
        lambda daemon: daemon.sharing.tools if daemon.target.daemon.share is not None else None,
        while_up=False,
    ),
    counter(
        "openvpn_exporter_shared_commands_total",
        "Commands of these tools: served from memory, forwarded to the daemon, or refused.",
        _commands,
        labels=("command", "outcome"),
        inputs=_number_of_commands,
    ),
)
