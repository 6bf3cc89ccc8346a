"""Queries of the dashboards, evaluated by promtool on written series."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.docs_queries import docs_queries
from tests.expressions import run_promtool
from tests.grafana.dashboard_files import panels

SCRAPE = "15s"
END = "20m"
SAMPLES = 80
"""Scrapes until the end."""

VARIABLES = {
    "$__rate_interval": "1m",
    "$__range": END,
    "$__interval_ms": "180000",
    "$__interval": SCRAPE,
    "$job": ".+",
    "$instance": ".+",
    "$common_name": "oslo",
}

Values = Mapping[str, float]
"""The value of each series, by a label."""


def query_of(uid: str, title: str, ref: str = "A", *, daemon: str = ".+") -> str:
    """Return a query of a panel, with the variables filled in."""
    (text,) = (
        target["expr"]
        for panel in panels(uid)
        if panel["title"] == title
        for target in panel["targets"]
        if target["refId"] == ref
    )
    for name, value in {**VARIABLES, "$daemon": daemon}.items():
        text = text.replace(name, value)
    return str(text)


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    """Return an input series of promtool, with the labels of a target."""
    target = {"job": "openvpn", "instance": "a:9176"} | labels
    matchers = ", ".join(f'{label}="{value}"' for label, value in target.items())
    return {"series": f"{name}{{{matchers}}}", "values": values}


def up(daemon: str, values: str, **labels: str) -> dict[str, str]:
    return series("openvpn_up", values, daemon=daemon, **labels)


def values(*parts: tuple[float | None, int]) -> str:
    """Return values for some scrapes each; with None the series is stale, as after its end."""
    texts: list[str] = []
    for value, number in parts:
        texts += ["stale"] + ["_"] * (number - 1) if value is None else [f"{value:g}"] * number
    return " ".join(texts)


def counting(step: int) -> str:
    """Return the values of a counter."""
    return f"0+{step}x{SAMPLES}"


HALF = SAMPLES // 2
ALWAYS, NEVER = values((1, SAMPLES + 1)), values((0, SAMPLES + 1))
HALF_UP = values((1, HALF), (0, HALF + 1))
HALF_THERE = values((1, HALF), (None, HALF + 1))


def assert_result(
    tmp_path: Path,
    query: str,
    inputs: list[dict[str, str]],
    label: str,
    values: Values,
    scrape: str = SCRAPE,
) -> None:
    """Check the rounded values of a query at the end; the result is reduced to one label."""
    by = f"round(max by ({label}) ({query}), 0.001)"
    samples = [
        {"labels": f'{{{label}="{text}"}}' if text else "{}", "value": value}
        for text, value in values.items()
    ]
    case = {
        "interval": scrape,
        "input_series": inputs,
        "promql_expr_test": [{"expr": by, "eval_time": END, "exp_samples": samples}],
    }
    file = tmp_path / "case.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": [case]}))
    done = run_promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout


RECEIVED = "openvpn_received_bytes_total"
EXPECTED = "openvpn_server_expected_client_connected"


def test_traffic_of_a_daemon_that_is_down_is_no_data(tmp_path: Path) -> None:
    inputs = [
        up("office", ALWAYS),
        up("depot", HALF_UP),
        series(RECEIVED, counting(150), daemon="office"),
        series(RECEIVED, values((0, HALF), (6000, HALF + 1)), daemon="depot"),
    ]
    query = query_of("openvpn-fleet", "Daemons", "received")
    assert_result(tmp_path, query, inputs, "daemon", {"office": 80})


def expected(daemon: str, client: str, connected: str) -> dict[str, str]:
    return series(EXPECTED, connected, daemon=daemon, common_name=client)


SITES = [
    up("office", ALWAYS),
    expected("office", "here", ALWAYS),
    expected("office", "away", NEVER),
    up("crashed", HALF_UP),
    expected("crashed", "behind-crashed", HALF_THERE),
    up("gone", HALF_THERE),
    expected("gone", "behind-gone", HALF_THERE),
    expected("office", "removed-from-the-configuration", HALF_THERE),
]


def test_clients_of_a_server_that_is_down_or_gone_are_missing(tmp_path: Path) -> None:
    query = query_of("openvpn-fleet", "Clients missing")
    assert_result(tmp_path, query, SITES, "nothing", {"": 3})
    reason = query_of("openvpn-fleet", "Missing clients", "reason")
    missing = {"away": 0, "behind-crashed": 1, "behind-gone": 1}
    assert_result(tmp_path, reason, SITES, "common_name", missing)


ANYWHERE = "openvpn_expected_client_connected"


@pytest.mark.parametrize(
    ("is_up", "unknown"), [(HALF_UP, {"behind-crashed": 1}), (HALF_THERE, {}), (ALWAYS, {})]
)
def test_client_on_no_server_is_unknown_only_while_a_server_is_down(
    tmp_path: Path, is_up: str, unknown: dict[str, float]
) -> None:
    inputs = [
        up("office", ALWAYS),
        up("crashed", is_up),
        series(ANYWHERE, ALWAYS, common_name="here"),
        series(ANYWHERE, NEVER, common_name="away"),
        series(ANYWHERE, HALF_THERE, common_name="behind-crashed"),
    ]
    query = query_of("openvpn-fleet", "Expected clients on no server", "state")
    assert_result(tmp_path, query, inputs, "common_name", {"away": 0} | unknown)


def test_no_client_is_missing_and_none_is_expected_differ(tmp_path: Path) -> None:
    query = query_of("openvpn-fleet", "Clients missing")
    assert_result(tmp_path, query, SITES[:2], "nothing", {"": 0})
    assert_result(tmp_path, query, SITES[:1], "nothing", {})


@pytest.mark.parametrize(
    ("is_up", "connected", "share"),
    [
        (ALWAYS, ALWAYS, 1),
        (HALF_UP, HALF_THERE, 0.5),
        (ALWAYS, values((None, HALF), (1, HALF + 1)), 1),  # expected since a reload
        (values((1, 20), (0, 20), (1, 41)), values((1, 20), (None, 20), (1, 41)), 0.75),
    ],
)
def test_time_in_which_the_server_is_down_lowers_the_availability(
    tmp_path: Path, is_up: str, connected: str, share: float
) -> None:
    query = f"round({query_of('openvpn-client', 'Availability')}, 0.05)"
    inputs = [up("office", is_up), expected("office", "oslo", connected)]
    assert_result(tmp_path, query, inputs, "nothing", {"": share})


def test_availability_of_the_last_hour_is_zero_while_the_server_is_down_all_the_time(
    tmp_path: Path,
) -> None:
    inputs = [up("office", NEVER), expected("office", "oslo", values((1, 2), (None, SAMPLES - 1)))]
    query = query_of("openvpn-fleet", "Client availability").replace("[1h]", "[15m]")
    assert_result(tmp_path, query, inputs, "nothing", {"": 0})


def sessions(daemon: str, number: str) -> dict[str, str]:
    return series("openvpn_server_client_sessions", number, daemon=daemon, common_name="oslo")


@pytest.mark.parametrize(
    ("at_office", "at_backup", "shown"),
    [
        (ALWAYS, NEVER, 1),
        (NEVER, NEVER, 10),  # MISSING
        (NEVER, ALWAYS, 11),  # AT OTHER SERVER
        (ALWAYS, ALWAYS, 2),
    ],
)
def test_client_at_another_server_than_the_expected_one_is_not_simply_connected(
    tmp_path: Path, at_office: str, at_backup: str, shown: int
) -> None:
    inputs = [
        up("office", ALWAYS),
        up("backup", ALWAYS),
        expected("office", "oslo", at_office),
        sessions("office", at_office),
        sessions("backup", at_backup),
    ]
    query = query_of("openvpn-client", "Connection")
    assert_result(tmp_path, query, inputs, "nothing", {"": shown})
    connected = {
        daemon: 1
        for daemon, number in (("office", at_office), ("backup", at_backup))
        if number is ALWAYS
    }
    query = query_of("openvpn-client", "Connected to")
    assert_result(tmp_path, query, inputs, "daemon", connected)


def test_client_behind_a_server_that_is_down_is_missing(tmp_path: Path) -> None:
    inputs = [up("office", HALF_UP), expected("office", "oslo", HALF_THERE)]
    query = query_of("openvpn-client", "Connection")
    assert_result(tmp_path, query, inputs, "nothing", {"": 10})


def test_unexpected_client_that_is_not_connected_is_not_missing(tmp_path: Path) -> None:
    inputs = [up("office", ALWAYS), sessions("office", NEVER)]
    query = query_of("openvpn-client", "Connection")
    assert_result(tmp_path, query, inputs, "nothing", {"": 0})


def client(metric: str, amount: str, **labels: str) -> dict[str, str]:
    name = {"daemon": "office", "common_name": "shared"} | labels
    return series(f"openvpn_server_client_{metric}", amount, **name)


TWO_SESSIONS = [
    up("office", ALWAYS),
    client("sessions", values((2, SAMPLES + 1))),
    client("sent_bytes_total", counting(150)),
    client("received_bytes_total", counting(150)),
    client("info", ALWAYS, real_address="192.0.2.1"),
    client("info", ALWAYS, real_address="192.0.2.2"),
    client("sessions", NEVER, common_name="left"),
    client("sent_bytes_total", values((5, SAMPLES + 1)), common_name="left"),
    client("received_bytes_total", values((5, SAMPLES + 1)), common_name="left"),
]


def test_each_session_of_a_name_has_a_row(tmp_path: Path) -> None:
    query = query_of("openvpn-server", "Connected clients", "rate", daemon="office")
    rows = {"192.0.2.1": 160, "192.0.2.2": 160}
    assert_result(tmp_path, query, TWO_SESSIONS, "real_address", rows)


def test_connected_clients_have_rows_without_addresses(tmp_path: Path) -> None:
    query = query_of("openvpn-server", "Connected clients", "rate", daemon="office")
    without = [one for one in TWO_SESSIONS if "_info" not in one["series"]]
    assert_result(tmp_path, query, without, "common_name", {"shared": 160})


def test_join_of_the_migration_page_works_with_two_sessions(tmp_path: Path) -> None:
    (query,) = (
        text
        for name, text in docs_queries().items()
        if name.startswith("migration.md") and "group_left" in text
    )
    rows = {"192.0.2.1": 10, "192.0.2.2": 10}
    assert_result(tmp_path, query, TWO_SESSIONS, "real_address", rows)


def info(daemon: str, there: str, mode: str) -> dict[str, str]:
    return series("openvpn_info", there, daemon=daemon, mode=mode, version="2.6.14")


def test_daemon_that_is_down_leads_to_the_dashboard_of_its_last_mode(tmp_path: Path) -> None:
    inputs = [
        up("office", ALWAYS),
        info("office", ALWAYS, "server"),
        up("crashed", HALF_UP),
        info("crashed", HALF_THERE, "server"),
        up("uplink", HALF_UP),
        info("uplink", HALF_THERE, "client"),
        up("peer", ALWAYS),
        info("peer", ALWAYS, "p2p"),
        up("never-seen", NEVER),
    ]
    query = query_of("openvpn-fleet", "Daemons", "info")
    boards = {"openvpn-server": 2, "openvpn-tunnel": 2, "openvpn-exporter": 1}
    assert_result(tmp_path, f"count by (board) ({query})", inputs, "board", boards)


@pytest.mark.parametrize(("scrape", "window"), [(15, "195s"), (30, "210s"), (60, "4m")])
def test_bars_count_each_event_once(tmp_path: Path, scrape: int, window: str) -> None:
    """The window is the larger one of a step and one scrape, and four scrapes.

    As with a real Prometheus, the times of scrapes are not those of the steps.
    """
    query = query_of("openvpn-server", "Log events", daemon="office")
    ends = range(7, 7 + 5 * 180, 180)
    bars = " + ".join(f"({query.replace('[1m]', f'[{window}] offset {end}s')})" for end in ends)
    counts = [1 + number // 7 for number in range(20 * 60 // scrape + 1)]
    counter = values(*((count, 1) for count in counts))
    inputs = [series("openvpn_log_events_total", counter, daemon="office", event="auth_failed")]
    last, first = (int(20 * 60 - end) // scrape for end in (ends[0], ends[-1] + 180))
    seen = {"auth_failed": counts[last] - counts[first]}
    assert_result(tmp_path, bars, inputs, "event", seen, f"{scrape}s")


def alert(name: str, severity: str, **labels: str) -> list[dict[str, str]]:
    labels = {"alertname": name, "severity": severity} | labels
    return [
        series("ALERTS", ALWAYS, alertstate="firing", **labels),
        series("ALERTS_FOR_STATE", values((90, SAMPLES + 1)), **labels),
    ]


def test_firing_alerts_have_their_severity_and_start(tmp_path: Path) -> None:
    inputs = [
        *alert("OpenVPNDaemonDown", "critical", daemon="depot"),
        *alert("OpenVPNAuthFailures", "warning", daemon="office"),
        *alert("OpenVPNRestarted", "info", daemon="office"),
        *alert("Unrelated", "critical"),
    ]
    severity = query_of("openvpn-fleet", "Firing alerts", "severity")
    ranks = {"OpenVPNDaemonDown": 1, "OpenVPNAuthFailures": 2, "OpenVPNRestarted": 3}
    assert_result(tmp_path, severity, inputs, "alertname", ranks)
    since = query_of("openvpn-fleet", "Firing alerts", "since")
    assert_result(tmp_path, since, inputs, "alertname", dict.fromkeys(ranks, 90_000))


def test_alert_without_a_daemon_is_shown(tmp_path: Path) -> None:
    severity = query_of("openvpn-fleet", "Firing alerts", "severity")
    inputs = alert("OpenVPNExporterDown", "critical")
    assert_result(tmp_path, severity, inputs, "alertname", {"OpenVPNExporterDown": 1})


def test_only_daemons_in_trouble_are_listed(tmp_path: Path) -> None:
    def state(daemon: str, name: str) -> list[dict[str, str]]:
        other = "WAIT" if name == "CONNECTED" else "CONNECTED"
        return [
            up(daemon, ALWAYS),
            series("openvpn_state", ALWAYS, daemon=daemon, state=name),
            series("openvpn_state", NEVER, daemon=daemon, state=other),
        ]

    inputs = [
        *state("fine", "CONNECTED"),
        *state("waiting", "WAIT"),
        *state("file-only", "UNKNOWN"),
        up("down", NEVER),
    ]
    query = query_of("openvpn-fleet", "Daemons in trouble", "state")
    assert_result(tmp_path, query, inputs, "daemon", {"waiting": 9, "down": 0})
