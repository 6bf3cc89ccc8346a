"""The exporter in a chroot: as its unit starts it, and as a command starts it.

Only the program, its flags and its user come from the unit: no sandbox, no limits.
"""

import shlex
import signal
from pathlib import Path
from typing import Self

from tests.deploy.units import Unit
from tests_install.chroot import Chroot

NAME = "openvpn-exporter.service"
DIRECTORIES = ("etc/systemd/system", "usr/lib/systemd/system")
PORT = 9176


class ExporterService:
    """The exporter as its unit runs it."""

    def __init__(self, system: Chroot) -> None:
        unit = Unit(next(path for name in DIRECTORIES if (path := system / name / NAME).exists()))
        user = unit.value("Service", "User")
        directory = f"/run/{unit.value('Service', 'RuntimeDirectory')}"
        system.run("install", "--directory", f"--owner={user}", directory)
        environment = system / unit.value("Service", "EnvironmentFile").removeprefix("-")
        command = unit.value("Service", "ExecStart").replace("$OPTIONS", options(environment))
        self._system = system
        self._unit = unit
        self.program = system.start(*shlex.split(command), user=user)
        self.program.wait_for("msg=serving")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.__exit__()

    def reload(self) -> None:
        """Do what ExecReload does; return after the reload."""
        program, *arguments = shlex.split(self._unit.value("Service", "ExecReload"))
        assert arguments == ["-HUP", "$MAINPID"]
        assert (self._system / program).exists(), f"ExecReload needs {program}"
        self.program.send(signal.SIGHUP)
        self.program.wait_for("configuration reloaded")

    def stop(self) -> int:
        return self.program.stop()


def options(environment_file: Path) -> str:
    """Return the value of OPTIONS in a file like /etc/default/openvpn-exporter."""
    lines = environment_file.read_text().splitlines() if environment_file.exists() else []
    values = [line.partition("=")[2] for line in lines if line.startswith("OPTIONS=")]
    return shlex.split(values[-1])[0] if values else ""


def metrics(system: Chroot) -> str:
    """Get the metrics of the exporter that runs in a system, with nothing but Python."""
    url = f"http://127.0.0.1:{PORT}/metrics"
    program = f"import urllib.request as r; print(r.urlopen({url!r}).read().decode())"
    return system.run("python3", "-c", program, network=False)


def assert_monitored(system: Chroot) -> None:
    """Require that the server of a system is up, and its state known."""
    page = metrics(system)
    assert 'openvpn_up{daemon="office"} 1' in page
    assert 'openvpn_state{daemon="office",state="CONNECTED"} 1' in page
