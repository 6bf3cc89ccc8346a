"""The Compose file and the files that it mounts."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.cli import options
from exporter.config.loader import load
from exporter.management.endpoint import UnixEndpoint
from tests.deploy.dockerfile import ROOT, stages

HERE = ROOT / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((HERE / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HOST: dict[str, Any] = yaml.safe_load((HERE / "host.yaml").read_text())["services"]["exporter"]
PORT = options.DEFAULT_ADDRESS
SOCKETS = "/run/openvpn-management"


def mounts(service: str) -> dict[str, str]:
    """Return what is mounted, by its place in the container."""
    volumes = (volume.split(":") for volume in SERVICES[service]["volumes"])
    return {place: source for source, place, *_ in volumes}


def test_every_mounted_file_exists() -> None:
    sources = {source for service in SERVICES for source in mounts(service).values()}
    paths = {source for source in sources if source.startswith(".")}
    assert [path for path in paths if not (HERE / path).exists()] == []
    assert sources - paths == set(COMPOSE["volumes"])


def test_every_build_has_a_dockerfile() -> None:
    builds = [service["build"] for service in SERVICES.values() if "build" in service]
    assert [build for build in builds if not (HERE / build / "Dockerfile").exists()] == []
    assert (HERE / SERVICES["exporter"]["build"]).resolve() == ROOT


def test_every_image_has_an_exact_version() -> None:
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    assert all(re.search(r":v?\d+\.\d+\.\d+$", image) for image in images)


def test_only_the_port_of_the_vpn_is_published_on_all_addresses() -> None:
    published = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert published.pop("openvpn") == ["1194:1194/udp"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_the_exporter_has_no_capabilities_and_a_read_only_file_system() -> None:
    exporter = SERVICES["exporter"]
    assert exporter["read_only"] is True
    assert exporter["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in exporter["security_opt"]
    assert "user" not in exporter  # that of the image


class TestHost:
    """The exporter alone, for OpenVPN on the host."""

    def test_differs_from_the_complete_example_in_volumes_and_group_only(self) -> None:
        own = {"group_add", "volumes"}
        assert {key: HOST[key] for key in HOST if key not in own} == {
            key: value
            for key, value in SERVICES["exporter"].items()
            if key not in {"depends_on", "volumes"}
        }

    def test_has_the_group_that_its_comment_computes(self) -> None:
        (variable,) = re.findall(r"\$\{(\w+):\?", HOST["group_add"][0])
        assert (
            f"#   {variable}=$(stat --format %g {SOCKETS}) docker compose"
            in (HERE / "host.yaml").read_text()
        )

    def test_mounts_the_directories_that_the_documents_name(self) -> None:
        places = {volume.split(":")[1]: volume.split(":")[0] for volume in HOST["volumes"]}
        assert places == {path: path for path in (SOCKETS, "/etc/openvpn-exporter")}


def test_prometheus_scrapes_the_port_of_the_exporter() -> None:
    assert SERVICES["exporter"]["ports"] == [f"127.0.0.1{PORT}{PORT}"]
    prometheus = yaml.safe_load((HERE / "prometheus.yml").read_text())
    (job,) = prometheus["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"exporter{PORT}"]}]
    (manager,) = prometheus["alerting"]["alertmanagers"]
    (target,) = manager["static_configs"][0]["targets"]
    assert target.partition(":")[0] in SERVICES


def test_promtool_accepts_the_mounted_configuration(tmp_path: Path) -> None:
    files = {Path(place): source for place, source in mounts("prometheus").items()}
    for place, source in files.items():
        if place.parent == Path("/etc/prometheus"):
            (tmp_path / place.name).write_text(read(source))
    (flag,) = [flag for flag in SERVICES["prometheus"]["command"] if "config.file" in flag]
    config = tmp_path / Path(flag.partition("=")[2]).name
    done = subprocess.run(["promtool", "check", "config", config], capture_output=True, check=False)  # noqa: S603, S607
    assert done.returncode == 0, done.stderr.decode()
    assert "2 rule files found" in done.stdout.decode()


def read(source: str) -> str:
    return (HERE / source).read_text()


def test_grafana_finds_its_dashboards() -> None:
    mounted = mounts("grafana")
    provisioning = HERE / mounted["/etc/grafana/provisioning"]
    (path,) = provisioning.glob("dashboards/*.y*ml")
    (provider,) = yaml.safe_load(path.read_text())["providers"]
    assert provider["options"]["path"] in mounted


def test_grafana_finds_prometheus() -> None:
    provisioning = HERE / mounts("grafana")["/etc/grafana/provisioning"]
    (path,) = provisioning.glob("datasources/*.y*ml")
    (source,) = yaml.safe_load(path.read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"


class TestManagement:
    @pytest.fixture
    def socket(self) -> str:
        source = mounts("exporter")["/etc/openvpn-exporter/config.yaml"]
        (daemon,) = load(HERE / source).daemons
        assert isinstance(daemon.management, UnixEndpoint)
        return daemon.management.path

    def test_is_the_socket_of_openvpn(self, socket: str) -> None:
        (directive,) = re.findall(
            r"^management (\S+) unix$", read("openvpn/server.conf"), re.MULTILINE
        )
        assert directive == socket

    def test_is_in_a_volume_of_both_for_one_group(self, socket: str) -> None:
        directory = str(Path(socket).parent)
        assert mounts("exporter")[directory] == mounts("openvpn")[directory] == "management"
        options = COMPOSE["volumes"]["management"]["driver_opts"]["o"].split(",")
        _, group = stages(ROOT / "Dockerfile")[-1].one("USER").split(":")
        assert {"mode=0750", f"gid={group}"} <= set(options)


class TestOpenvpn:
    def test_is_started_by_an_executable_script(self) -> None:
        (stage,) = stages(HERE / "openvpn" / "Dockerfile")
        *copied, _ = stage.one("COPY").split()
        assert [path for path in copied if not (HERE / "openvpn" / path).exists()] == []
        assert stage.one("ENTRYPOINT") == '["/start"]'
        assert os.access(HERE / "openvpn" / "start", os.X_OK)

    def test_writes_its_certificate_where_it_reads_it(self) -> None:
        (stage,) = stages(HERE / "openvpn" / "Dockerfile")
        assert stage.one("WORKDIR") in mounts("openvpn")
        named = re.findall(r"^(?:ca|cert|key) (\S+)$", read("openvpn/server.conf"), re.MULTILINE)
        assert set(named) == {"server.crt", "server.key"}
        assert [name for name in named if name not in read("openvpn/start")] == []
