"""Environment variables in place of flags."""

import argparse
import logging
import re
from pathlib import Path

import pytest

from exporter.cli.environment import (
    Sources,
    is_service_link,
    log_overridden,
    log_unknown,
    unknown_variables,
    variable_names,
)
from exporter.cli.environment import parse_flags as parse_all_flags
from exporter.cli.main import COMMANDS, command_parser
from exporter.cli.options import EXCLUSIVE
from exporter.cli.subcommand import Subcommand, UsageError
from exporter.log import FIELDS
from tests.test_cli import ROOT, run

BY_NAME = {command.name: command for command in COMMANDS}
KNOWN = {
    variable
    for command in COMMANDS
    for variable in variable_names(command_parser(command), command.name).values()
}

# What the kubelet sets in every container for the Services `openvpn-exporter` and
# `openvpn-exporter-web` of its namespace; the ports are named `metrics` and `web-config-file`.
SERVICE_LINKS = """
OPENVPN_EXPORTER_SERVICE_HOST=10.96.11.7
OPENVPN_EXPORTER_SERVICE_PORT=9176
OPENVPN_EXPORTER_SERVICE_PORT_METRICS=9176
OPENVPN_EXPORTER_SERVICE_PORT_WEB_CONFIG_FILE=9177
OPENVPN_EXPORTER_PORT=tcp://10.96.11.7:9176
OPENVPN_EXPORTER_PORT_9176_TCP=tcp://10.96.11.7:9176
OPENVPN_EXPORTER_PORT_9176_TCP_PROTO=tcp
OPENVPN_EXPORTER_PORT_9176_TCP_PORT=9176
OPENVPN_EXPORTER_PORT_9176_TCP_ADDR=10.96.11.7
OPENVPN_EXPORTER_PORT_1194_UDP=udp://10.96.11.7:1194
OPENVPN_EXPORTER_WEB_SERVICE_HOST=10.96.11.8
OPENVPN_EXPORTER_WEB_SERVICE_PORT_HTTP=80
OPENVPN_EXPORTER_WEB_PORT=tcp://10.96.11.8:80
OPENVPN_EXPORTER_WEB_PORT_80_TCP_ADDR=10.96.11.8
"""
LINKS = dict(line.split("=", 1) for line in SERVICE_LINKS.split())


def parse_flags(command: str, *arguments: str, **variables: str) -> argparse.Namespace:
    return parse_with_sources(command, *arguments, **variables)[0]


def parse_with_sources(
    command: str, *arguments: str, **variables: str
) -> tuple[argparse.Namespace, Sources]:
    return parse_all_flags(
        command_parser(BY_NAME[command]),
        arguments,
        command=command,
        environ={f"OPENVPN_EXPORTER_{name}": value for name, value in variables.items()},
        exclusive=EXCLUSIVE,
    )


def warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    return [{"msg": record.msg, **getattr(record, FIELDS)} for record in caplog.records]


class TestNames:
    def test_are_derived_from_the_flag_and_for_single_commands_from_the_command(self) -> None:
        names = variable_names(command_parser(BY_NAME["check"]), "check")
        assert names["--web.config.file"] == "OPENVPN_EXPORTER_WEB_CONFIG_FILE"
        assert names["--openvpn.status-file"] == "OPENVPN_EXPORTER_OPENVPN_STATUS_FILE"
        assert names["--port-probe"] == "OPENVPN_EXPORTER_CHECK_PORT_PROBE"
        assert "--help" not in names

    def test_mean_the_same_in_every_command(self) -> None:
        """`--output` is a file of one command and a directory of another."""
        meanings: dict[str, set[str]] = {}
        for command in COMMANDS:
            for flag, variable in variable_names(command_parser(command), command.name).items():
                meanings.setdefault(variable, set()).add(
                    flag if "." in flag else f"{command.name} {flag}"
                )
        assert [variable for variable, flags in meanings.items() if len(flags) > 1] == []

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
    def test_are_in_the_help_of_each_flag(self, command: Subcommand) -> None:
        parser = command_parser(command)
        shown = set(re.findall(r"\[(OPENVPN_[A-Z_]+)\]", parser.format_help()))
        assert shown == set(variable_names(parser, command.name).values())

    def test_are_listed_in_the_reference(self) -> None:
        reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
        assert "OPENVPN_EXPORTER_WEB_LISTEN_ADDRESS" in reference
        assert "OPENVPN_EXPORTER_CHECK_CONNECT" in reference

    def test_are_none_that_kubernetes_sets(self) -> None:
        assert [name for name in KNOWN if is_service_link(name)] == []
        assert [name for name in LINKS if name in KNOWN] == []


class TestValues:
    def test_have_the_type_of_the_flag(self) -> None:
        parsed = parse_flags("serve", CONFIG_FILE="/x.yaml", LOG_LEVEL="warn")
        assert (parsed.config_file, parsed.log_level) == (Path("/x.yaml"), "warn")

    def test_without_flag_and_variable_the_default_holds(self) -> None:
        parsed, sources = parse_with_sources("serve")
        assert (parsed.log_level, parsed.telemetry_path, parsed.listen) == (
            "info",
            "/metrics",
            None,
        )
        assert sources == Sources()

    def test_repeated_flag_has_values_between_commas(self) -> None:
        parsed = parse_flags("serve", OPENVPN_MANAGEMENT="a:1, unix:/run/b.sock,,")
        assert parsed.management == ["a:1", "unix:/run/b.sock"]

    def test_values_are_not_added_to_those_of_the_flag(self) -> None:
        parsed = parse_flags("serve", "--openvpn.management=a:1", OPENVPN_MANAGEMENT="b:1")
        assert parsed.management == ["a:1"]

    def test_default_lists_are_not_changed(self) -> None:
        assert parse_flags("rules", RULES_EXTERNAL_LABEL="cluster").external_label == ["cluster"]
        assert parse_flags("rules").external_label == []

    def test_positional_argument_is_kept(self) -> None:
        parsed = parse_flags("dashboards", "fleet", DASHBOARDS_OUTPUT="/srv/x")
        assert (parsed.name, parsed.output) == ("fleet", Path("/srv/x"))

    @pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("", False)])
    def test_flag_without_value_is_true_or_false(self, text: str, *, value: bool) -> None:
        assert parse_flags("check", CHECK_CONNECT=text).connect is value

    def test_empty_variable_counts_as_not_set(self) -> None:
        assert parse_flags("serve", CONFIG_FILE="", LOG_LEVEL="").config_file is None

    def test_value_that_begins_with_a_hyphen_is_no_flag(self) -> None:
        assert parse_flags("serve", CONFIG_FILE="--version").config_file == Path("--version")

    @pytest.mark.parametrize(
        ("command", "variable", "value", "message"),
        [
            ("serve", "LOG_LEVEL", "loud", "invalid choice: 'loud'"),
            ("serve", "WEB_LISTEN_ADDRESS", ":1,9176", "write :9176 or 127.0.0.1:9176"),
            ("serve", "WEB_SYSTEMD_SOCKET", "1", "'1' is not valid: true or false"),
            ("rules", "RULES_THRESHOLD", "x", "write NAME=VALUE"),
        ],
    )
    def test_bad_value_names_the_variable(
        self, command: str, variable: str, value: str, message: str
    ) -> None:
        name = f"environment variable OPENVPN_EXPORTER_{variable}: "
        with pytest.raises(UsageError, match=f"^{re.escape(name)}.*{re.escape(message)}"):
            parse_flags(command, **{variable: value})


class TestExclusiveFlags:
    def test_flag_overrides_the_variables_that_it_excludes(self) -> None:
        parsed, sources = parse_with_sources(
            "serve", "--openvpn.management=a:1", "--web.systemd-socket",
            CONFIG_FILE="/x", WEB_LISTEN_ADDRESS=":1", OPENVPN_STATUS_FILE="y",
        )  # fmt: skip
        assert (parsed.config_file, parsed.listen, parsed.status_file) == (None, None, ["y"])
        assert sources.overridden == {
            "OPENVPN_EXPORTER_CONFIG_FILE": "--openvpn.management",
            "OPENVPN_EXPORTER_WEB_LISTEN_ADDRESS": "--web.systemd-socket",
        }

    def test_variables_that_exclude_each_other_are_an_error_with_both_names(self) -> None:
        message = (
            "^OPENVPN_EXPORTER_CONFIG_FILE is not allowed with OPENVPN_EXPORTER_OPENVPN_MANAGEMENT"
        )
        with pytest.raises(UsageError, match=message):
            parse_flags("serve", CONFIG_FILE="/x", OPENVPN_MANAGEMENT="a:1")

    def test_flags_that_exclude_each_other_are_an_error(self) -> None:
        with pytest.raises(UsageError, match=r"^--web\.listen-address is not allowed with"):
            parse_flags("demo", "--web.systemd-socket", "--web.listen-address=:1")

    def test_variable_that_is_false_excludes_nothing(self) -> None:
        parsed = parse_flags("serve", WEB_SYSTEMD_SOCKET="false", WEB_LISTEN_ADDRESS=":1")
        assert not parsed.systemd_socket
        assert len(parsed.listen) == 1


class TestUnusedVariables:
    def test_unknown_variable_is_logged_without_its_value(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        environ = {
            "OPENVPN_EXPORTER_WEB_LISTEN_ADRESS": "s3cret",
            "OPENVPN_EXPORTER_PASSWORD\n": "s3cret",
            "OPENVPN_EXPORTER_EMPTY": "",
            "OPENVPN_EXPORTER_CONFIG_FILE": "/x",
            "OTHER": "x",
        }
        log_unknown(unknown_variables(environ, KNOWN), sorted(KNOWN))
        first, second = warnings(caplog)
        assert first["variable"] == r"OPENVPN_EXPORTER_PASSWORD\x0a"
        assert second["hint"] == "write OPENVPN_EXPORTER_WEB_LISTEN_ADDRESS"
        assert {record.levelno for record in caplog.records} == {logging.WARNING}
        assert "s3cret" not in str([first, second])

    def test_variables_of_kubernetes_services_are_not_unknown(self) -> None:
        assert unknown_variables(LINKS, KNOWN) == []

    def test_overridden_variable_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        log_overridden(Sources(overridden={"OPENVPN_EXPORTER_X": "--x"}))
        assert warnings(caplog) == [
            {"msg": "environment variable overridden", "variable": "OPENVPN_EXPORTER_X",
             "flag": "--x"}
        ]  # fmt: skip


class TestProgram:
    def test_reads_its_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in LINKS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OPENVPN_EXPORTER_OPENVPN_STATUS_FILE", "hq=/run/hq.log")
        done = run("check")
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"^hq .* /run/hq\.log", done.stdout, re.MULTILINE)

    def test_warns_of_a_variable_of_no_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENVPN_EXPORTER_LOGLEVEL", "debug")
        monkeypatch.setenv("OPENVPN_EXPORTER_RULES_JOB", "vpn")
        done = run("check", "--openvpn.management=a:1")
        assert done.returncode == 0
        assert done.stderr.count("unknown environment variable") == 1
        assert 'hint="write OPENVPN_EXPORTER_LOG_LEVEL"' in done.stderr

    def test_names_the_variable_of_bad_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENVPN_EXPORTER_OPENVPN_MANAGEMENT", "nowhere,a:1")
        monkeypatch.setenv("OPENVPN_EXPORTER_OPENVPN_STATUS_FILE", "=x")
        done = run("check")
        assert done.returncode == 2
        assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
            "OPENVPN_EXPORTER_OPENVPN_MANAGEMENT",
            "OPENVPN_EXPORTER_OPENVPN_STATUS_FILE",
        ]

    def test_names_the_variables_in_errors_about_flags(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENVPN_EXPORTER_CHECK_PORT_PROBE", "true")
        done = run("check", "--openvpn.management=a:1")
        assert done.returncode == 2
        assert "--port-probe needs --connect" in done.stderr
        assert "variables in use: OPENVPN_EXPORTER_CHECK_PORT_PROBE)" in done.stderr
