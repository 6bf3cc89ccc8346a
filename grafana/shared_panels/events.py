"""What went wrong, and who waits."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.panels.bar_gauge import THIRD, bar_gauge
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.time_series import HALF, time_series
from grafana.queries import Selector, highest, increase_in_range, nonzero_in_range, per_minute

_LOG = "real-time messages `>LOG` (`log on all`)."
_LOG_EMPTY = (
    "nothing of the kind happened; or `events.log` is off, or the daemon's `verb` is too low for "
    "such lines."
)


def log_events(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Show the known events of the log."""
    counter = select("openvpn_log_events_total")
    return time_series(
        "Log events",
        Description(
            "Known lines of the daemon's log, by what they tell: failed handshakes, refused "
            "passwords and certificates, timeouts, full pools. Only what happened in the range.",
            _LOG,
            _LOG_EMPTY,
            "docs/metrics.md says what each event means. Public ports always see scans: "
            "a burst counts, not a trickle.",
        ),
        [Query(nonzero_in_range(per_minute(counter, "event"), counter, "event"), "{{event}}")],
        unit="cpm",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def refusals(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Show who failed to get in, by daemon."""
    counter = select("openvpn_log_events_total", 'event=~"auth_.+|tls_.+|certificate_verify_error"')
    by = ("daemon", "event")
    return time_series(
        "Failed handshakes and logins",
        Description(
            "Handshakes that failed, certificates and passwords that were refused, by daemon. "
            "One failed attempt often is two events. Only what happened in the range.",
            _LOG,
            _LOG_EMPTY,
            "auth_failed in numbers: guessing, or a broken directory. certificate_verify_error: "
            "expired certificates or a stale CRL.",
        ),
        [Query(nonzero_in_range(per_minute(counter, *by), counter, *by), "{{daemon}} {{event}}")],
        unit="cpm",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def log_lines(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Show how much the daemon logs, by severity."""
    counter = select("openvpn_log_messages_total")
    return time_series(
        "Log lines",
        Description(
            "Lines of the daemon's log by severity, without those that our own commands cause.",
            _LOG,
            _LOG_EMPTY,
            "a rise of errors or warnings: read the log itself, the text isn't kept here.",
        ),
        [
            Query(
                nonzero_in_range(per_minute(counter, "severity"), counter, "severity"),
                "{{severity}}",
            )
        ],
        unit="cpm",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def reconnects(select: Selector, *, size: Size = THIRD) -> dashboard.Panel:
    """Show why daemons reconnected, and how often."""
    counter = increase_in_range(select("openvpn_reconnects_total"), "daemon", "reason")
    return bar_gauge(
        "Reconnects in range",
        Description(
            "How often daemons entered RECONNECTING in the time range, by OpenVPN's own word for "
            "the reason. Complete: none is too short.",
            "real-time messages `>STATE`, and `state all` after a gap.",
            "no daemon reconnected.",
            "ping-restart: the peer falls silent. connection-reset: somebody between cuts TCP. "
            "auth-failure: the password. SIGUSR1: somebody asked for it.",
        ),
        [Query(f"sort_desc({counter} > 0)", "{{daemon}}: {{reason}}")],
        unit="short",
        decimals=0,
        no_value="None in this time range",
        size=size,
    )


def fatal_errors(select: Selector) -> dashboard.Panel:
    """Show how often OpenVPN gave up."""
    return stat(
        "Fatal errors in range",
        Description(
            "Errors that ended OpenVPN, in the time range.",
            "real-time messages `>FATAL`.",
            "the exporter doesn't watch such a daemon, or isn't scraped.",
            "OpenVPN says once why it dies: read the end of its log.",
        ),
        Query(increase_in_range(select("openvpn_fatal_errors_total"))),
        unit="short",
        decimals=0,
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "red")),
        no_value="not watched",
    )


def hold(select: Selector) -> dashboard.Panel:
    """Show whether a daemon waits to be started."""
    return stat(
        "Waits for release",
        Description(
            "Whether the daemon was last seen waiting for `hold release`. Some are started by a "
            "person each morning: then it is as it should be.",
            "`hold` and real-time messages `>HOLD`.",
            "the exporter doesn't watch the daemon, or isn't scraped.",
            "release it with the tool that starts it, or take `management-hold` out. "
            "The exporter never does.",
        ),
        Query(highest(select("openvpn_hold_waiting"))),
        unit="none",
        mappings=mappings.HOLD,
        no_value="not watched",
    )


def prompt(select: Selector) -> dashboard.Panel:
    """Show what a daemon waits to be told."""
    return stat(
        "Waits for an answer",
        Description(
            "What the daemon was last seen asking its management client for: a passphrase, a "
            "password, a confirmation.",
            "real-time messages `>PASSWORD`, `>NEED-OK` and their kin.",
            "the exporter doesn't watch the daemon, or isn't scraped.",
            "answer it with its own tool; it waits for ever. The exporter never answers and "
            "leaves the slot for whoever does.",
        ),
        Query(mappings.prompt_value(select)),
        unit="none",
        mappings=mappings.PROMPTS,
        no_value="not watched",
    )
