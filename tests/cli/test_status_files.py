"""`check` and `once` on daemons with a status file: alone, or beside an interface that fails."""

import os
import time
from pathlib import Path

import pytest

from exporter.cli import main
from exporter.cli.command import Exit
from tests.certificates.fixtures import certificate
from tests.fake_daemon import STATUS_3

NOBODY = "127.0.0.1:1"
PRINTED = b"1795405983"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a status that was printed just now, and written some time ago."""
    path = tmp_path / "status.log"
    path.write_bytes(b"\n".join(STATUS_3).replace(PRINTED, b"%d" % time.time()) + b"\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def config(directory: Path, *, management: str = "", **more: Path) -> str:
    interface = f", management: '{management}'" if management else ""
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    path = directory / "config.yaml"
    path.write_text(f"daemons: [{{name: office{interface}{keys}}}]\n")
    return f"--config.file={path}"


def row(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Give the cells of the daemon's row."""
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("office "))
    return line.split("  ")


def test_check_shows_what_is_read(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", config(tmp_path, status_file=file)]) == Exit.DONE
    cells = [cell.strip() for cell in row(capsys) if cell]
    assert cells == ["office", "-", "-", "15s", "-", str(file), "-"]


def test_check_reads_the_file_of_a_daemon_that_has_nothing_else(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--connect", config(tmp_path, status_file=file)]) == Exit.DONE
    cells = [cell.strip() for cell in row(capsys) if cell]
    assert cells[1:7] == [str(file), "up: status file", "-", "server", "-", "1"]


def test_check_reads_the_file_where_the_interface_fails_but_is_not_content(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flag = config(tmp_path, management=NOBODY, status_file=file)
    assert main(["check", "--connect", flag]) == Exit.FAILED
    cells = [cell.strip() for cell in row(capsys) if cell]
    assert cells[1:3] == [NOBODY, "up: status file (management: refused)"]


def test_check_says_what_is_wrong_with_both(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.unlink()
    flag = config(tmp_path, management=NOBODY, status_file=file)
    assert main(["check", "--connect", flag]) == Exit.FAILED
    said = capsys.readouterr().out
    assert f"office: {NOBODY}: connection refused" in said
    assert f"office: {file}: no such file" in said


def test_once_knows_what_the_file_tells(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flag = config(tmp_path, management=NOBODY, status_file=file)
    assert main(["once", flag]) == Exit.DONE
    said = capsys.readouterr()
    assert 'openvpn_up{daemon="office"} 1\n' in said.out
    assert 'openvpn_management_up{daemon="office"} 0\n' in said.out
    assert 'openvpn_server_connected_clients{daemon="office"} 1\n' in said.out
    assert "connection refused" in said.err


def test_once_fails_where_nothing_is_known(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.truncate(file, 0)
    assert main(["once", config(tmp_path, status_file=file)]) == Exit.FAILED
    said = capsys.readouterr()
    assert 'openvpn_up{daemon="office"} 0\n' in said.out
    assert ": empty;" in said.err


def test_once_reads_certificates_too(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "office.crt").write_bytes(certificate("office"))
    assert main(["once", config(tmp_path, status_file=file, cert=tmp_path / "office.crt")]) == 0
    assert 'openvpn_certificate_not_after_timestamp_seconds{daemon="office"' in (
        capsys.readouterr().out
    )


def test_check_reads_the_web_configuration_and_tells_all_mistakes_of_both(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web = tmp_path / "web.yaml"
    web.write_text("rate_limit: {interval: 1s}\n")
    flag = f"--web.config.file={web}"
    assert main(["check", flag, config(tmp_path, status_file=file)]) == Exit.USAGE
    assert f"{web}:1: rate_limit" in capsys.readouterr().err
    assert main(["check", flag, config(tmp_path, timeout=Path("soon"))]) == Exit.USAGE
    said = capsys.readouterr().err
    assert "daemons[0].timeout: " in said
    assert f"{web}:1: rate_limit" in said
    web.write_text("rate_limit: {interval: 1s, burst: 5}\n")
    assert main(["check", flag, config(tmp_path, status_file=file)]) == Exit.DONE
