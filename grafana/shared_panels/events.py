"""Panels about log events, errors and prompts."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.panels.bar_gauge import THIRD, bar_gauge
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import SIXTH, stat
from grafana.panels.time_series import HALF, time_series
from grafana.queries import (
    Selector,
    highest,
    increase_in_range,
    nonzero_in_range,
    number_of,
    top_in_range,
)

_LOG = "real-time messages `>LOG` (`log on all`)."
_REJECTIONS = "|".join(
    (
        *("auth_failed", "auth_failed_received", "auth_token_failed", "auth_error"),
        *("credentials_missing", "tls_.+", "certificate_verify_error"),
        *("cipher_negotiation_failed", "client_rejected", "script_failed", "plugin_failed"),
        "crl_unreadable",
    )
)
"""Events of clients that can't connect; not those with which a client simply tries again."""

_REFUSED_LOGINS = "auth_failed|auth_token_failed|credentials_missing"

_LOG_EMPTY = (
    "no such message in the time range; or `events.log` is off, or the daemon's `verb` is too low."
)


def log_events(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Return the log events of a daemon."""
    counter = select("openvpn_log_events_total")
    return time_series(
        "Log events",
        Description(
            "Known events in the daemon's log: failed handshakes, rejected passwords and "
            "certificates, failed scripts, timeouts, exhausted address pools. Each bar is the "
            "number in its time; only events that occurred in the time range.",
            _LOG,
            _LOG_EMPTY,
            "docs/metrics.md describes each event. Public ports are always scanned: a burst "
            "matters, single events do not.",
        ),
        [Query(nonzero_in_range(number_of(counter, "event"), counter, "event"), "{{event}}")],
        unit="short",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def authentication_failures(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Return TLS and authentication failures by daemon."""
    counter = select("openvpn_log_events_total", f'event=~"{_REJECTIONS}"')
    by = ("daemon", "event")
    return time_series(
        "TLS and authentication failures",
        Description(
            "Failed handshakes, rejected certificates, passwords and clients, failed scripts: the "
            "ten most frequent of all daemons. Each bar is the number in its time. One failed "
            "attempt is often two events.",
            _LOG,
            _LOG_EMPTY,
            "many auth_failed: password guessing, or a failure of the directory service. "
            "certificate_verify_error: expired certificates or an expired CRL.",
        ),
        [Query(top_in_range(10, number_of(counter, *by), counter, *by), "{{daemon}} {{event}}")],
        unit="short",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def log_messages(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Return the log messages of a daemon by severity."""
    counter = select("openvpn_log_messages_total")
    return time_series(
        "Log messages",
        Description(
            "Messages in the daemon's log by severity, without those that the exporter's own "
            "commands cause. Each bar is the number in its time.",
            _LOG,
            _LOG_EMPTY,
            "more errors or warnings: read the log itself; the exporter does not keep the text.",
        ),
        [
            Query(
                nonzero_in_range(number_of(counter, "severity"), counter, "severity"),
                "{{severity}}",
            )
        ],
        unit="short",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def reconnects(select: Selector, *, size: Size = THIRD) -> dashboard.Panel:
    """Return reconnects by reason."""
    counter = increase_in_range(select("openvpn_reconnects_total"), "daemon", "reason")
    return bar_gauge(
        "Reconnects by reason",
        Description(
            "Entries into RECONNECTING in the time range, by the reason that OpenVPN reports. "
            "All are counted, even short ones.",
            "real-time messages `>STATE`, and `state all` after a gap.",
            "no daemon reconnected.",
            "ping-restart: the peer does not reply. connection-reset: TCP was reset in "
            "between. auth-failure: the password. SIGUSR1: requested by an operator or a "
            "program.",
        ),
        [Query(f"sort_desc({counter} > 0)", "{{daemon}}: {{reason}}")],
        unit="short",
        decimals=0,
        no_value="None in this time range",
        size=size,
    )


def refused_logins(select: Selector) -> dashboard.Panel:
    """Return the number of logins that servers refused."""
    return stat(
        "Refused logins",
        Description(
            "Logins with a wrong password or token, or without one, that the servers refused in "
            "the time range.",
            _LOG,
            "the exporter does not monitor a daemon, or is not scraped. With `events.log` off or "
            "`verb` below 1 it is always *none*.",
            "one user: the password has changed. Many users: a failure of the directory service, "
            "or password guessing.",
        ),
        Query(increase_in_range(select("openvpn_log_events_total", f'event=~"{_REFUSED_LOGINS}"'))),
        unit="short",
        decimals=0,
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "yellow")),
        no_value="not monitored",
    )


def fatal_errors(select: Selector, *, size: Size = SIXTH) -> dashboard.Panel:
    """Return the number of fatal errors."""
    return stat(
        "Fatal errors",
        Description(
            "Errors that ended OpenVPN in the time range.",
            "real-time messages `>FATAL`.",
            "the exporter does not monitor this daemon, or is not scraped.",
            "OpenVPN logs the reason once: read the end of its log.",
        ),
        Query(increase_in_range(select("openvpn_fatal_errors_total"))),
        unit="short",
        decimals=0,
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "red")),
        no_value="not monitored",
        size=size,
    )


def hold(select: Selector, *, size: Size = SIXTH) -> dashboard.Panel:
    """Return whether a daemon waits for `hold release`."""
    return stat(
        "Hold",
        Description(
            "Whether the daemon waits for `hold release`. For a daemon that is started by hand"
            " this is normal.",
            "`hold` and real-time messages `>HOLD`.",
            "the exporter does not monitor this daemon, or is not scraped.",
            "release it with the tool that starts it, or remove `management-hold`. The "
            "exporter never releases it.",
        ),
        Query(highest(select("openvpn_hold_waiting"))),
        unit="none",
        mappings=mappings.HOLD,
        no_value="not monitored",
        size=size,
    )


def prompt(select: Selector, *, size: Size = SIXTH) -> dashboard.Panel:
    """Return the prompt that a daemon waits for."""
    return stat(
        "Prompt",
        Description(
            "The prompt that the daemon waits for: a passphrase, a password, a confirmation.",
            "real-time messages `>PASSWORD`, `>NEED-OK` and similar.",
            "the exporter does not monitor this daemon, or is not scraped.",
            "answer it with its own tool; the daemon waits without limit. The exporter never "
            "answers, and releases the slot for the tool.",
        ),
        Query(mappings.prompt_value(select)),
        unit="none",
        mappings=mappings.PROMPTS,
        no_value="not monitored",
        size=size,
    )
