"""Events of a daemon, counted between polls too, and the prompts that it waits at.

Label values that no mode of the daemon has are left out, unless they were counted.
"""

from exporter.management.log_events import LOG_EVENTS
from exporter.management.notifications import KEYWORD_MODES
from exporter.management.prompts import HOLD, PROMPT_KINDS, PROMPT_MODES
from exporter.management.reconnect_reasons import RECONNECT_REASONS
from exporter.management.state import STATE_MODES
from exporter.metrics.family import Samples, counter, gauge
from exporter.state.daemon import DaemonState


def _inputs(daemon: DaemonState) -> int:
    return daemon.events.revision + daemon.modes.revision  # both grow with each change


_REASON_MODES = {text: reason.modes for text, reason in RECONNECT_REASONS.items()}
_LOG_EVENT_MODES = {event.name: event.modes for event in LOG_EVENTS}


def _prompts(daemon: DaemonState) -> Samples:
    prompts = {kind: int(kind == daemon.prompt) for kind in PROMPT_KINDS}
    return daemon.modes.select(prompts, PROMPT_MODES)


FAMILIES = (
    counter(
        "openvpn_state_transitions_total",
        "Transitions into each state, from '>STATE' and, after a gap, from 'state all'.",
        lambda daemon: daemon.modes.select(daemon.events.transitions, STATE_MODES),
        labels=("state",),
        inputs=_inputs,
    ),
    counter(
        "openvpn_reconnects_total",
        "Transitions into RECONNECTING, by the reason the daemon reports.",
        lambda daemon: daemon.modes.select(daemon.events.reconnects, _REASON_MODES),
        labels=("reason",),
        inputs=_inputs,
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
        lambda daemon: daemon.modes.select(daemon.events.messages, KEYWORD_MODES),
        labels=("source",),
        inputs=_inputs,
    ),
    counter(
        "openvpn_log_messages_total",
        "Log messages of the daemon by severity, without those about management clients.",
        lambda daemon: daemon.events.log_messages,
        labels=("severity",),
        inputs=_inputs,
    ),
    counter(
        "openvpn_log_events_total",
        "Known events in the daemon's log; each needs a minimum 'verb'.",
        lambda daemon: daemon.modes.select(daemon.events.log_events, _LOG_EVENT_MODES),
        labels=("event",),
        inputs=_inputs,
    ),
    counter(
        "openvpn_password_failures_total",
        "Failed verifications of a password ('>PASSWORD:Verification Failed').",
        lambda daemon: daemon.modes.select(daemon.events.password_failures, PROMPT_MODES),
        labels=("kind",),
        inputs=_inputs,
    ),
    counter(
        "openvpn_prompts_total",
        "Requests for input that the daemon sent to its management client.",
        lambda daemon: daemon.modes.select(daemon.events.prompts, PROMPT_MODES),
        labels=("kind",),
        inputs=_inputs,
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
        inputs=lambda daemon: (daemon.prompt, daemon.modes.revision),
    ),
    gauge(
        "openvpn_restart_on_management_disconnect",
        "1 if the VPN was seen to restart when a management client disconnects, else 0.",
        lambda daemon: daemon.restarts_on_disconnect,
        while_up=False,
    ),
)
