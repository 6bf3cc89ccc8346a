"""Events of a daemon, counted between polls too, and the prompts that it waits at.

Label values that no mode of the daemon has are left out, unless they were counted.
"""

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from exporter.management.log_events import LOG_EVENTS
from exporter.management.log_lines import Severity
from exporter.management.notifications import KEYWORD_MODES, KEYWORDS
from exporter.management.prompts import HOLD, PASSWORD_KINDS, PROMPT_KINDS, PROMPT_MODES
from exporter.management.reconnect_reasons import RECONNECT_REASONS
from exporter.management.state import STATE_MODES, Modes, StateName
from exporter.management.values import OTHER
from exporter.metrics.family import Family, Samples, counter, gauge
from exporter.state.daemon import DaemonState
from exporter.state.events import Events

_REASON_MODES = {text: reason.modes for text, reason in RECONNECT_REASONS.items()}
_LOG_EVENT_MODES = {event.name: event.modes for event in LOG_EVENTS}


def _counter(
    name: str,
    text: str,
    counts: Callable[[Events], Counter[str]],
    *,
    label: str,
    values: Iterable[str],
    modes: Mapping[str, Modes],
) -> Family:
    """Declare a counter that has a series for each of these label values from the start."""
    known = tuple(values)

    def collect(daemon: DaemonState) -> Samples:
        counted = counts(daemon.events)
        return daemon.modes.select({value: counted[value] for value in known}, modes)

    def inputs(daemon: DaemonState) -> int:
        return counts(daemon.events).total() + daemon.modes.revision  # both only grow

    return counter(name, text, collect, labels=(label,), inputs=inputs)


def _prompts(daemon: DaemonState) -> Samples:
    prompts = {kind: int(kind == daemon.prompt) for kind in PROMPT_KINDS}
    return daemon.modes.select(prompts, PROMPT_MODES)


FAMILIES = (
    _counter(
        "openvpn_state_transitions_total",
        "Transitions into each state, from '>STATE' and, after a gap, from 'state all'.",
        operator.attrgetter("transitions"),
        label="state",
        values=[name.value for name in StateName],
        modes=STATE_MODES,
    ),
    _counter(
        "openvpn_reconnects_total",
        "Transitions into RECONNECTING, by the reason the daemon reports.",
        operator.attrgetter("reconnects"),
        label="reason",
        values=RECONNECT_REASONS,
        modes=_REASON_MODES,
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
    _counter(
        "openvpn_realtime_messages_total",
        "Real-time messages received from the daemon, by keyword.",
        operator.attrgetter("messages"),
        label="source",
        values=(*sorted(KEYWORDS), OTHER),
        modes=KEYWORD_MODES,
    ),
    _counter(
        "openvpn_log_messages_total",
        "Log messages of the daemon by severity, without those about management clients.",
        operator.attrgetter("log_messages"),
        label="severity",
        values=[level.value for level in Severity],
        modes={},
    ),
    _counter(
        "openvpn_log_events_total",
        "Known events in the daemon's log; each needs a minimum 'verb'.",
        operator.attrgetter("log_events"),
        label="event",
        values=[event.name for event in LOG_EVENTS],
        modes=_LOG_EVENT_MODES,
    ),
    _counter(
        "openvpn_password_failures_total",
        "Failed verifications of a password ('>PASSWORD:Verification Failed').",
        operator.attrgetter("password_failures"),
        label="kind",
        values=(*PASSWORD_KINDS, OTHER),
        modes=PROMPT_MODES,
    ),
    _counter(
        "openvpn_prompts_total",
        "Requests for input that the daemon sent to its management client.",
        operator.attrgetter("prompts"),
        label="kind",
        values=PROMPT_KINDS,
        modes=PROMPT_MODES,
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
