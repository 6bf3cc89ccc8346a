"""`check --connect` with daemons in different conditions."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.real import raw_session
from tests.real.client import client
from tests.real.daemon import HELD, version
from tests.real.lab import Lab
from tests.real.management import Management
from tests.real.server import server
from tests.test_cli import ANY_PORT, read_until, running


def entry(name: str, management: Management, **more: object) -> dict[str, object]:
    password = {"password_file": str(management.password_file)} if management.password_file else {}
    return {"name": name, "management": str(management.address), "timeout": "2s"} | password | more


async def run_check(directory: Path, *daemons: dict[str, object]) -> tuple[int, str]:
    """Return the exit code and the output."""
    file = directory / "config.yaml"
    file.write_text(yaml.safe_dump({"daemons": list(daemons)}))
    command = [sys.executable, "-m", "exporter", "check", "--connect", f"--config.file={file}"]
    result = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.stderr == ""
    return result.returncode, result.stdout


def by_first_word(text: str) -> dict[str, str]:
    """Return the lines that begin with each word."""
    found: dict[str, str] = {}
    for line in filter(None, text.splitlines()):
        word = line.split()[0]
        found[word] = f"{found.get(word, '')}{line}\n"
    return found


async def test_check_reports_each_daemon_and_leaves_it_running(lab: Lab, tmp_path: Path) -> None:
    other_user = ("--management-client-user", "nobody")
    async with (
        server(lab, management=lab.unix(password="s3cret")) as office,
        client(office, "alice"),
        server(lab, management=lab.tcp(password="s3cret")) as guarded,
        server(lab) as occupied,
        raw_session.connect(occupied.management.address),
        server(lab, *other_user, management=lab.unix()) as closed,
        server(lab, "--management-hold", ready=HELD) as held,
    ):
        wrong = str(lab.file("wrong\n"))
        code, text = await run_check(
            tmp_path,
            entry("office", office.management),
            entry("wrong-password", guarded.management, password_file=wrong),
            entry("busy", occupied.management),
            entry("no-permission", closed.management),
            entry("held", held.management),
            entry("dead", lab.tcp()),
        )
        [reply] = await raw_session.request(office.management.address, "pid", password="s3cret")

    found = by_first_word(text)
    assert code == 1
    number = ".".join(map(str, version()))
    assert re.search(rf" up +{number} +server +CONNECTED +1 +3 +no +- ", found["office"])
    for name, reason in {
        "wrong-password": "auth",
        "busy": "busy",
        "no-permission": "permission",
        "held": "hold",
        "dead": "refused",
    }.items():
        assert f" down: {reason} " in found[name]
    assert "'password_file'" in found["wrong-password:"]
    assert "a running exporter serves it at /docs/troubleshooting#auth" in found["wrong-password:"]
    assert f"process {os.getpid()} (" in found["busy:"]
    assert "hold release" in found["held:"]
    assert "'management-client-user'" in found["no-permission:"]
    assert reply == f"SUCCESS: pid={office.daemon.pid}"


@pytest.mark.parametrize("kind", ["unix", "tcp"])
async def test_check_beside_a_running_exporter_names_it_at_once(
    lab: Lab, tmp_path: Path, kind: str
) -> None:
    management = lab.unix() if kind == "unix" else lab.tcp()
    async with server(lab, management=management) as office:
        flags = ("--openvpn.management", str(office.management.address), ANY_PORT)
        async with running(*flags) as exporter:
            await read_until(exporter.stderr, "daemon is up")
            code, text = await run_check(tmp_path, entry("office", office.management, timeout="5m"))
    assert code == 1
    found = by_first_word(text)
    assert " down: busy " in found["office"]
    assert (
        f"process {exporter.pid} (openvpn-exporter) holds the management slot; "
        "its metrics show this daemon"
    ) in found["office:"]
