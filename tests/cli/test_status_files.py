"""`check` and `once` on daemons with a status file, with and without a management interface."""

import os
import time
from pathlib import Path

import pytest

from exporter.cli import main
from exporter.cli.subcommand import Exit
from tests.certificates.fixtures import certificate
from tests.fake_daemon import STATUS_3

UNREACHABLE = "127.0.0.1:1"
PRINTED = b"1795405983"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a status file that was written some seconds ago."""
    path = tmp_path / "status.log"
    path.write_bytes(b"\n".join(STATUS_3).replace(PRINTED, b"%d" % time.time()) + b"\n")
    os.utime(path, (time.time() - 5, time.time() - 5))
    return path


def config(directory: Path, *, management: str = "", **more: Path) -> str:
    interface = f", management: '{management}'" if management else ""
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    path = directory / "config.yaml"
    path.write_text(f"daemons: [{{name: office{interface}{keys}}}]\n")
    return f"--config.file={path}"


def row(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the cells of the daemon's row."""
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("office "))
    return line.split("  ")


def test_check_prints_the_status_file(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", config(tmp_path, status_file=file)]) == Exit.DONE
    cells = [cell.strip() for cell in row(capsys) if cell]
    assert cells == ["office", "-", "-", "15s", "-", str(file), "-"]


def test_check_reads_the_status_file_of_a_daemon_without_management(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--connect", config(tmp_path, status_file=file)]) == Exit.DONE
    cells = [cell.strip() for cell in row(capsys) if cell]
    assert cells[1:7] == [str(file), "up: status file", "-", "server", "-", "1"]


def test_check_reads_the_status_file_of_a_daemon_that_is_down_and_fails(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flag = config(tmp_path, management=UNREACHABLE, status_file=file)
    assert main(["check", "--connect", flag]) == Exit.FAILED
    cells = [cell.strip() for cell in row(capsys) if cell]
    assert cells[1:3] == [UNREACHABLE, "up: status file (management: refused)"]


def test_check_reports_the_errors_of_management_and_status_file(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.unlink()
    flag = config(tmp_path, management=UNREACHABLE, status_file=file)
    assert main(["check", "--connect", flag]) == Exit.FAILED
    output = capsys.readouterr().out
    assert f"office: {UNREACHABLE}: connection refused" in output
    assert f"office: {file}: no such file" in output


def test_once_writes_the_metrics_of_the_status_file(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flag = config(tmp_path, management=UNREACHABLE, status_file=file)
    assert main(["once", flag]) == Exit.DONE
    output = capsys.readouterr()
    assert 'openvpn_up{daemon="office"} 1\n' in output.out
    assert 'openvpn_management_up{daemon="office"} 0\n' in output.out
    assert 'openvpn_server_connected_clients{daemon="office"} 1\n' in output.out
    assert "connection refused" in output.err


def test_once_fails_without_any_status(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.truncate(file, 0)
    assert main(["once", config(tmp_path, status_file=file)]) == Exit.FAILED
    output = capsys.readouterr()
    assert 'openvpn_up{daemon="office"} 0\n' in output.out
    assert ": empty;" in output.err


def test_once_reads_certificates(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "office.crt").write_bytes(certificate("office"))
    assert main(["once", config(tmp_path, status_file=file, cert=tmp_path / "office.crt")]) == 0
    assert 'openvpn_certificate_not_after_timestamp_seconds{daemon="office"' in (
        capsys.readouterr().out
    )


def test_check_reports_the_problems_of_both_configurations(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web = tmp_path / "web.yaml"
    web.write_text("rate_limit: {interval: 1s}\n")
    flag = f"--web.config.file={web}"
    assert main(["check", flag, config(tmp_path, status_file=file)]) == Exit.USAGE
    assert f"{web}:1: rate_limit" in capsys.readouterr().err
    assert main(["check", flag, config(tmp_path, timeout=Path("soon"))]) == Exit.USAGE
    output = capsys.readouterr().err
    assert "daemons[0].timeout: " in output
    assert f"{web}:1: rate_limit" in output
    web.write_text("rate_limit: {interval: 1s, burst: 5}\n")
    assert main(["check", flag, config(tmp_path, status_file=file)]) == Exit.DONE
