"""The exporter itself: whether what it says is whole and fresh, and what it costs."""

from grafana import mappings
from grafana.layout import Row, build_dashboard
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_LABELS,
    DAEMONS_MATCHERS,
    EXPORTER_MATCHERS,
    Selector,
    age,
    highest,
    nonzero_in_range,
    per_minute,
    total,
)
from grafana.shared_panels import daemon_state, resources
from grafana.variables import daemons

_select_exporters = Selector(EXPORTER_MATCHERS)
_select_daemons = Selector(DAEMONS_MATCHERS)
_THIRD = Size(8, 8)
_NOT_SCRAPED = "no exporter is scraped."

_UP = stat(
    "Scraped",
    Description(
        "Whether Prometheus reaches the exporters; the worst of them counts.",
        "Prometheus itself: `up`.",
        "no such job or instance; see the variables above.",
        "DOWN: is the exporter running? The page of targets of Prometheus has the error.",
    ),
    Query(f"min({_select_exporters('up')})"),
    unit="none",
    mappings=mappings.UP,
    no_value="no target",
)

_VERSION = stat(
    "Version",
    Description(
        "The exporter's release.",
        "`openvpn_exporter_build_info`.",
        _NOT_SCRAPED,
        "these dashboards fit the release that they came with.",
    ),
    Query(highest(_select_exporters("openvpn_exporter_build_info"), "version")),
    unit="none",
    label="version",
    no_value="not known",
)

_RUNNING = stat(
    "Running for",
    Description(
        "Time since the exporter was started; the youngest counts.",
        "`process_start_time_seconds`.",
        _NOT_SCRAPED,
        "its counters began at 0 then, and go on over restarts of OpenVPN.",
    ),
    Query(age(highest(_select_exporters("process_start_time_seconds")))),
    unit="s",
    no_value="not known",
)

_RELOAD = stat(
    "Last configuration",
    Description(
        "Whether the configuration was accepted when it was last read.",
        "`openvpn_exporter_config_last_reload_successful`.",
        _NOT_SCRAPED,
        "REFUSED: the one before is in force, and the next start will fail. The log names file, "
        "line and key.",
    ),
    Query(f"min({_select_exporters('openvpn_exporter_config_last_reload_successful')})"),
    unit="none",
    mappings=mappings.RELOAD,
    no_value="not known",
)

_RELOADED = stat(
    "In force since",
    Description(
        "When a configuration was last accepted.",
        "`openvpn_exporter_config_last_reload_success_timestamp_seconds`.",
        _NOT_SCRAPED,
        "older than your last change: it was not reloaded.",
    ),
    Query(
        "1000 * "
        + highest(
            _select_exporters("openvpn_exporter_config_last_reload_success_timestamp_seconds")
        )
    ),
    unit="dateTimeFromNow",
    no_value="not known",
)

_LEFT_OUT = stat(
    "Clients left out",
    Description(
        "Connected clients without series of their own, because `clients.limit` was reached. They "
        "count in all totals.",
        "`openvpn_exporter_clients_not_exported`.",
        "no daemon is up.",
        "raise `clients.limit`, if Prometheus can take it.",
    ),
    Query(total(_select_daemons("openvpn_exporter_clients_not_exported"))),
    unit="short",
    mappings=mappings.NONE,
    colours=thresholds("green", (0.5, "yellow")),
    no_value="no daemon up",
)

_DURATION = time_series(
    "Time of a poll",
    Description(
        "Seconds from asking a daemon to having understood its answer, at the last poll.",
        "`load-stats` and `status`.",
        "no daemon is up.",
        "OpenVPN answers between packets: a busy or stalled daemon answers late, and hooks that "
        "take seconds freeze it whole.",
    ),
    [
        Query(
            highest(_select_daemons("openvpn_exporter_poll_duration_seconds"), *DAEMON_LABELS),
            daemon_state.LEGEND,
        )
    ],
    unit="s",
    no_value="No daemon is up",
)

_FAILURES = time_series(
    "Failed polls",
    Description(
        "Polls without a complete answer, by daemon and reason, per minute. Only what happened in "
        "the range.",
        "`openvpn_exporter_poll_failures_total`.",
        "every poll was answered.",
        "compare with the management sessions above.",
    ),
    [
        Query(
            nonzero_in_range(
                per_minute(
                    _select_daemons("openvpn_exporter_poll_failures_total"), "daemon", "reason"
                ),
                _select_daemons("openvpn_exporter_poll_failures_total"),
                "daemon",
                "reason",
            ),
            "{{daemon}} {{reason}}",
        )
    ],
    unit="cpm",
    no_value="None in this time range",
)

_POLLS = time_series(
    "Polls",
    Description(
        "How often each daemon is asked, per minute, with or without an answer.",
        "`openvpn_exporter_polls_total`.",
        _NOT_SCRAPED,
        "60 divided by `poll_interval` is what to expect; less means long answers or backoff.",
    ),
    [
        Query(
            per_minute(_select_daemons("openvpn_exporter_polls_total"), *DAEMON_LABELS),
            daemon_state.LEGEND,
        ),
    ],
    unit="cpm",
    no_value="Nothing measured yet",
    size=_THIRD,
)

_OPENED = _select_daemons("openvpn_exporter_connects_total")

_CONNECTS = time_series(
    "Management sessions opened",
    Description(
        "Sessions opened per minute. With `slot: hold` one lasts for days; with `slot: release` "
        "each poll opens one.",
        "`openvpn_exporter_connects_total`.",
        "none was opened in the time range.",
        "many with `slot: hold`: the daemon or somebody between ends them.",
    ),
    [
        Query(
            nonzero_in_range(per_minute(_OPENED, *DAEMON_LABELS), _OPENED, *DAEMON_LABELS),
            daemon_state.LEGEND,
        )
    ],
    unit="cpm",
    no_value="None in this time range",
    size=_THIRD,
)

_AGES = time_series(
    "Age of the status",
    Description(
        "How old the status is that was last read, by the time printed inside it.",
        "the time inside `status`.",
        "no daemon is up.",
        "one that climbs: that daemon is stuck. All shifted alike: clocks differ.",
    ),
    [
        Query(
            age(highest(_select_daemons("openvpn_status_update_time_seconds"), *DAEMON_LABELS)),
            daemon_state.LEGEND,
        )
    ],
    unit="s",
    no_value="No daemon is up",
    size=_THIRD,
)


def _odd(metric: str) -> str:
    counter = _select_daemons(metric)
    return nonzero_in_range(per_minute(counter, "daemon"), counter, "daemon")


_ODD_ANSWERS = time_series(
    "Answers that were not understood",
    Description(
        "Lines that nobody here understood, and polls that had to be answered by `status 1` "
        "because `status 3` never ended, per minute. Only what happened in the range.",
        "`openvpn_exporter_unparsed_lines_total`, `openvpn_exporter_status_fallbacks_total`.",
        "everything was understood.",
        "unknown lines: please report them with the version of OpenVPN. Fallbacks: a user name of "
        "some 400 letters.",
    ),
    [
        Query(_odd("openvpn_exporter_unparsed_lines_total"), "{{daemon}} lines"),
        Query(_odd("openvpn_exporter_status_fallbacks_total"), "{{daemon}} fallbacks"),
    ],
    unit="cpm",
    no_value="Everything was understood",
    size=_THIRD,
)

_MESSAGES = time_series(
    "Real-time messages",
    Description(
        "Messages that daemons sent on their own, by keyword, per minute.",
        "everything that begins with `>`.",
        "no daemon said anything: normal with `slot: release`.",
        "a flood of LOG: its `verb` is high; the exporter gives way before it hurts.",
    ),
    [
        Query(
            nonzero_in_range(
                per_minute(_select_daemons("openvpn_realtime_messages_total"), "source"),
                _select_daemons("openvpn_realtime_messages_total"),
                "source",
            ),
            "{{source}}",
        )
    ],
    unit="cpm",
    no_value="None in this time range",
    size=_THIRD,
)

_PROMPTS = time_series(
    "Prompts",
    Description(
        "Times that daemons asked their management client for something, by what, per minute. Only "
        "what happened in the range.",
        "real-time messages `>PASSWORD`, `>NEED-OK` and their kin.",
        "no daemon asked for anything.",
        "somebody else must answer; the exporter steps aside.",
    ),
    [
        Query(
            nonzero_in_range(
                per_minute(_select_daemons("openvpn_prompts_total"), "daemon", "kind"),
                _select_daemons("openvpn_prompts_total"),
                "daemon",
                "kind",
            ),
            "{{daemon}} {{kind}}",
        )
    ],
    unit="cpm",
    no_value="None in this time range",
    size=_THIRD,
)

_SETTINGS = table(
    "How daemons are set up",
    Description(
        "What the exporter found out about each daemon that bears on what it can see.",
        "`version`, `verb`, the state history.",
        "no daemon is up.",
        "`verb` below 3: most log events can't be seen. RESTARTS: without "
        "`management-signal` the tunnel would outlive our sessions.",
    ),
    [
        Text("Daemon", "daemon"),
        Text("Exporter", "instance"),
        Text("Mode", "mode", width=80),
        Text("Version", "version", width=90),
        Text("Management", "management_version", width=110),
        Text("Platform", "platform"),
        Text("Status by", "source", width=110),
        Value(
            "Verb",
            highest(_select_daemons("openvpn_log_verbosity"), *DAEMON_LABELS),
            unit="none",
            width=60,
        ),
        Value(
            "When we leave",
            highest(_select_daemons("openvpn_restarts_on_disconnect"), *DAEMON_LABELS),
            unit="none",
            mappings=mappings.RESTARTS_ON_DISCONNECT,
            width=120,
        ),
        Value(
            "Info",
            highest(
                _select_daemons("openvpn_info"),
                *DAEMON_LABELS,
                "mode",
                "version",
                "management_version",
                "platform",
                "source",
            ),
            shown=False,
        ),
    ],
    no_value="No daemon is up",
    sort="Daemon",
    size=Size(24, 7),
)

DASHBOARD = build_dashboard(
    "openvpn-exporter",
    "OpenVPN / Exporter",
    "The exporter itself: whether what the other dashboards show is whole and fresh, and what it "
    "costs.",
    variables=daemons(several=True),
    rows=[
        Row("At a glance", [_UP, _RELOAD, _LEFT_OUT, _VERSION, _RUNNING, _RELOADED]),
        Row(
            "Is it whole and fresh?",
            [daemon_state.reasons(_select_daemons), _DURATION, _FAILURES, _POLLS, _CONNECTS, _AGES],
        ),
        Row("What daemons say", [_SETTINGS, _MESSAGES, _PROMPTS, _ODD_ANSWERS]),
        Row("What it costs", resources.panels(_select_exporters)),
    ],
)
