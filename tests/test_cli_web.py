"""The flags of the web server, tested with the running program."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import bcrypt
import pytest
from aiohttp import ClientSession, TCPConnector, UnixConnector, encode_basic_auth

from tests.fake_daemon import TEST_TIMEOUT
from tests.test_cli import ANY_PORT, ROOT, exit_code, read_until, run, running
from tests.web.certificates import HASH, Authority

UNREACHABLE = "--openvpn.management=127.0.0.1:1"


def write(file: Path, text: str) -> None:
    file.write_text(text)


async def test_the_web_configuration_enables_tls(tmp_path: Path) -> None:
    authority, file = Authority(), tmp_path / "web.yaml"
    authority.write(tmp_path, "web", "127.0.0.1")
    write(file, "tls_server_config: {cert_file: web.crt, key_file: web.key}\n")
    async with running(UNREACHABLE, ANY_PORT, f"--web.config.file={file}") as process:
        url = await read_until(process.stderr, r"(https://127\.0\.0\.1:\d+)")
        connector = TCPConnector(ssl=authority.client())
        async with ClientSession(connector=connector) as session:
            async with session.get(f"{url[1]}/-/healthy") as answer:
                assert answer.status == 200
            process.terminate()
            assert await exit_code(process) == 0


def test_an_invalid_web_configuration_reports_all_problems_and_exits_with_2(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    write(file, "basic_auth_users: {alice: hunter2}\ntls_server_config: {cert_file: gone}\n")
    done = run(UNREACHABLE, ANY_PORT, f"--web.config.file={file}")
    assert (done.returncode, done.stdout) == (2, "")
    problems = done.stderr.splitlines()
    assert [line.partition(": ")[0] for line in problems] == [f"{file}:1", f"{file}:2"]
    assert "hunter2" not in done.stderr


def test_the_demo_reads_the_web_configuration_too(tmp_path: Path) -> None:
    done = run("demo", ANY_PORT, f"--web.config.file={tmp_path / 'gone'}")
    assert done.returncode == 2
    assert "gone: cannot read the file: No such file or directory" in done.stderr


def test_a_missing_systemd_socket_exits_with_1() -> None:
    done = run(UNREACHABLE, "--web.systemd-socket")
    assert done.returncode == 1
    assert "systemd passed no socket: start the exporter by a .socket unit" in done.stderr


def test_systemd_socket_and_listen_address_exclude_each_other() -> None:
    done = run(UNREACHABLE, "--web.systemd-socket", ANY_PORT)
    assert done.returncode == 2
    assert "not allowed with" in done.stderr


PASS_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "exporter", *sys.argv[2:]])
"""


async def test_the_exporter_serves_at_a_systemd_socket(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PASS_SOCKET, str(listening.fileno())),
            *(UNREACHABLE, "--web.systemd-socket"),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            pass_fds=[listening.fileno()],
        )
    try:
        await read_until(process.stderr, re.escape(f"urls=http+unix://{path}"))
        async with (
            ClientSession(connector=UnixConnector(str(path))) as session,
            session.get("http://localhost/metrics") as answer,
        ):
            assert answer.status == 200
        process.terminate()
        assert await exit_code(process) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def opened_pipe(path: Path) -> int:
    """Return the writer's end of a named pipe, once the exporter has opened the other."""
    async with asyncio.timeout(TEST_TIMEOUT):
        return await asyncio.to_thread(os.open, path, os.O_WRONLY)


async def test_sigterm_ends_a_start_that_waits_for_the_web_configuration(tmp_path: Path) -> None:
    pipe = tmp_path / "web.yaml"
    os.mkfifo(pipe)
    async with running(UNREACHABLE, ANY_PORT, f"--web.config.file={pipe}") as process:
        writer = await opened_pipe(pipe)
        process.terminate()
        assert await exit_code(process) == 0
        os.close(writer)


async def test_a_web_configuration_is_read_from_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "web.yaml"
    os.mkfifo(pipe)
    async with running(UNREACHABLE, ANY_PORT, f"--web.config.file={pipe}") as process:
        writer = await opened_pipe(pipe)
        os.write(writer, f"basic_auth_users: {{alice: {HASH}}}\n".encode())
        os.close(writer)
        url = await read_until(process.stderr, r"(http://127\.0\.0\.1:\d+)")
        async with ClientSession() as session, session.get(f"{url[1]}/metrics") as answer:
            assert answer.status == 401


async def test_a_pipe_in_place_of_the_configuration_fails_the_reload_in_time(
    tmp_path: Path,
) -> None:
    file, pipe = tmp_path / "config.yaml", tmp_path / "pipe"
    write(file, "daemons: [{name: office, management: '127.0.0.1:1'}]\n")
    os.mkfifo(pipe)
    async with running(f"--config.file={file}", ANY_PORT) as process, ClientSession() as session:
        url = (await read_until(process.stderr, r"(http://127\.0\.0\.1:\d+)"))[1]
        good = file.read_text()
        pipe.replace(file)
        async with session.post(f"{url}/-/reload") as answer:
            assert answer.status == 500
            assert "a pipe without an end for 2 s" in await answer.text()
        await read_until(process.stderr, "reload failed, keeping the previous configuration")
        async with session.get(f"{url}/metrics") as answer:
            assert "config_last_reload_successful 0.0\n" in await answer.text()
        file.unlink()
        write(file, good)
        async with session.post(f"{url}/-/reload") as answer:
            assert answer.status == 200
        process.terminate()
        assert await exit_code(process) == 0


@pytest.mark.parametrize("cost", [10, 15])
async def test_sigterm_during_a_password_check_ends_the_process_cleanly(
    tmp_path: Path, cost: int
) -> None:
    """With cost 15 a check takes more than a second."""
    file = tmp_path / "web.yaml"
    hashed = (await asyncio.to_thread(bcrypt.hashpw, b"x", bcrypt.gensalt(4))).decode()
    write(file, f"basic_auth_users: {{alice: {hashed.replace('$04$', f'${cost}$')}}}\n")
    async with running(UNREACHABLE, ANY_PORT, f"--web.config.file={file}") as process:
        url = (await read_until(process.stderr, r"(http://127\.0\.0\.1:\d+)"))[1]
        async with ClientSession(
            headers={"Authorization": encode_basic_auth("alice", "")}
        ) as session:
            requests = [asyncio.create_task(session.get(f"{url}/metrics")) for _ in range(20)]
            await asyncio.wait(requests, timeout=0.2)
            process.terminate()
            started_at = time.monotonic()
            assert await exit_code(process) == 0
            assert time.monotonic() - started_at < 2
            await asyncio.gather(*requests, return_exceptions=True)
        assert process.stderr is not None
        assert b"panic" not in await process.stderr.read()
