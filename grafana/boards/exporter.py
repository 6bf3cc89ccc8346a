"""The exporter itself: whether what it says is whole and fresh, and what it costs."""

from grafana import words
from grafana.board import Row, board
from grafana.panels.graph import graph
from grafana.panels.panel import About, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.parts import cost, states
from grafana.queries import (
    DAEMONS,
    EXPORTER,
    KEY,
    Scope,
    age,
    highest,
    of_those_seen,
    per_minute,
    total,
)
from grafana.variables import daemons

_OF_EXPORTERS = Scope(EXPORTER)
_OF_DAEMONS = Scope(DAEMONS)
_THIRD = Size(8, 8)
_NOT_SCRAPED = "no exporter is scraped."

_UP = stat(
    "Scraped",
    About(
        "Whether Prometheus reaches the exporters; the worst of them counts.",
        "Prometheus itself: `up`.",
        "no such job or instance; see the variables above.",
        "DOWN: is the exporter running? The page of targets of Prometheus has the error.",
    ),
    Query(f"min({_OF_EXPORTERS('up')})"),
    unit="none",
    words=words.UP,
    no_value="no target",
)

_VERSION = stat(
    "Version",
    About(
        "The exporter's release.",
        "`openvpn_exporter_build_info`.",
        _NOT_SCRAPED,
        "these dashboards fit the release that they came with.",
    ),
    Query(highest(_OF_EXPORTERS("openvpn_exporter_build_info"), "version")),
    unit="none",
    label="version",
    no_value="not known",
)

_RUNNING = stat(
    "Running for",
    About(
        "Time since the exporter was started; the youngest counts.",
        "`process_start_time_seconds`.",
        _NOT_SCRAPED,
        "its counters began at 0 then, and go on over restarts of OpenVPN.",
    ),
    Query(age(highest(_OF_EXPORTERS("process_start_time_seconds")))),
    unit="s",
    no_value="not known",
)

_RELOAD = stat(
    "Last configuration",
    About(
        "Whether the configuration was accepted when it was last read.",
        "`openvpn_exporter_config_last_reload_successful`.",
        _NOT_SCRAPED,
        "REFUSED: the one before is in force, and the next start will fail. The log names file, "
        "line and key.",
    ),
    Query(f"min({_OF_EXPORTERS('openvpn_exporter_config_last_reload_successful')})"),
    unit="none",
    words=words.ACCEPTED,
    no_value="not known",
)

_RELOADED = stat(
    "In force since",
    About(
        "When a configuration was last accepted.",
        "`openvpn_exporter_config_last_reload_success_timestamp_seconds`.",
        _NOT_SCRAPED,
        "older than your last change: it was not reloaded.",
    ),
    Query(
        "1000 * "
        + highest(_OF_EXPORTERS("openvpn_exporter_config_last_reload_success_timestamp_seconds"))
    ),
    unit="dateTimeFromNow",
    no_value="not known",
)

_LEFT_OUT = stat(
    "Clients left out",
    About(
        "Connected clients without series of their own, because `clients.limit` was reached. They "
        "count in all totals.",
        "`openvpn_exporter_clients_not_exported`.",
        "no daemon is up.",
        "raise `clients.limit`, if Prometheus can take it.",
    ),
    Query(total(_OF_DAEMONS("openvpn_exporter_clients_not_exported"))),
    unit="short",
    words=words.NONE_OF_THEM,
    colours=thresholds("green", (0.5, "yellow")),
    no_value="no daemon up",
)

_DURATION = graph(
    "Time of a poll",
    About(
        "Seconds from asking a daemon to having understood its answer, at the last poll.",
        "`load-stats` and `status`.",
        "no daemon is up.",
        "OpenVPN answers between packets: a busy or stalled daemon answers late, and hooks that "
        "take seconds freeze it whole.",
    ),
    [Query(highest(_OF_DAEMONS("openvpn_exporter_poll_duration_seconds"), *KEY), states.NAMED)],
    unit="s",
    no_value="No daemon is up",
)

_FAILURES = graph(
    "Failed polls",
    About(
        "Polls without a complete answer, by daemon and reason, per minute. Only what happened in "
        "the range.",
        "`openvpn_exporter_poll_failures_total`.",
        "every poll was answered.",
        "compare with the management sessions above.",
    ),
    [
        Query(
            of_those_seen(
                per_minute(_OF_DAEMONS("openvpn_exporter_poll_failures_total"), "daemon", "reason"),
                _OF_DAEMONS("openvpn_exporter_poll_failures_total"),
                "daemon",
                "reason",
            ),
            "{{daemon}} {{reason}}",
        )
    ],
    unit="cpm",
    no_value="None in this time range",
)

_POLLS = graph(
    "Polls",
    About(
        "How often each daemon is asked, per minute, with or without an answer.",
        "`openvpn_exporter_polls_total`.",
        _NOT_SCRAPED,
        "60 divided by `poll_interval` is what to expect; less means long answers or backoff.",
    ),
    [
        Query(per_minute(_OF_DAEMONS("openvpn_exporter_polls_total"), *KEY), states.NAMED),
    ],
    unit="cpm",
    no_value="Nothing measured yet",
    size=_THIRD,
)

_OPENED = _OF_DAEMONS("openvpn_exporter_connects_total")

_CONNECTS = graph(
    "Management sessions opened",
    About(
        "Sessions opened per minute. With `slot: hold` one lasts for days; with `slot: release` "
        "each poll opens one.",
        "`openvpn_exporter_connects_total`.",
        "none was opened in the time range.",
        "many with `slot: hold`: the daemon or somebody between ends them.",
    ),
    [Query(of_those_seen(per_minute(_OPENED, *KEY), _OPENED, *KEY), states.NAMED)],
    unit="cpm",
    no_value="None in this time range",
    size=_THIRD,
)

_AGES = graph(
    "Age of the status",
    About(
        "How old the status is that was last read, by the time printed inside it.",
        "the time inside `status`.",
        "no daemon is up.",
        "one that climbs: that daemon is stuck. All shifted alike: clocks differ.",
    ),
    [Query(age(highest(_OF_DAEMONS("openvpn_status_update_time_seconds"), *KEY)), states.NAMED)],
    unit="s",
    no_value="No daemon is up",
    size=_THIRD,
)


def _odd(metric: str) -> str:
    counter = _OF_DAEMONS(metric)
    return of_those_seen(per_minute(counter, "daemon"), counter, "daemon")


_ODD_ANSWERS = graph(
    "Answers that were not understood",
    About(
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

_MESSAGES = graph(
    "Real-time messages",
    About(
        "Messages that daemons sent on their own, by keyword, per minute.",
        "everything that begins with `>`.",
        "no daemon said anything: normal with `slot: release`.",
        "a flood of LOG: its `verb` is high; the exporter gives way before it hurts.",
    ),
    [
        Query(
            of_those_seen(
                per_minute(_OF_DAEMONS("openvpn_realtime_messages_total"), "source"),
                _OF_DAEMONS("openvpn_realtime_messages_total"),
                "source",
            ),
            "{{source}}",
        )
    ],
    unit="cpm",
    no_value="None in this time range",
    size=_THIRD,
)

_PROMPTS = graph(
    "Prompts",
    About(
        "Times that daemons asked their management client for something, by what, per minute. Only "
        "what happened in the range.",
        "real-time messages `>PASSWORD`, `>NEED-OK` and their kin.",
        "no daemon asked for anything.",
        "somebody else must answer; the exporter steps aside.",
    ),
    [
        Query(
            of_those_seen(
                per_minute(_OF_DAEMONS("openvpn_prompts_total"), "daemon", "kind"),
                _OF_DAEMONS("openvpn_prompts_total"),
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
    About(
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
        Value("Verb", highest(_OF_DAEMONS("openvpn_log_verbosity"), *KEY), unit="none", width=60),
        Value(
            "When we leave",
            highest(_OF_DAEMONS("openvpn_restarts_on_disconnect"), *KEY),
            unit="none",
            words=words.RESTARTING,
            width=120,
        ),
        Value(
            "Info",
            highest(
                _OF_DAEMONS("openvpn_info"),
                *KEY,
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

BOARD = board(
    "openvpn-exporter",
    "OpenVPN / Exporter",
    "The exporter itself: whether what the other dashboards show is whole and fresh, and what it "
    "costs.",
    variables=daemons(several=True),
    rows=[
        Row("At a glance", [_UP, _RELOAD, _LEFT_OUT, _VERSION, _RUNNING, _RELOADED]),
        Row(
            "Is it whole and fresh?",
            [states.reasons(_OF_DAEMONS), _DURATION, _FAILURES, _POLLS, _CONNECTS, _AGES],
        ),
        Row("What daemons say", [_SETTINGS, _MESSAGES, _PROMPTS, _ODD_ANSWERS]),
        Row("What it costs", cost.panels(_OF_EXPORTERS)),
    ],
)
