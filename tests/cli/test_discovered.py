from pathlib import Path

import pytest

from exporter.cli.check import COMMAND
from exporter.cli.command import Exit
from exporter.cli.main import command_parser
from exporter.cli.output import format_findings
from exporter.openvpn_config import Finding, Kind

DATA = Path(__file__).parents[1] / "data" / "openvpn"


def test_what_is_not_watched_comes_first_each_with_its_daemon_and_place() -> None:
    warning = Finding(kind=Kind.UNPROTECTED, location="a.conf:2", text="whoever", daemon="a")
    general = Finding(kind=Kind.NO_MATCH, location="*.conf", text="no file matches")
    error = Finding(kind=Kind.SYNTAX_ERROR, location="b.conf:1", text="no", daemon="b", blocks=True)
    assert list(format_findings([warning, general, error])) == [
        "Skipped daemons:",
        "  b: b.conf:1: no",
        "",
        "Warnings:",
        "  a: a.conf:2: whoever",
        "  discover: *.conf: no file matches",
        "",
    ]


def test_nothing_is_said_of_nothing() -> None:
    assert list(format_findings([])) == []


def check(*arguments: str) -> Exit:
    return COMMAND.run(command_parser(COMMAND).parse_args(arguments))


def test_check_says_what_was_found_and_fails_where_something_is_not_watched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = [f"--openvpn.config={DATA}/{name}.conf" for name in ("server/branch", "server/broken")]
    assert check(*flags) is Exit.FAILED
    said = capsys.readouterr().out
    assert f"Skipped daemons:\n  broken: {DATA}/server/broken.conf:2: " in said
    assert "\nconfiguration valid, but discovered daemons skipped; " in said
    assert "\nbranch  127.0.0.1:7506 " in said


def test_check_fails_where_nothing_is_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(f"--openvpn.config={DATA}/*.none") is Exit.FAILED
    assert "configuration valid, but no daemon to monitor; daemons: 0\n" in capsys.readouterr().out


def test_check_is_content_where_all_that_was_found_is_watched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert check(f"--openvpn.config={DATA}/server/portal.conf") is Exit.DONE
    said = capsys.readouterr().out
    assert said.startswith(f"Warnings:\n  portal: {DATA}/server/portal.conf:3: ")
    assert "\nconfiguration OK; daemons: 1\n" in said
