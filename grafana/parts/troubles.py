"""What went wrong, and who waits."""

from grafana_foundation_sdk.models import dashboard

from grafana import words
from grafana.panels.bars import THIRD, bars
from grafana.panels.graph import HALF, graph
from grafana.panels.panel import About, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.queries import Scope, highest, in_range, of_those_seen, per_minute

_LOG = "real-time messages `>LOG` (`log on all`)."
_LOG_EMPTY = (
    "nothing of the kind happened; or `events.log` is off, or the daemon's `verb` is too low for "
    "such lines."
)


def log_events(select: Scope, *, size: Size = HALF) -> dashboard.Panel:
    """Show the known events of the log."""
    counter = select("openvpn_log_events_total")
    return graph(
        "Log events",
        About(
            "Known lines of the daemon's log, by what they tell: failed handshakes, refused "
            "passwords and certificates, timeouts, full pools. Only what happened in the range.",
            _LOG,
            _LOG_EMPTY,
            "docs/metrics.md says what each event means. Public ports always see scans: "
            "a burst counts, not a trickle.",
        ),
        [Query(of_those_seen(per_minute(counter, "event"), counter, "event"), "{{event}}")],
        unit="cpm",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def refusals(select: Scope, *, size: Size = HALF) -> dashboard.Panel:
    """Show who failed to get in, by daemon."""
    counter = select("openvpn_log_events_total", 'event=~"auth_.+|tls_.+|certificate_verify_error"')
    by = ("daemon", "event")
    return graph(
        "Failed handshakes and logins",
        About(
            "Handshakes that failed, certificates and passwords that were refused, by daemon. "
            "One failed attempt often is two events. Only what happened in the range.",
            _LOG,
            _LOG_EMPTY,
            "auth_failed in numbers: guessing, or a broken directory. certificate_verify_error: "
            "expired certificates or a stale CRL.",
        ),
        [Query(of_those_seen(per_minute(counter, *by), counter, *by), "{{daemon}} {{event}}")],
        unit="cpm",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def log_lines(select: Scope, *, size: Size = HALF) -> dashboard.Panel:
    """Show how much the daemon logs, by severity."""
    counter = select("openvpn_log_messages_total")
    return graph(
        "Log lines",
        About(
            "Lines of the daemon's log by severity, without those that our own commands cause.",
            _LOG,
            _LOG_EMPTY,
            "a rise of errors or warnings: read the log itself, the text isn't kept here.",
        ),
        [
            Query(
                of_those_seen(per_minute(counter, "severity"), counter, "severity"), "{{severity}}"
            )
        ],
        unit="cpm",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=size,
    )


def reconnects(select: Scope, *, size: Size = THIRD) -> dashboard.Panel:
    """Show why daemons reconnected, and how often."""
    counter = in_range(select("openvpn_reconnects_total"), "daemon", "reason")
    return bars(
        "Reconnects in range",
        About(
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


def fatal_errors(select: Scope) -> dashboard.Panel:
    """Show how often OpenVPN gave up."""
    return stat(
        "Fatal errors in range",
        About(
            "Errors that ended OpenVPN, in the time range.",
            "real-time messages `>FATAL`.",
            "the exporter doesn't watch such a daemon, or isn't scraped.",
            "OpenVPN says once why it dies: read the end of its log.",
        ),
        Query(in_range(select("openvpn_fatal_errors_total"))),
        unit="short",
        decimals=0,
        words=words.NONE_OF_THEM,
        colours=thresholds("green", (0.5, "red")),
        no_value="not watched",
    )


def hold(select: Scope) -> dashboard.Panel:
    """Show whether a daemon waits to be started."""
    return stat(
        "Waits for release",
        About(
            "Whether the daemon was last seen waiting for `hold release`. Some are started by a "
            "person each morning: then it is as it should be.",
            "`hold` and real-time messages `>HOLD`.",
            "the exporter doesn't watch the daemon, or isn't scraped.",
            "release it with the tool that starts it, or take `management-hold` out. "
            "The exporter never does.",
        ),
        Query(highest(select("openvpn_hold_waiting"))),
        unit="none",
        words=words.WAITING,
        no_value="not watched",
    )


def prompt(select: Scope) -> dashboard.Panel:
    """Show what a daemon waits to be told."""
    return stat(
        "Waits for an answer",
        About(
            "What the daemon was last seen asking its management client for: a passphrase, a "
            "password, a confirmation.",
            "real-time messages `>PASSWORD`, `>NEED-OK` and their kin.",
            "the exporter doesn't watch the daemon, or isn't scraped.",
            "answer it with its own tool; it waits for ever. The exporter never answers and "
            "leaves the slot for whoever does.",
        ),
        Query(words.prompt(select)),
        unit="none",
        words=words.PROMPTS,
        no_value="not watched",
    )
