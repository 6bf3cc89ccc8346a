"""`check` and `once`: as processes, over real sockets."""

import asyncio
import re
import subprocess
from pathlib import Path

from exporter.cli.output import table
from tests.fake_daemon import GREETING, REPLIES, FakeDaemon, fake_daemon
from tests.test_cli import run

Done = subprocess.CompletedProcess[str]

NOBODY = "127.0.0.1:1"


def started(*arguments: str) -> asyncio.Task[Done]:
    return asyncio.create_task(asyncio.to_thread(run, *arguments))


async def is_asked(
    daemon: FakeDaemon, answers: dict[bytes, tuple[bytes, ...]] | None = None
) -> None:
    """Let a daemon be asked once, from the greeting to `quit`."""
    session = await daemon.accept_and_greet()
    await session.reply(until=b"quit", replies={**REPLIES, **(answers or {})})
    session.close()


def config_file(directory: Path, *lines: str) -> str:
    file = directory / "config.yaml"
    file.write_text("\n".join(["daemons:", *lines]))
    return f"--config.file={file}"


def names_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


class TestCheck:
    def test_tells_what_it_understood_and_ends_with_0(self, tmp_path: Path) -> None:
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

    def test_tells_every_mistake_and_ends_with_2(self, tmp_path: Path) -> None:
        done = run("check", config_file(tmp_path, "  - name: office", "    slot: maybe"))
        assert (done.returncode, done.stdout) == (2, "")
        assert "daemons[0].management: is missing" in done.stderr
        assert "daemons[0].slot: " in done.stderr

    def test_connects_only_when_asked_to(self) -> None:
        assert run("check", f"--openvpn.management={NOBODY}").returncode == 0

    def test_wants_something_to_check(self) -> None:
        done = run("check")
        assert done.returncode == 2
        assert "--config.file" in done.stderr


class TestConnect:
    async def test_shows_each_daemon_and_takes_its_leave(self) -> None:
        async with fake_daemon() as daemon:
            checking = started(
                "check",
                "--connect",
                f"--openvpn.management={daemon.endpoint}",
                f"--openvpn.management={NOBODY}",
            )
            await is_asked(daemon)
            done = await checking
        assert done.returncode == 1
        up, down = done.stdout.splitlines()[1:3]
        assert up.split()[2:9] == ["up", "2.6.14", "server", "CONNECTED", "1", "3", "no"]
        assert down.split()[2:4] == ["down:", "refused"]
        assert "is the daemon running, with a 'management' directive" in done.stdout

    async def test_ends_with_0_when_all_are_reached(self) -> None:
        async with fake_daemon() as daemon:
            checking = started("check", "--connect", f"--openvpn.management={daemon.endpoint}")
            await is_asked(daemon)
            assert (await checking).returncode == 0

    async def test_reads_no_status_file_of_a_daemon_that_answers(self, tmp_path: Path) -> None:
        async with fake_daemon() as daemon:
            flag = config_file(
                tmp_path,
                f"  - {{name: office, management: '{daemon.endpoint}', status_file: gone.log}}",
            )
            checking = started("check", "--connect", flag)
            await is_asked(daemon)
            done = await checking
        assert (done.returncode, "gone.log" in done.stdout) == (0, False)

    async def test_says_that_leaving_restarted_the_vpn(self) -> None:
        signalled = (b"1795404000,RECONNECTING,management-disconnect,,,,,", b"END")
        async with fake_daemon() as daemon:
            checking = started("check", "--connect", f"--openvpn.management={daemon.endpoint}")
            await is_asked(daemon, {b"state all": signalled})
            assert "remove that option" in (await checking).stdout

    async def test_says_who_waits_for_a_person_and_leaves_at_once(self) -> None:
        async with fake_daemon() as daemon:
            checking = started("check", "--connect", f"--openvpn.management={daemon.endpoint}")
            session = await daemon.accept()
            session.send_lines(GREETING, b">PASSWORD:Need 'Auth' username/password")
            await session.reply(until=b"quit")
            session.close()
            done = await checking
        assert done.returncode == 1
        assert re.search(r"down: prompt +2\.6\.14 .* Auth ", done.stdout)
        assert b"status 3" not in session.received

    async def test_never_lets_a_daemon_dial_in_since_leaving_would_end_it(self) -> None:
        done = await started("check", "--connect", "--openvpn.management=listen:127.0.0.1:7600")
        assert done.returncode == 1
        assert "exits when the session ends" in done.stdout


class TestOnce:
    async def test_writes_the_page_and_ends_with_0(self) -> None:
        async with fake_daemon() as daemon:
            asking = started("once", f"--openvpn.management={daemon.endpoint}")
            await is_asked(daemon)
            done = await asking
        assert done.returncode == 0
        assert "openvpn_server_client_received_bytes_total{" in done.stdout
        for own in ("process_", "python_info", "openvpn_exporter_build_info"):
            assert own not in done.stdout

    async def test_writes_a_file_at_once_and_whole_for_all_to_read(self, tmp_path: Path) -> None:
        file = tmp_path / "openvpn.prom"
        file.write_text("old")
        done = await started("once", f"--openvpn.management={NOBODY}", "--output", str(file))
        assert (done.returncode, done.stdout) == (1, "")
        assert "connection refused" in done.stderr
        assert f'openvpn_up{{daemon="{NOBODY}"}} 0' in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o644
        assert names_in(tmp_path) == ["openvpn.prom"]

    async def test_says_why_a_file_cannot_be_written(self, tmp_path: Path) -> None:
        target = str(tmp_path / "missing" / "openvpn.prom")
        done = await started("once", f"--openvpn.management={NOBODY}", "--output", target)
        assert done.returncode == 1
        assert f"cannot write {target}: No such file or directory" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_table_is_as_wide_as_its_cells() -> None:
    assert table(("a", "long"), [("xyz", ""), ("", "b")]) == "A    LONG\nxyz  -\n-    b\n"
