"""What happened between polls, and what the daemon waits for."""

from exporter.management.prompts import HOLD, PROMPT_KINDS
from exporter.metrics.family import Samples, counter, gauge
from exporter.state.daemon import DaemonState


def _prompts(daemon: DaemonState) -> Samples:
    return {kind: int(kind == daemon.prompt) for kind in PROMPT_KINDS}


FAMILIES = (
    counter(
        "openvpn_state_transitions_total",
        "Entries of the daemon into each state ('>STATE', and 'state all' after a gap).",
        lambda daemon: daemon.events.transitions,
        labels=("state",),
    ),
    counter(
        "openvpn_reconnects_total",
        "Entries into RECONNECTING, by the daemon's own word for the reason.",
        lambda daemon: daemon.events.reconnects,
        labels=("reason",),
    ),
    counter(
        "openvpn_fatal_errors_total",
        "Fatal errors of the daemon ('>FATAL').",
        lambda daemon: daemon.events.fatal_errors,
    ),
    counter(
        "openvpn_restarts_total",
        "Times that the daemon's process was found to be another one.",
        lambda daemon: daemon.process.restarts,
    ),
    counter(
        "openvpn_realtime_messages_total",
        "Real-time messages of the daemon, by keyword.",
        lambda daemon: daemon.events.messages,
        labels=("source",),
    ),
    counter(
        "openvpn_log_messages_total",
        "Lines of the daemon's log but those that management clients cause, by its flags.",
        lambda daemon: daemon.events.log_messages,
        labels=("severity",),
    ),
    counter(
        "openvpn_log_events_total",
        "Lines of the daemon's log that tell a known event; which exist depends on its 'verb'.",
        lambda daemon: daemon.events.log_events,
        labels=("event",),
    ),
    counter(
        "openvpn_password_failures_total",
        "Passwords that the daemon's peer refused ('>PASSWORD:Verification Failed').",
        lambda daemon: daemon.events.password_failures,
        labels=("kind",),
    ),
    counter(
        "openvpn_prompts_total",
        "Times that the daemon asked its management client for something.",
        lambda daemon: daemon.events.prompts,
        labels=("kind",),
    ),
    gauge(
        "openvpn_hold_waiting",
        "1 if the daemon was last seen waiting for 'hold release'.",
        lambda daemon: daemon.prompt == HOLD,
        while_up=False,
    ),
    gauge(
        "openvpn_prompt_waiting",
        "1 for what the daemon was last seen waiting for, else 0.",
        _prompts,
        labels=("kind",),
        while_up=False,
    ),
    gauge(
        "openvpn_restart_on_management_disconnect",
        "1 if the daemon was seen to restart its VPN when a management client leaves.",
        lambda daemon: daemon.restarts_on_disconnect,
        while_up=False,
    ),
)
