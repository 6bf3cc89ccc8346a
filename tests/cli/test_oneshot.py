"""`check` and `once`: as processes, over real sockets."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from exporter.cli.output import table
from tests.fake_daemon import GREETING, REPLIES, FakeDaemon, fake_daemon
from tests.test_cli import run

Completed = subprocess.CompletedProcess[str]

UNREACHABLE = "127.0.0.1:1"


def start(*arguments: str) -> asyncio.Task[Completed]:
    return asyncio.create_task(asyncio.to_thread(run, *arguments))


async def serve_session(
    daemon: FakeDaemon, replies: dict[bytes, tuple[bytes, ...]] | None = None
) -> None:
    """Serve one session, from the greeting to `quit`."""
    session = await daemon.accept_and_greet()
    await session.reply(until=b"quit", replies={**REPLIES, **(replies or {})})
    session.close()


def config_file(directory: Path, *lines: str) -> str:
    file = directory / "config.yaml"
    file.write_text("\n".join(["daemons:", *lines]))
    return f"--config.file={file}"


def file_names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


class TestCheck:
    def test_prints_the_configuration_and_exits_with_0(self, tmp_path: Path) -> None:
        flag = config_file(
            tmp_path,
            "  - name: office",
            "    management: 127.0.0.1:7505",
            "    slot: release",
            "    poll_interval: 90s",
        )
        done = run("check", flag)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"office +127\.0\.0\.1:7505 +release +1m30s +none", done.stdout)

    def test_prints_every_problem_and_exits_with_2(self, tmp_path: Path) -> None:
        done = run("check", config_file(tmp_path, "  - name: office", "    slot: maybe"))
        assert (done.returncode, done.stdout) == (2, "")
        assert "daemons[0].management: is missing" in done.stderr
        assert "daemons[0].slot: " in done.stderr

    def test_connects_only_on_request(self) -> None:
        assert run("check", f"--openvpn.management={UNREACHABLE}").returncode == 0

    def test_needs_a_daemon(self) -> None:
        done = run("check")
        assert done.returncode == 2
        assert "--config.file" in done.stderr


class TestConnect:
    async def test_prints_each_daemon_and_sends_quit(self) -> None:
        async with fake_daemon() as daemon:
            checking = start(
                "check",
                "--connect",
                f"--openvpn.management={daemon.endpoint}",
                f"--openvpn.management={UNREACHABLE}",
            )
            await serve_session(daemon)
            done = await checking
        assert done.returncode == 1
        up, down = done.stdout.splitlines()[1:3]
        assert up.split()[2:9] == ["up", "2.6.14", "server", "CONNECTED", "1", "3", "no"]
        assert down.split()[2:4] == ["down:", "refused"]
        assert "is the daemon running, with a 'management' directive" in done.stdout

    async def test_exits_with_0_if_all_daemons_are_up(self) -> None:
        async with fake_daemon() as daemon:
            checking = start("check", "--connect", f"--openvpn.management={daemon.endpoint}")
            await serve_session(daemon)
            assert (await checking).returncode == 0

    async def test_does_not_read_the_status_file_of_a_daemon_that_is_up(
        self, tmp_path: Path
    ) -> None:
        async with fake_daemon() as daemon:
            flag = config_file(
                tmp_path,
                f"  - {{name: office, management: '{daemon.endpoint}', status_file: gone.log}}",
            )
            checking = start("check", "--connect", flag)
            await serve_session(daemon)
            done = await checking
        assert (done.returncode, "gone.log" in done.stdout) == (0, False)

    async def test_names_the_commands_that_fail(self) -> None:
        async with fake_daemon() as daemon:
            checking = start("check", "--connect", f"--openvpn.management={daemon.endpoint}")
            await serve_session(daemon, {b"verb": (b"ERROR: no",)})
            done = await checking
        assert done.returncode == 0
        assert "the daemon refuses 'verb'; the data of 'verb' is missing" in done.stdout

    async def test_warns_that_the_disconnect_restarted_the_vpn(self) -> None:
        signalled = (b"1795404000,RECONNECTING,management-disconnect,,,,,", b"END")
        async with fake_daemon() as daemon:
            checking = start("check", "--connect", f"--openvpn.management={daemon.endpoint}")
            await serve_session(daemon, {b"state all": signalled})
            assert "remove that option" in (await checking).stdout

    async def test_reports_a_prompt_and_disconnects_at_once(self) -> None:
        async with fake_daemon() as daemon:
            checking = start("check", "--connect", f"--openvpn.management={daemon.endpoint}")
            session = await daemon.accept()
            session.send_lines(GREETING, b">PASSWORD:Need 'Auth' username/password")
            await session.reply(until=b"quit")
            session.close()
            done = await checking
        assert done.returncode == 1
        assert re.search(r"down: prompt +2\.6\.14 .* Auth ", done.stdout)
        assert b"status 3" not in session.received

    async def test_does_not_listen_for_a_daemon_that_exits_on_disconnect(self) -> None:
        done = await start("check", "--connect", "--openvpn.management=listen:127.0.0.1:7600")
        assert done.returncode == 1
        assert "exits when the session ends" in done.stdout


class TestOnce:
    async def test_writes_the_page_and_exits_with_0(self) -> None:
        async with fake_daemon() as daemon:
            asking = start("once", f"--openvpn.management={daemon.endpoint}")
            await serve_session(daemon)
            done = await asking
        assert done.returncode == 0
        assert "openvpn_server_client_received_bytes_total{" in done.stdout
        for own in ("process_", "python_info", "openvpn_exporter_build_info"):
            assert own not in done.stdout

    async def test_replaces_a_file_atomically_and_makes_it_readable_by_all(
        self, tmp_path: Path
    ) -> None:
        file = tmp_path / "openvpn.prom"
        file.write_text("old")
        done = await start("once", f"--openvpn.management={UNREACHABLE}", "--output", str(file))
        assert (done.returncode, done.stdout) == (1, "")
        assert "connection refused" in done.stderr
        assert f'openvpn_up{{daemon="{UNREACHABLE}"}} 0' in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o644
        assert file_names(tmp_path) == ["openvpn.prom"]

    async def test_reports_why_a_file_cannot_be_written(self, tmp_path: Path) -> None:
        target = str(tmp_path / "missing" / "openvpn.prom")
        done = await start("once", f"--openvpn.management={UNREACHABLE}", "--output", target)
        assert done.returncode == 1
        assert f"cannot write {target}: No such file or directory" in done.stderr
        assert "Traceback" not in done.stderr


def test_table_is_as_wide_as_its_cells() -> None:
    assert table(("a", "long"), [("xyz", ""), ("", "b")]) == "A    LONG\nxyz  -\n-    b\n"


def test_table_shows_the_name_of_a_hostile_file_in_one_line() -> None:
    assert table(("file",), [("a\n\x1b[2Jb",)]) == "FILE\na\\x0a\\x1b[2Jb\n"


@pytest.mark.parametrize("command", [("check", "--connect"), ("once",)])
async def test_privacy_hides_what_a_peer_sends_instead_of_the_protocol(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    async with fake_daemon() as daemon:
        entry = f"  - {{name: office, management: '{daemon.endpoint}', privacy: none}}"
        running = start(*command, config_file(tmp_path, entry))
        session = await daemon.accept()
        session.send_lines(b"alice/192.0.2.7:4 hi")
        done = await running
    assert done.returncode == 1
    assert "does not speak OpenVPN's management protocol" in done.stdout + done.stderr
    assert "alice" not in done.stdout + done.stderr
