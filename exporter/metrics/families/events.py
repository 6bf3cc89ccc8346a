"""Events of a daemon, counted between polls too, and the prompts that it waits at."""

from exporter.management.prompts import HOLD, PROMPT_KINDS
from exporter.metrics.family import Samples, counter, gauge
from exporter.state.daemon import DaemonState


def _prompts(daemon: DaemonState) -> Samples:
    return {kind: int(kind == daemon.prompt) for kind in PROMPT_KINDS}


FAMILIES = (
    counter(
        "openvpn_state_transitions_total",
        "Transitions into each state, from '>STATE' and, after a gap, from 'state all'.",
        lambda daemon: daemon.events.transitions,
        labels=("state",),
    ),
    counter(
        "openvpn_reconnects_total",
        "Transitions into RECONNECTING, by the reason the daemon reports.",
        lambda daemon: daemon.events.reconnects,
        labels=("reason",),
    ),
    counter(
        "openvpn_fatal_errors_total",
        "Fatal errors reported by the daemon ('>FATAL').",
        lambda daemon: daemon.events.fatal_errors,
    ),
    counter(
        "openvpn_restarts_total",
        "Restarts of the daemon's process (PID or start time changed).",
        lambda daemon: daemon.process.restarts,
    ),
    counter(
        "openvpn_realtime_messages_total",
        "Real-time messages received from the daemon, by keyword.",
        lambda daemon: daemon.events.messages,
        labels=("source",),
    ),
    counter(
        "openvpn_log_messages_total",
        "Log messages of the daemon by severity, without those about management clients.",
        lambda daemon: daemon.events.log_messages,
        labels=("severity",),
    ),
    counter(
        "openvpn_log_events_total",
        "Known events in the daemon's log; each needs a minimum 'verb'.",
        lambda daemon: daemon.events.log_events,
        labels=("event",),
    ),
    counter(
        "openvpn_password_failures_total",
        "Failed verifications of a password ('>PASSWORD:Verification Failed').",
        lambda daemon: daemon.events.password_failures,
        labels=("kind",),
    ),
    counter(
        "openvpn_prompts_total",
        "Requests for input that the daemon sent to its management client.",
        lambda daemon: daemon.events.prompts,
        labels=("kind",),
    ),
    gauge(
        "openvpn_hold_waiting",
        "1 if the daemon was last seen waiting for 'hold release', else 0.",
        lambda daemon: daemon.prompt == HOLD,
        while_up=False,
    ),
    gauge(
        "openvpn_prompt_waiting",
        "1 for the input that the daemon was last seen waiting for, else 0.",
        _prompts,
        labels=("kind",),
        while_up=False,
    ),
    gauge(
        "openvpn_restart_on_management_disconnect",
        "1 if the VPN was seen to restart when a management client disconnects, else 0.",
        lambda daemon: daemon.restarts_on_disconnect,
        while_up=False,
    ),
)
