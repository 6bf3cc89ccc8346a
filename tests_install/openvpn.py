"""A real OpenVPN server in a chroot, started as Debian's unit does it, drop-ins included."""

import shlex

from tests.deploy.units import Unit
from tests_install.chroot import ROOT, Chroot
from tests_install.service import Service

NAME = "office"
PACKAGED = "usr/lib/systemd/system/openvpn-server@.service"
DROP_INS = "etc/systemd/system/openvpn-server@.service.d"
SERVER = ROOT / "deploy" / "compose" / "openvpn" / "server.conf"


def configure(system: Chroot, management: str = "") -> None:
    """Write the server of the Compose example, with another line for its management interface."""
    directory = system / "etc/openvpn/server"
    lines = [line for line in SERVER.read_text().splitlines() if "management" not in line]
    (directory / f"{NAME}.conf").write_text("\n".join([*lines, management]) + "\n")
    if not (directory / "server.crt").exists():
        names = ["-subj", f"/CN={NAME}", "-keyout", "server.key", "-out", "server.crt"]
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
        request = ["openssl", "req", "-x509", *new_key, *names]
        system.run(*request, directory="/etc/openvpn/server")


def start(system: Chroot) -> Service:
    """Run the ExecStart that systemd would run, in its directory."""
    files = [system / PACKAGED, *sorted((system / DROP_INS).glob("*.conf"))]
    commands = [value for file in files for value in Unit(file).values("Service", "ExecStart")]
    directory = Unit(files[0]).value("Service", "WorkingDirectory")
    (system / "run/openvpn-server").mkdir(exist_ok=True)
    words = shlex.split(commands[-1].replace("%i", NAME).replace("%t", "/run"))
    service = system.start(*words, directory=directory)
    service.wait_for("Initialization Sequence Completed")
    return service
