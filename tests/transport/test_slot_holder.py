"""The holder of the slot, as the kernel shows it: real sockets, another process."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.management.endpoint import (
    Endpoint,
    ListenUnixEndpoint,
    TcpEndpoint,
    UnixEndpoint,
    parse_endpoint,
)
from exporter.transport.slot_holder import SlotHolder, find_slot_holder

CLIENT = """
import socket, sys
host, port = sys.argv[-2:]
family = socket.AF_UNIX if port == "unix" else socket.AF_INET6 if ":" in host else socket.AF_INET
with socket.socket(family) as client:
    client.connect(host if port == "unix" else (host, int(port)))
    sys.stdin.read()
"""


@contextlib.contextmanager
def daemon(kind: str, directory: Path) -> Iterator[tuple[Endpoint, socket.socket]]:
    """Listen like a daemon; yield its endpoint and the listening socket."""
    family = {"unix": socket.AF_UNIX, "::1": socket.AF_INET6}.get(kind, socket.AF_INET)
    with socket.socket(family) as listening:
        listening.bind(str(directory / "office.sock") if kind == "unix" else (kind, 0))
        listening.listen(5)
        address = listening.getsockname()
        yield UnixEndpoint(address) if kind == "unix" else TcpEndpoint(*address[:2]), listening


@contextlib.contextmanager
def client(endpoint: Endpoint, *words: str) -> Iterator[int]:
    """Connect from another process until the end of the block; yield its PID."""
    match endpoint:
        case UnixEndpoint(path=path):
            target = (path, "unix")
        case TcpEndpoint(host=host, port=port):
            target = (host, str(port))
        case _:
            raise AssertionError(endpoint)
    with subprocess.Popen(  # noqa: S603 - fixed arguments
        [sys.executable, "-c", CLIENT, *words, *target], stdin=subprocess.PIPE
    ) as process:
        yield process.pid
        assert process.stdin
        process.stdin.close()


KINDS = pytest.mark.parametrize("kind", ["unix", "127.0.0.1", "::1"])


@KINDS
def test_is_the_process_that_the_daemon_has_accepted(kind: str, tmp_path: Path) -> None:
    with daemon(kind, tmp_path) as (endpoint, listening), client(endpoint) as pid:
        accepted, _ = listening.accept()
        with accepted:
            holder = find_slot_holder(endpoint)
    assert holder is not None
    assert holder.pid == pid
    assert not holder.is_exporter
    assert holder.name == Path(sys.executable).name


@KINDS
def test_is_none_of_those_that_wait(kind: str, tmp_path: Path) -> None:
    with daemon(kind, tmp_path) as (endpoint, listening), client(endpoint):
        accepted, _ = listening.accept()
        with accepted, client(endpoint) as waiting:
            holder = find_slot_holder(endpoint)
            assert holder is not None
            assert holder.pid != waiting


@KINDS
def test_is_not_this_process(kind: str, tmp_path: Path) -> None:
    with daemon(kind, tmp_path) as (endpoint, listening), socket.socket(listening.family) as own:
        own.connect(listening.getsockname())
        accepted, _ = listening.accept()
        with accepted:
            assert find_slot_holder(endpoint) is None


@KINDS
def test_is_unknown_without_a_client(kind: str, tmp_path: Path) -> None:
    with daemon(kind, tmp_path) as (endpoint, _):
        assert find_slot_holder(endpoint) is None


def test_of_another_address_with_this_port_is_none(tmp_path: Path) -> None:
    with daemon("127.0.0.1", tmp_path) as (endpoint, listening), client(endpoint):
        assert isinstance(endpoint, TcpEndpoint)
        accepted, _ = listening.accept()
        with accepted:
            assert find_slot_holder(TcpEndpoint("127.0.0.2", endpoint.port)) is None
            assert find_slot_holder(TcpEndpoint("localhost", endpoint.port)) is not None


@pytest.mark.parametrize(
    "endpoint", [None, ListenUnixEndpoint("/run/x.sock"), parse_endpoint("vpn.example.org:7505")]
)
def test_is_unknown_where_the_kernel_does_not_show_it(endpoint: Endpoint | None) -> None:
    assert find_slot_holder(endpoint) is None


@KINDS
def test_is_unknown_without_tables_of_the_kernel(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("exporter.transport.slot_holder._PROC", tmp_path / "missing")
    with daemon(kind, tmp_path) as (endpoint, listening), client(endpoint):
        accepted, _ = listening.accept()
        with accepted:
            assert find_slot_holder(endpoint) is None


@pytest.mark.parametrize(
    ("command", "is_exporter"),
    [
        (("/usr/bin/python3", "/usr/local/bin/openvpn-exporter", "--config.file=x"), True),
        (("/opt/openvpn-exporter/bin/python", "-m", "exporter"), True),
        (("openvpn-exporter",), True),
        (("nc", "127.0.0.1", "openvpn-exporter"), False),
        (("/usr/bin/openvpn-gui",), False),
        (("",), False),
    ],
)
def test_an_exporter_is_known_by_its_command_line(
    command: tuple[str, ...], *, is_exporter: bool
) -> None:
    holder = SlotHolder(os.getpid(), command)
    assert holder.is_exporter is is_exporter
    assert holder.name == ("openvpn-exporter" if is_exporter else Path(command[0]).name)
