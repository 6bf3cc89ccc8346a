"""The dashboard of the exporter itself: polling, messages and resource usage."""

from grafana import mappings
from grafana.kinds import BOARD, boards
from grafana.layout import Row, build_dashboard
from grafana.links import TO_DAEMON
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import EIGHTH, stat
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
    number_of,
    per_minute,
    total,
)
from grafana.shared_panels import polling, resources, sharing, trouble
from grafana.variables import daemons_and_links

_select_exporters = Selector(EXPORTER_MATCHERS)
_select_daemons = Selector(DAEMONS_MATCHERS)
_THIRD = Size(8, 8)
_NOT_SCRAPED = "no exporter is scraped."

_UP = stat(
    "Exporter up",
    Description(
        "Whether Prometheus can scrape the exporters; the worst of the selected ones.",
        "Prometheus: `up`.",
        "there is no such job or instance; check the variables above.",
        "DOWN: is the exporter running? The targets page of Prometheus shows the error.",
    ),
    Query(f"min({_select_exporters('up')})"),
    unit="none",
    mappings=mappings.UP,
    no_value="no target",
    size=EIGHTH,
)

_DAEMONS = stat(
    "Daemons",
    Description(
        "Daemons that the exporters monitor, those that are down included.",
        "`openvpn_exporter_daemons`.",
        _NOT_SCRAPED,
        "fewer than you run: see the log for daemons that discovery skipped.",
    ),
    Query(total(_select_exporters("openvpn_exporter_daemons"))),
    unit="short",
    no_value="not known",
    size=EIGHTH,
)

_VERSION = stat(
    "Version",
    Description(
        "The exporter's version.",
        "`openvpn_exporter_build_info`.",
        _NOT_SCRAPED,
        "the dashboards fit the exporter version that contains them.",
    ),
    Query(highest(_select_exporters("openvpn_exporter_build_info"), "version")),
    unit="none",
    label="version",
    no_value="not known",
    size=EIGHTH,
)

_UPTIME = stat(
    "Uptime",
    Description(
        "Time since the exporter started; the shortest of the selected ones.",
        "`process_start_time_seconds`.",
        _NOT_SCRAPED,
        "its counters started at 0 then. They continue over restarts of OpenVPN.",
    ),
    Query(age(highest(_select_exporters("process_start_time_seconds")))),
    unit="s",
    no_value="not known",
    size=EIGHTH,
)

_RELOAD = stat(
    "Last reload",
    Description(
        "Whether the last reload of the configuration succeeded.",
        "`openvpn_exporter_config_last_reload_successful`.",
        _NOT_SCRAPED,
        "FAILED: the previous configuration stays in force, and the next start will fail. The "
        "log has file, line and key.",
    ),
    Query(f"min({_select_exporters('openvpn_exporter_config_last_reload_successful')})"),
    unit="none",
    mappings=mappings.RELOAD,
    no_value="not known",
)

_LAST_SUCCESS = stat(
    "Configuration loaded",
    Description(
        "When the configuration was last loaded successfully.",
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

_NOT_EXPORTED = stat(
    "Clients not exported",
    Description(
        "Connected clients, and names that patterns of `expected_clients` match, without series of "
        "their own, because `clients.limit` is reached. All totals include the clients.",
        "`openvpn_exporter_clients_not_exported` and "
        "`openvpn_exporter_expected_clients_not_exported`.",
        "no daemon is up.",
        "raise `clients.limit` if Prometheus can store the series.",
    ),
    Query(
        total(_select_daemons("openvpn_exporter_clients_not_exported"))
        + " + ("
        + total(_select_exporters("openvpn_exporter_expected_clients_not_exported"))
        + " or vector(0))"
    ),
    unit="short",
    mappings=mappings.NONE,
    colours=thresholds("green", (0.5, "yellow")),
    no_value="no daemon up",
)


def _number_of(metric: str, *labels: str) -> str:
    counter = _select_daemons(metric)
    return nonzero_in_range(number_of(counter, "daemon", *labels), counter, "daemon", *labels)


_UNPARSED = time_series(
    "Unparsed lines and fallbacks",
    Description(
        "Lines from daemons that could not be parsed, polls that used `status 1` because "
        "`status 3` never ended, and commands that failed. Each bar is the number in its time.",
        "`openvpn_exporter_unparsed_lines_total`, `openvpn_exporter_status_fallbacks_total`, "
        "`openvpn_exporter_failed_commands_total`.",
        "all lines could be parsed.",
        "unparsed lines: please report them with the version of OpenVPN. Fallbacks: a user "
        "name of about 400 characters. Failed commands: a program in front of the daemon.",
    ),
    [
        Query(_number_of("openvpn_exporter_unparsed_lines_total"), "{{daemon}} lines"),
        Query(_number_of("openvpn_exporter_status_fallbacks_total"), "{{daemon}} fallbacks"),
        Query(
            _number_of("openvpn_exporter_failed_commands_total", "command"),
            "{{daemon}} {{command}} failed",
        ),
    ],
    unit="short",
    no_value="None in this time range",
    bars=True,
    stacked=True,
    size=_THIRD,
)

_MESSAGES = time_series(
    "Real-time messages",
    Description(
        "Real-time messages from daemons per minute, by keyword.",
        "all lines that start with `>`.",
        "no daemon sent any: normal with `slot: release`.",
        "many LOG messages: the daemon's `verb` is high. The exporter stops reading the log "
        "before it slows down the daemon.",
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
        "Prompts of daemons by kind; each bar is the number in its time.",
        "real-time messages `>PASSWORD`, `>NEED-OK` and similar.",
        "no daemon sent a prompt.",
        "another management client must answer. The exporter releases the slot for it.",
    ),
    [
        Query(
            nonzero_in_range(
                number_of(_select_daemons("openvpn_prompts_total"), "daemon", "kind"),
                _select_daemons("openvpn_prompts_total"),
                "daemon",
                "kind",
            ),
            "{{daemon}} {{kind}}",
        )
    ],
    unit="short",
    no_value="None in this time range",
    bars=True,
    stacked=True,
    size=_THIRD,
)

_SETTINGS = table(
    "Daemon settings",
    Description(
        "Settings of each daemon that decide what the exporter can observe.",
        "`version`, `verb`, the state history.",
        "no daemon is up.",
        "`verb` below 3: most log events are not logged. RESTARTS: the daemon restarts when a "
        "management client disconnects; remove `management-signal` to avoid it.",
    ),
    [
        Text("Daemon", "daemon", links=(TO_DAEMON,)),
        Text("Exporter", "instance"),
        Text("Job", "job", hidden=True),
        Text("Dashboard", BOARD, hidden=True),
        Text("Mode", "mode", width=80),
        Text("Version", "version", width=90),
        Text("Management", "management_version", width=110),
        Text("Platform", "platform"),
        Text("Source", "source", width=110),
        Value(
            "Verb",
            highest(_select_daemons("openvpn_log_verbosity"), *DAEMON_LABELS),
            unit="none",
            width=60,
        ),
        Value(
            "On disconnect",
            highest(_select_daemons("openvpn_restart_on_management_disconnect"), *DAEMON_LABELS),
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
        Value(
            "Board",
            boards(_select_daemons),
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
    "The exporter itself: whether the data of the other dashboards is complete and current, and "
    "which resources the exporter uses.",
    variables=daemons_and_links(),
    rows=[
        Row(
            "Overview",
            [_UP, _DAEMONS, _RELOAD, _NOT_EXPORTED, _VERSION, _UPTIME, _LAST_SUCCESS],
        ),
        Row(
            "Polling",
            [
                trouble.management_sessions(_select_daemons),
                *polling.panels(_select_daemons),
            ],
        ),
        Row("Daemon messages", [_SETTINGS, _MESSAGES, _PROMPTS, _UNPARSED]),
        Row("Sharing", sharing.panels(_select_daemons)),
        Row("Resource usage", resources.panels(_select_exporters)),
    ],
)
