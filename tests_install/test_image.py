"""The image without Docker: its build carried out in a system with its Python, then its program.

Not carried out: the pull of the base, and the layers.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.dockerfile import stages
from tests_install import openvpn
from tests_install.chroot import ROOT, Chroot, clean_system
from tests_install.service import Service
from tests_install.unit import assert_monitored

SOURCE = "/root/openvpn-exporter"
SOCKETS = "/run/openvpn-management"
IMAGE = stages(ROOT / "Dockerfile")[-1]
USER, GROUP = IMAGE.one("USER").split(":")


@pytest.fixture(scope="module")
def container(source_archive: Path) -> Iterator[Chroot]:
    """Debian 13, whose Python is that of the image, with what the first stage builds in /opt."""
    with clean_system("trixie") as system:
        shutil.copy(source_archive, system / "root")
        system.script(f"""
            apt-get update
            apt-get install --no-install-recommends openssl openvpn python-is-python3 python3-venv
            mkdir {SOURCE}
            tar --extract --strip-components=1 --file={source_archive.name} --directory={SOURCE}
            cd {SOURCE}
            python3 -m tests.deploy.dockerfile /
            groupadd --system vpn-monitoring
            install --directory --mode=0750 --group=vpn-monitoring {SOCKETS}
        """)
        config = system / "etc/openvpn-exporter/config.yaml"
        config.parent.mkdir()
        shutil.copy(ROOT / "deploy" / "compose" / "exporter.yaml", config)
        openvpn.configure(system, f"management {SOCKETS}/office.sock unix")
        yield system


def start(system: Chroot, *groups: str) -> Service:
    """Run ENTRYPOINT and CMD as the image's user, with no capability, as `docker run` does."""
    variables = IMAGE.one("ENV").replace("$PATH", "/usr/bin:/bin").split()
    become = [f"--reuid={USER}", f"--regid={GROUP}", "--bounding-set=-all", "--no-new-privs"]
    become.append(f"--groups={','.join(groups)}" if groups else "--clear-groups")
    command = [*json.loads(IMAGE.one("ENTRYPOINT")), *json.loads(IMAGE.one("CMD"))]
    return system.start("setpriv", *become, "env", *variables, *command)


def test_daemon_of_the_host_is_monitored_with_the_group_of_its_sockets(container: Chroot) -> None:
    group = container.script(f"stat --format %g {SOCKETS}").split()[-1]
    with openvpn.start(container), start(container, group) as exporter:
        exporter.wait_for("daemon is up")
        assert_monitored(container)
        assert health(container) == 0


def test_without_the_group_the_log_says_what_to_do(container: Chroot) -> None:
    with openvpn.start(container), start(container) as exporter:
        exporter.wait_for("reason=permission")


def test_health_check_fails_without_the_exporter(container: Chroot) -> None:
    assert health(container) != 0


def health(system: Chroot) -> int:
    """Return the exit code of HEALTHCHECK."""
    command = json.loads(IMAGE.one("HEALTHCHECK").partition("CMD ")[2])
    shell = 'code=0; "$@" 2>/dev/null || code=$?; echo $code'
    return int(system.run("bash", "-c", shell, "bash", *command, network=False).split()[-1])
