from pathlib import Path

import pytest

from exporter.cli.main import COMMANDS, command_parser
from exporter.cli.output import format_findings
from exporter.cli.subcommand import Exit
from exporter.openvpn_config import Finding, Kind

(CHECK,) = (command for command in COMMANDS if command.name == "check")

DATA = Path(__file__).parents[1] / "data" / "openvpn"


def test_skipped_daemons_come_first_with_name_and_location() -> None:
    warning = Finding(kind=Kind.UNPROTECTED, location="a.conf:2", text="whoever", daemon="a")
    general = Finding(kind=Kind.NO_MATCH, location="*.conf", text="no file matches")
    error = Finding(kind=Kind.SYNTAX_ERROR, location="b.conf:1", text="no", daemon="b", blocks=True)
    assert list(format_findings([warning, general, error])) == [
        "Skipped daemons:",
        "  b: b.conf:1: no",
        "",
        "Warnings:",
        "  a: a.conf:2: whoever",
        "  configuration: *.conf: no file matches",
        "",
    ]


def test_no_findings_give_no_lines() -> None:
    assert list(format_findings([])) == []


def check(*arguments: str) -> Exit:
    return CHECK.module.run(command_parser(CHECK).parse_args(arguments))


def test_check_lists_skipped_daemons_and_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = [f"--openvpn.config={DATA}/{name}.conf" for name in ("server/branch", "server/broken")]
    assert check(*flags) is Exit.FAILED
    output = capsys.readouterr().out
    assert f"Skipped daemons:\n  server/broken: {DATA}/server/broken.conf:2: " in output
    assert "\nconfiguration valid, but discovered daemons skipped; " in output
    assert "\nserver/branch  127.0.0.1:7506 " in output


def test_check_fails_without_a_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(f"--openvpn.config={DATA}/*.none") is Exit.FAILED
    assert "configuration valid, but no daemon to monitor; daemons: 0\n" in capsys.readouterr().out


def test_check_prints_where_a_daemon_is_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    (tmp_path / "password").write_text("secret")
    file.write_text(
        "daemons:\n"
        "  - {name: a, management: 'a:1', share: {listen: ['unix:/a.sock', '127.0.0.1:7506']}}\n"
        "  - {name: b, management: 'b:1', share: {listen: ['[::]:7'], password_file: password}}\n"
    )
    assert check(f"--config.file={file}") is Exit.DONE
    output = capsys.readouterr().out
    assert "\na: shared at unix:/a.sock, 127.0.0.1:7506, with no password\n" in output
    assert "\nb: shared at [::]:7, with a password\n" in output


def test_check_succeeds_with_warnings_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert check(f"--openvpn.config={DATA}/server/portal.conf") is Exit.DONE
    output = capsys.readouterr().out
    assert output.startswith(f"Warnings:\n  portal: {DATA}/server/portal.conf:3: ")
    assert "\nconfiguration OK; daemons: 1\n" in output
