"""What happened between polls, and what the daemon waits for."""

from collections.abc import Iterable

from exporter.management.prompts import HOLD, PROMPT_KINDS
from exporter.metrics.family import Sample, counter, each, gauge, one
from exporter.state.daemon import Record


def _prompts(record: Record) -> Iterable[Sample]:
    return [((kind,), int(kind == record.waits_for)) for kind in PROMPT_KINDS]


FAMILIES = (
    counter(
        "openvpn_state_transitions_total",
        "Entries of the daemon into each state ('>STATE', and 'state all' after a gap).",
        lambda record: each(record.events.transitions),
        labels=("state",),
    ),
    counter(
        "openvpn_reconnects_total",
        "Entries into RECONNECTING, by the daemon's own word for the reason.",
        lambda record: each(record.events.reconnects),
        labels=("reason",),
    ),
    counter(
        "openvpn_fatal_errors_total",
        "Fatal errors of the daemon ('>FATAL').",
        lambda record: one(record.events.fatal_errors),
    ),
    counter(
        "openvpn_restarts_total",
        "Times that the daemon's process was found to be another one.",
        lambda record: one(record.process.restarts),
    ),
    counter(
        "openvpn_realtime_messages_total",
        "Real-time messages of the daemon, by keyword.",
        lambda record: each(record.events.messages),
        labels=("source",),
    ),
    counter(
        "openvpn_log_messages_total",
        "Lines of the daemon's log but those that management clients cause, by its flags.",
        lambda record: each(record.events.log_messages),
        labels=("severity",),
    ),
    counter(
        "openvpn_log_events_total",
        "Lines of the daemon's log that tell a known event; which exist depends on its 'verb'.",
        lambda record: each(record.events.log_events),
        labels=("event",),
    ),
    counter(
        "openvpn_password_failures_total",
        "Passwords that the daemon's peer refused ('>PASSWORD:Verification Failed').",
        lambda record: each(record.events.password_failures),
        labels=("kind",),
    ),
    counter(
        "openvpn_prompts_total",
        "Times that the daemon asked its management client for something.",
        lambda record: each(record.events.prompts),
        labels=("kind",),
    ),
    gauge(
        "openvpn_hold_waiting",
        "1 if the daemon was last seen waiting for 'hold release'.",
        lambda record: one(record.waits_for == HOLD),
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
        "openvpn_restarts_on_disconnect",
        "1 if the daemon was seen to restart its VPN when a management client leaves.",
        lambda record: one(record.restarts_on_disconnect),
        while_up=False,
    ),
)
