"""The chroots in which the other checks run."""

import signal
from pathlib import Path

import pytest

from tests_install.chroot import CACHE, Chroot, CommandFailed, clean_system


def test_system_is_the_named_release(system: Chroot) -> None:
    assert f"VERSION_CODENAME={system.root.name}\n" in (system / "etc/os-release").read_text()


def test_command_that_fails_is_reported_with_its_output(system: Chroot) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)exit code 1.*/missing"):
        system.script("cat /missing; echo not reached")


def test_started_program_is_reached_without_a_network_only(
    system: Chroot, unused_tcp_port: int
) -> None:
    listen = f'IO::Socket::INET->new(LocalAddr => "127.0.0.1:{unused_tcp_port}", Listen => 1)'
    program = f"$|=1; $l = {listen}; say 'ready'; $l->accept while 1"
    listener = system.start("perl", "-MIO::Socket::INET", "-E", program)
    listener.wait_for("ready")
    connect = f"exec 3<>/dev/tcp/127.0.0.1/{unused_tcp_port}"
    system.script(connect, network=False)
    with pytest.raises(CommandFailed, match="Connection refused"):
        system.script(connect)
    assert listener.stop() == -signal.SIGTERM


def test_nothing_is_left_of_a_system() -> None:
    with clean_system("bookworm") as system:
        system.start("sleep", "infinity")
        home = system.root.parent
        assert home.parent == CACHE
    assert not home.exists()
    assert str(home) not in Path("/proc/mounts").read_text()
