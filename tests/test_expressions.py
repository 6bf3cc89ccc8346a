from pathlib import Path

import pytest

from tests.expressions import analyse, fill_in_variables, promtool_errors

VALID = [
    ('up{job="openvpn"} == 0', {"job", "instance"}),
    ("openvpn_up == 0", {"job", "instance", "daemon"}),
    ("sum by (daemon) (rate(openvpn_received_bytes_total[5m]))", {"daemon"}),
    ("sum(openvpn_server_connected_clients)", set()),
    (
        "max without (reason) (openvpn_down_reason)",
        {"job", "instance", "daemon"},
    ),
    (
        "openvpn_server_client_sessions * on(job,instance,daemon) group_left(version) openvpn_info",
        {"job", "instance", "daemon", "common_name", "version"},
    ),
    (
        """histogram_quantile(0.9, sum by (le, daemon) (
            rate(openvpn_server_client_session_duration_seconds_bucket[1h])))""",
        {"daemon"},
    ),
    (
        "openvpn_state and on (job, instance, daemon) openvpn_up == 1",
        {"job", "instance", "daemon", "state"},
    ),
    ("topk(3, rate(process_cpu_seconds_total[5m]))", {"job", "instance"}),
    (
        'label_replace(openvpn_up, "site", "$1", "daemon", "(.*)")',
        {"job", "instance", "daemon", "site"},
    ),
    ("openvpn_up offset 5m", {"job", "instance", "daemon"}),
    ("max_over_time(rate(openvpn_sent_bytes_total[5m])[1h:1m])", {"job", "instance", "daemon"}),
    ('openvpn_log_events_total{event=~"auth_.+|replay"}', {"job", "instance", "daemon", "event"}),
    (
        'openvpn_prompt_waiting{kind!="client_auth",daemon!=""}',
        {"job", "instance", "daemon", "kind"},
    ),
]

INVALID = [
    ("rate(", "does not parse"),
    ("openvpn_upp == 0", "openvpn_upp is not served"),
    ('{daemon="office"}', "a selector without a name is not served"),
    ('openvpn_up{deamon="office"}', "openvpn_up has no label deamon"),
    ("openvpn_exporter_build_info{daemon='office'}", "has no label daemon"),
    ("sum by (common_name) (openvpn_up)", "sum has no label common_name"),
    ("sum without (state) (openvpn_up)", "sum has no label state"),
    ("openvpn_state == on (state) openvpn_up", "== has no label state"),
    ("openvpn_up * on (daemon) group_left (colour) openvpn_info", "group_left has no label colour"),
    ("openvpn_info * on (daemon) group_right (up) openvpn_up", "group_right has no label up"),
    ("rate(openvpn_server_connected_clients[5m])", "which is no counter"),
    ("delta(openvpn_sent_bytes_total[5m])", "which is a counter"),
    ('openvpn_state{state="CONECTED"}', "openvpn_state has no state='CONECTED'"),
    ('openvpn_log_events_total{event=~"auth_failed|replays"}', "has no event='replays'"),
    ('openvpn_down_reason{reason!="bussy"}', "has no reason='bussy'"),
    ("histogram_quantile(0.9, openvpn_up)", "histogram_quantile has no label le"),
    ("topk(scalar(openvpn_upp), openvpn_up)", "openvpn_upp is not served"),
]


@pytest.mark.parametrize(("expression", "labels"), VALID)
def test_valid_expression_has_its_labels_and_no_problem(expression: str, labels: set[str]) -> None:
    analysis = analyse(expression)
    assert analysis.problems == ()
    assert analysis.labels == labels


@pytest.mark.parametrize(("expression", "problem"), INVALID)
def test_problem_of_an_invalid_expression_is_reported(expression: str, problem: str) -> None:
    assert any(problem in found for found in analyse(expression).problems)


def test_analysis_names_the_metrics_of_the_catalogue() -> None:
    duration = "openvpn_server_client_session_duration_seconds"
    analysis = analyse(f"rate({duration}_sum[5m]) / rate({duration}_count[5m]) + up + openvpn_up")
    assert analysis.metrics == {duration, "openvpn_up"}


def test_recorded_series_have_their_own_labels() -> None:
    recorded = {"daemon:traffic": frozenset({"daemon"})}
    assert analyse('daemon:traffic{daemon="a"}', recorded).problems == ()
    assert analyse('daemon:traffic{job="a"}', recorded).problems


def test_dashboard_variables_are_replaced() -> None:
    expression = (
        'rate(openvpn_sent_bytes_total{job=~"$job",daemon=~"${daemon:regex}"}[$__rate_interval])'
    )
    assert (
        fill_in_variables(expression)
        == 'rate(openvpn_sent_bytes_total{job=~".+",daemon=~".+"}[5m])'
    )


def test_function_unknown_to_the_oldest_prometheus_is_an_error(tmp_path: Path) -> None:
    assert promtool_errors({"fine": "openvpn_up"}, tmp_path) == ""
    errors = promtool_errors({"fine": "openvpn_up", "new": "limitk(1, openvpn_up)"}, tmp_path)
    assert "limitk" in errors
