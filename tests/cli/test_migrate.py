from pathlib import Path

import pytest
import yaml

from exporter.cli.main import main
from exporter.cli.migration import FLAGS, OtherFlag, Setting
from exporter.config import Config
from exporter.config.loader import load

DOCS = Path(__file__).parents[2] / "docs"

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def migrate(capsys: Capture, tmp_path: Path) -> "Migrate":
    return Migrate(capsys, tmp_path)


class Migrate:
    """Runs the command; `text` is what it printed, which loads as a configuration."""

    def __init__(self, capsys: Capture, directory: Path) -> None:
        self._capsys = capsys
        self._file = directory / "config.yaml"
        self.text = ""

    def __call__(self, *arguments: str) -> Config:
        assert main(["migrate", *arguments]) == 0
        self.text = self._capsys.readouterr().out
        self._file.write_text(self.text)
        return load(self._file)

    @property
    def command(self) -> str:
        return self.text.partition("\n")[0]

    def refusal(self, *arguments: str) -> str:
        """Return the error of arguments that are refused."""
        try:
            code = main(["migrate", *arguments])
        except SystemExit as ended:
            code = int(str(ended.code))
        assert code == 2
        return self._capsys.readouterr().err


def status_files(config: Config) -> dict[str, str]:
    return {daemon.name: str(daemon.status_file) for daemon in config.daemons}


def test_flags_of_kumina(migrate: Migrate) -> None:
    paths = "/run/openvpn/lisbon.status,/run/openvpn/oslo.log"
    config = migrate(
        "-openvpn.status_paths", paths, "-web.listen-address=127.0.0.1:9177", "-ignore.individuals"
    )
    assert status_files(config) == {
        "lisbon": "/run/openvpn/lisbon.status",
        "oslo": "/run/openvpn/oslo.log",
    }
    assert config.clients.series
    assert not config.clients.info
    assert migrate.command == (
        "# openvpn-exporter --config.file /etc/openvpn-exporter/config.yaml "
        "--web.listen-address 127.0.0.1:9177"
    )


def test_flags_of_natrontech(migrate: Migrate) -> None:
    flags = "--openvpn.status-files=/run/a.status --openvpn.ignore-individuals true"
    web = "--openvpn.listen-address :80 --openvpn.metrics-path /vpn --openvpn.loglevel debug"
    config = migrate(*flags.split(), *web.split())
    assert status_files(config) == {"a": "/run/a.status"}
    assert not config.clients.info
    assert migrate.command.endswith(
        "config.yaml --web.listen-address :80 --web.telemetry-path /vpn --log.level debug"
    )


def test_flags_of_patrickjahns(migrate: Migrate) -> None:
    files = "--status-file hq:/srv/1.status --status-file /srv/2.status,c:/srv/3.status"
    rest = "--disable-client-metrics --web.root / --enable-golang-metrics --log.level error"
    config = migrate(*files.split(), *rest.split())
    assert status_files(config) == {
        "hq": "/srv/1.status",
        "2": "/srv/2.status",
        "c": "/srv/3.status",
    }
    assert not config.clients.series
    assert migrate.command.endswith("config.yaml --log.level error")


@pytest.mark.parametrize(
    ("value", "info"),
    [("", False), ("=true", False), ("=T", False), ("=false", True), ("=0", True)],
)
def test_a_switch_has_the_truth_that_go_reads(migrate: Migrate, value: str, info: bool) -> None:  # noqa: FBT001
    config = migrate("-openvpn.status_paths=/a.status", f"-ignore.individuals{value}")
    assert config.clients.info is info


def test_defaults_are_not_written(migrate: Migrate) -> None:
    migrate("-openvpn.status_paths=/a.status")
    assert list(yaml.safe_load(migrate.text)) == ["daemons"]


@pytest.mark.parametrize("name", ["no", "12:30", "ü # x", "- a", "{{", "'\""])
def test_any_name_of_a_daemon_is_kept(migrate: Migrate, name: str) -> None:
    config = migrate("-openvpn.status_paths", f"{name}=/a.status")
    assert status_files(config) == {name: "/a.status"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("", "no status file"),
        ("-ignore.individuals", "no status file"),
        ("-openvpn.status_paths=/a/s.log,/b/s.log", "have the same name 's': write NAME=PATH"),
        ("-openvpn.status_paths=/a,/a", "is given twice"),
        ("-openvpn.status_paths=/a -ignore.individuals=x", "'x' is neither true nor false"),
        (
            "-openvpn.status_paths=/a -openvpn.loglevel=trace",
            "'trace' is no level: use one of debug",
        ),
        ("-openvpn.status_paths=/a -web.listen-address=x", "is not a listen address"),
        ("-openvpn.status_paths=/a -web.telemetry-path=/-/x", "is reserved"),
        ("-openvpn.status_paths=/a -unknown", "unrecognized arguments: -unknown"),
    ],
)
def test_what_cannot_be_replaced_is_an_error(migrate: Migrate, arguments: str, reason: str) -> None:
    assert reason in migrate.refusal(*arguments.split())


VALUES = {
    Setting.STATUS_FILES: "/a.status",
    Setting.NAMED_STATUS_FILES: "a:/a.status",
    Setting.NO_ADDRESSES: "true",
    Setting.NO_CLIENTS: "true",
    Setting.LISTEN_ADDRESS: ":9176",
    Setting.TELEMETRY_PATH: "/metrics",
    Setting.LOG_LEVEL: "info",
    Setting.ROOT: "/",
    Setting.PROCESS_METRICS: "true",
}


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
@pytest.mark.parametrize("hyphens", ["-", "--"])
def test_every_flag_is_taken(migrate: Migrate, flag: OtherFlag, hyphens: str) -> None:
    argument = f"{hyphens}{flag.name}={VALUES[flag.setting]}"
    assert "b" in status_files(migrate("-openvpn.status_paths=/b.status", argument))


def test_the_page_about_migration_has_every_flag() -> None:
    page = (DOCS / "migration.md").read_text()
    assert [flag.name for flag in FLAGS if f"-{flag.name}`" not in page] == []
