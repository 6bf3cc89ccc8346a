"""The copy of a CA's index: the units as they are written, with the paths of a directory.

The copy is read as a user who has no access to the CA.
"""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.units import SYSTEMD, Unit
from tests.real.easy_rsa import EasyRsa

NOBODY = 65_534
PATH = Unit(SYSTEMD / "openvpn-exporter-index.path")
SERVICE = Unit(SYSTEMD / "openvpn-exporter-index.service")
DOCS = SYSTEMD.parents[1] / "docs" / "client-certificates.md"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@dataclass(frozen=True, slots=True)
class Host:
    """A directory that stands for the root of a host with a CA."""

    root: Path
    easy_rsa: EasyRsa

    def here(self, text: str) -> str:
        """Return text with the paths of the host in this directory."""
        return text.replace("/etc/", f"{self.root}/etc/").replace("/var/", f"{self.root}/var/")

    def start_service(self) -> None:
        """Do what systemd does: create the state directory, run each command."""
        state = Path(self.here("/var/lib")) / SERVICE.value("Service", "StateDirectory")
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(int(SERVICE.value("Service", "StateDirectoryMode"), 8))
        os.chown(state, 0, NOBODY)
        for command in SERVICE.values("Service", "ExecStart"):
            subprocess.run(  # noqa: S603 -- the commands of the unit
                shlex.split(self.here(command)),
                check=True,
                group=NOBODY,  # which stands for the group of the exporter
            )

    def as_exporter(self, *command: str) -> str:
        """Run a command as the exporter's user; return its output, or that it was denied."""
        words = [self.here(word) for word in command]
        done = subprocess.run(  # noqa: S603 -- the commands of the documentation
            words,
            capture_output=True,
            text=True,
            check=False,
            user=NOBODY,
            group=NOBODY,
            extra_groups=(),
        )
        assert done.returncode == 0 or "Permission denied" in done.stderr, done.stderr
        return done.stdout if done.returncode == 0 else "denied"


@pytest.fixture
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        pki = root / "etc" / "easy-rsa" / "pki"
        pki.parent.mkdir(parents=True)
        (root / "var" / "lib").mkdir(parents=True)
        easy_rsa = EasyRsa.create(pki)
        easy_rsa.run("build-client-full", "alice", "nopass")
        yield Host(root, easy_rsa)


def documented() -> Sequence[list[str]]:
    """Return the commands that the documentation runs as the exporter's user."""
    prefix = "    sudo -u openvpn-exporter "
    lines = DOCS.read_text().splitlines()
    return [shlex.split(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]


@needs_root
def test_exporter_can_read_the_copy_and_nothing_of_the_ca(host: Host) -> None:
    host.start_service()
    cat, ls = documented()
    assert host.as_exporter(*cat) == host.easy_rsa.index.read_text()
    assert host.as_exporter(*ls) == "denied"
    for path in ("pki/index.txt", "pki/private/ca.key", "pki/private/alice.key", "pki"):
        assert host.as_exporter("cat", f"/etc/easy-rsa/{path}") == "denied"


@needs_root
def test_next_certificate_is_in_the_next_copy(host: Host) -> None:
    host.start_service()
    host.easy_rsa.run("build-client-full", "bob", "nopass")
    host.easy_rsa.run("revoke", "alice")
    host.start_service()
    cat, _ = documented()
    assert host.as_exporter(*cat) == host.easy_rsa.index.read_text()
    assert "/CN=bob" in host.as_exporter(*cat)
    state = Path(host.here("/var/lib/openvpn-exporter"))
    assert [path.name for path in state.iterdir()] == ["index.txt"]


def test_path_unit_watches_the_file_that_the_service_copies() -> None:
    copy, move = (shlex.split(command) for command in SERVICE.values("Service", "ExecStart"))
    assert PATH.value("Path", "PathChanged") == copy[-2]
    assert move[1] == copy[-1]
    assert f"pki: {{index: {move[2]}}}" in DOCS.read_text()
