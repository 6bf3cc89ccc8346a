"""Clean Debian systems for tests: chroots made by debootstrap, and commands that run in them.

debootstrap makes a system once for each release, in `BASES`; delete a directory there to get a
newer one. Each test has a copy of its own. The mounts of a copy are in a mount namespace of its
own, so the kernel removes them with its last process.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests_install.service import Service

ROOT = Path(__file__).parents[1]
"""The checkout."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openvpn-exporter"
BASES = CACHE / "chroots"
APT_SETTINGS = ("Acquire::http", "Acquire::https", "Acquire::Check-")
PIP_FILES = ("etc/pip.conf", "etc/xdg/pip", "root/.config/pip")
CERTIFICATES = "/etc/host-certificates.crt"
"""The certificates of the host, apart from those of Debian's package."""

# What the kernel provides, as the systems of a container have it. The loopback interface is that
# of the second network namespace, for programs that must not reach the host's.
BOOT = """
set -e
ip link set lo up
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
read -r pid _ < /proc/self/stat
echo "$pid"
exec sleep infinity
"""


class CommandFailed(AssertionError):
    """A command in a chroot ended with another exit code than the expected one."""


class Chroot:
    """One running system. Paths of files are those of the host: `system / "etc/hosts"`."""

    def __init__(self, root: Path, target: int) -> None:
        self.root = root
        self._target = target
        self._services: list[Service] = []

    def __truediv__(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def run(
        self,
        *command: str | Path,
        directory: str = "/root",
        user: str = "root",
        network: bool = True,
        exit_code: int = 0,
    ) -> str:
        """Run a command to its end; return what it wrote, errors included.

        Without `network` it reaches only the programs that `start` started.
        """
        done = subprocess.run(
            self._entering(command, directory, user, network=network),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output = done.stdout.decode(errors="replace")
        if done.returncode != exit_code:
            text = f"{self.root.name}: {' '.join(map(str, command))}: exit code {done.returncode}"
            raise CommandFailed(f"{text}\n{output}")
        return output

    def script(self, text: str, *, directory: str = "/root", network: bool = True) -> str:
        """Run lines of a document in a shell that stops at the first error."""
        shell = ("bash", "-euxo", "pipefail", "-c", text)
        return self.run(*shell, directory=directory, network=network)

    def start(self, *command: str | Path, directory: str = "/", user: str = "root") -> Service:
        """Start a program in the namespace without a network."""
        service = Service(self._entering(command, directory, user, network=False), environment())
        self._services.append(service)
        return service

    def wait_for_services(self) -> None:
        for service in self._services:
            service.wait()

    def _entering(
        self, command: Sequence[str | Path], directory: str, user: str, *, network: bool
    ) -> list[str]:
        namespaces = ["--mount", "--pid", *([] if network else ["--net"])]
        enter = ["nsenter", f"--target={self._target}", *namespaces, "chroot", str(self.root)]
        become: list[str] = []
        if user != "root":
            become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return [*enter, "env", f"--chdir={directory}", *become, *map(str, command)]


@contextlib.contextmanager
def clean_system(release: str) -> Iterator[Chroot]:
    """Run a fresh copy of a release; delete it with its processes and mounts afterwards."""
    base = base_of(release)
    home = Path(tempfile.mkdtemp(prefix=f"{release}-", dir=CACHE))
    try:
        root = home / release
        subprocess.run(["cp", "--archive", base, root], check=True)
        with running(root) as system:
            yield system
    finally:
        shutil.rmtree(home)


@contextlib.contextmanager
def running(root: Path) -> Iterator[Chroot]:
    """Mount what the kernel provides, in namespaces that end with this context."""
    namespaces = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--net"]
    unshare = ["setpriv", "--pdeathsig=KILL", "unshare", *namespaces]  # ends if pytest is killed
    with subprocess.Popen(
        [*unshare, "sh", "-c", BOOT, "sh", root], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        system = Chroot(root, int(process.stdout.readline()))
        try:
            yield system
        finally:
            process.kill()  # and with it all that runs in its namespaces
            system.wait_for_services()


def base_of(release: str) -> Path:
    """Return the directory of a release; make it if there is none."""
    base = BASES / release
    if not base.exists():
        BASES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{release}-", dir=CACHE) as directory:
            made = Path(directory) / release
            debootstrap(release, made)
            copy_host_settings(made)
            made.rename(base)
    return base


def debootstrap(release: str, directory: Path) -> None:
    command: list[str | Path] = ["debootstrap", "--variant=minbase", release, directory]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(f"debootstrap {release}:\n{done.stdout[-2000:]}{done.stderr}")


def copy_host_settings(root: Path) -> None:
    """Let apt and pip reach their archives as they do on the host: proxies, certificates."""
    dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    settings = [line for line in dump.splitlines() if line.startswith(APT_SETTINGS)]
    # The release file of an archive's snapshot expires.
    settings.append('Acquire::Check-Valid-Until "false";')
    settings += ['APT::Get::Assume-Yes "true";', 'Acquire::Languages "none";']
    (root / "etc/apt/apt.conf.d/99host").write_text("\n".join(settings) + "\n")
    (root / "etc/dpkg/dpkg.cfg.d/host").write_text("force-unsafe-io\n")  # need not survive a crash
    for path in map(Path, ("/etc/resolv.conf", "/etc/hosts")):
        shutil.copy(path, root / path.relative_to("/"))
    for name in PIP_FILES:
        source, target = Path("/", name), root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    bundle = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    if Path(bundle).exists():
        shutil.copy(bundle, root / CERTIFICATES.lstrip("/"))


def environment() -> Mapping[str, str]:
    """Return the environment of commands: root's, with the host's settings of pip and proxies."""
    host = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy")
    }
    return host | {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/root/.local/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "SSL_CERT_FILE": CERTIFICATES,
        "PIP_CERT": CERTIFICATES,
    }
