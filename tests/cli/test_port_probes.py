"""`check --connect --port-probe` probes each port once."""

import re
from pathlib import Path

from tests.cli.test_oneshot import serve_session, start
from tests.fake_daemon import fake_daemon, free_port
from tests.port_probe.fake_server import fake_server
from tests.test_cli import run


def write(directory: Path, text: str) -> str:
    (directory / "config.yaml").write_text(text)
    return f"--config.file={directory}/config.yaml"


def entry(port: int, name: str = "branch") -> str:
    return f"  - {{name: {name}, target: '127.0.0.1:{port}/udp', allow_traces: true}}\n"


async def test_a_port_of_a_daemon_is_probed_after_its_poll(tmp_path: Path) -> None:
    async with fake_daemon() as daemon, fake_server() as port:
        section = f"{{targets: ['127.0.0.1:{port}/udp']}}"
        text = f"daemons: [{{name: a, management: '{daemon.endpoint}', port_probe: {section}}}]"
        checking = start("check", "--connect", "--port-probe", write(tmp_path, text))
        await serve_session(daemon)
        done = await checking
    assert done.returncode == 0, done.stderr
    assert re.search(rf"a +127\.0\.0\.1:{port}/udp +4 +answered +0\.\d+s", done.stdout)


async def test_a_daemon_that_is_down_is_not_probed(tmp_path: Path) -> None:
    async with fake_server() as port:
        section = f"{{targets: ['127.0.0.1:{port}/udp']}}"
        text = f"daemons: [{{name: a, management: '127.0.0.1:1', port_probe: {section}}}]"
        done = await start("check", "--connect", "--port-probe", write(tmp_path, text))
    assert done.returncode == 1
    assert re.search(r"a +127\.0\.0\.1:\d+/udp +- +skipped: version_unknown", done.stdout)


async def test_a_port_without_a_daemon_needs_no_daemon(tmp_path: Path) -> None:
    async with fake_server() as port:
        flag = write(tmp_path, f"port_probes:\n{entry(port)}")
        done = await start("check", "--connect", "--port-probe", flag)
        listed = run("check", flag)
    assert listed.returncode == 0
    assert listed.stdout == (
        f"configuration OK; daemons: 0\n\nbranch: port probes of 127.0.0.1:{port}/udp\n"
    )
    assert done.returncode == 0, done.stderr
    assert re.search(rf"branch +127\.0\.0\.1:{port}/udp +4 +answered", done.stdout)


async def test_a_port_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    async with fake_server() as port:
        flag = write(tmp_path, f"port_probes:\n{entry(port)}{entry(free_port(), 'closed')}")
        done = await start("check", "--connect", "--port-probe", flag)
    assert done.returncode == 1
    assert re.search(r"closed +127\.0\.0\.1:\d+/udp +4 +refused", done.stdout)


def test_the_flag_needs_a_poll(tmp_path: Path) -> None:
    done = run("check", "--port-probe", write(tmp_path, f"port_probes:\n{entry(1194)}"))
    assert done.returncode == 2
    assert "--port-probe needs --connect" in done.stderr
