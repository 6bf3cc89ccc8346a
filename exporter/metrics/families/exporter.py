"""The exporter's polls and sessions, by daemon."""

from exporter.management.errors import DownReason
from exporter.metrics.family import Samples, counter, gauge, histogram
from exporter.state.daemon import DaemonState
from exporter.state.failed_commands import OPTIONAL_COMMANDS


def _failures(daemon: DaemonState) -> Samples:
    return {reason.value: daemon.poll_failures[reason] for reason in DownReason}


def _failed_commands(daemon: DaemonState) -> Samples:
    counts = daemon.failed_commands.counts
    return {command.text: counts[command] for command in OPTIONAL_COMMANDS}


FAMILIES = (
    gauge(
        "openvpn_exporter_poll_duration_seconds",
        "Duration of the last successful poll in seconds, parsing included.",
        lambda daemon: daemon.poll_durations.last,
    ),
    histogram(
        "openvpn_exporter_poll_seconds",
        "Durations of all successful polls in seconds, parsing included: slow ones between two "
        "scrapes, too.",
        lambda daemon: daemon.poll_durations.histogram,
    ),
    counter(
        "openvpn_exporter_polls_total",
        "Polls of the daemon or its status file, failed ones included.",
        lambda daemon: daemon.polls,
    ),
    counter(
        "openvpn_exporter_poll_failures_total",
        "Failed polls, by the reasons of openvpn_down_reason.",
        _failures,
        labels=("reason",),
        inputs=lambda daemon: daemon.poll_failures.total(),
    ),
    counter(
        "openvpn_exporter_connects_total",
        "Management sessions opened.",
        lambda daemon: daemon.management_connects,
    ),
    counter(
        "openvpn_exporter_unparsed_lines_total",
        "Lines received from the daemon that could not be parsed.",
        lambda daemon: daemon.unparsed_lines,
    ),
    counter(
        "openvpn_exporter_status_fallbacks_total",
        "Polls answered by 'status 1' because 'status 3' did not end (a row of 512 bytes).",
        lambda daemon: daemon.status_fallbacks,
    ),
    counter(
        "openvpn_exporter_failed_commands_total",
        "Commands that the daemon refused or whose reply could not be parsed: their data alone is "
        "missing.",
        _failed_commands,
        labels=("command",),
        inputs=lambda daemon: daemon.failed_commands.counts.total(),
    ),
    gauge(
        "openvpn_exporter_clients_not_exported",
        "Connected clients without series of their own because 'clients.limit' is reached.",
        lambda daemon: 0 if daemon.modes.is_tunnel else daemon.clients.not_exported,
    ),
)
