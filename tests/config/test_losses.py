"""A reload with discovery: what is a removal, and what is an error."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.config import Config, ConfigError, check_losses, check_not_empty
from exporter.config.loader import load
from exporter.openvpn_config import units

MANAGEMENT = (
    "management {name}.sock unix\nserver 10.8.0.0 255.255.255.0\nclient-config-dir ../ccd\n"
)
Change = Callable[[Path], object]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that discovers three daemons."""
    monkeypatch.setattr(units, "UNIT_DIRECTORIES", [tmp_path / "units"])
    known = {str(tmp_path / "server"): ("openvpn-server@", "openvpn --config %i.conf")}
    monkeypatch.setattr(units, "_UNITS", known)
    for name in ("ccd", "server", "site1", "site2"):
        (tmp_path / name).mkdir()
    (tmp_path / "ccd" / "oslo").touch()
    for name in ("server/office", "server/branch", "site1/config"):
        (tmp_path / f"{name}.conf").write_text(MANAGEMENT.format(name=tmp_path / name))
    path = tmp_path / "config.yaml"
    write(path)
    return path


def write(path: Path, text: str = "", **keys: str) -> None:
    patterns = ["server/*.conf", "site*/config.conf", *keys.values()]
    path.write_text(f"discover: [{', '.join(patterns)}]\nexpected_from_ccd: true\n{text}")


def reload(path: Path, change: Change) -> Config:
    old = load(path)
    assert len(old.daemons) == 3
    change(path.parent)
    new = load(path)
    check_losses(old, new)
    return new


def names(config: Config) -> list[str]:
    return [daemon.name for daemon in config.daemons]


def make_loop(directory: Path) -> None:
    """Replace a directory by a link that the kernel refuses to follow."""
    directory.rename(directory.with_name("moved"))
    directory.symlink_to(directory)


def make_directory(file: Path) -> None:
    """Replace a file by something that can't be read."""
    if file.exists():
        file.unlink()
    file.mkdir(parents=True)


def make_dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda root: make_loop(root / "server"), "server: cannot search it: Too many levels"),
        (lambda root: make_loop(root / "site1"), "site1/config.conf: cannot search it: Too many"),
        (
            lambda root: make_directory(root / "server/office.conf"),
            "server/office.conf: server/office: cannot read the file: Is a directory",
        ),
        (
            lambda root: make_dangling(root / "server/office.conf"),
            "server/office.conf: server/office: cannot read the file: No such file",
        ),
        (
            lambda root: (root / "server/office.conf").write_text("config gone\n"),
            "server/office.conf:1: server/office: cannot read",
        ),
        (
            lambda root: (root / "server/office.conf").write_text("status '\n"),
            "server/office.conf:1: server/office: OpenVPN refuses this line",
        ),
        (
            lambda root: (root / "site1/config.conf").unlink(),
            "site*/config.conf: no file matches",
        ),
        (
            lambda root: (root / "site1").rename(root / "moved"),
            "site*/config.conf: no file matches",
        ),
        (lambda root: (root / "ccd").rename(root / "moved"), "ccd: server/branch: cannot read the"),
        (
            lambda root: make_directory(root / "units/openvpn-server@.service"),
            "units/openvpn-server@.service: server/branch: cannot read",
        ),
    ],
)
def test_what_was_monitored_and_can_not_be_read_any_more_fails_the_reload(
    path: Path, change: Change, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        reload(path, change)
    texts = [str(each).replace(f"{path.parent}/server/../", "") for each in caught.value.problems]
    assert texts[0].replace(f"{path.parent}/", "").startswith(problem)


@pytest.mark.parametrize("error", [13, 5])
def test_permission_and_input_output_errors_fail_the_reload(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    scandir = os.scandir

    def failing(directory: str | Path) -> object:
        if str(directory).endswith("/server"):
            raise OSError(error, os.strerror(error), str(directory))
        return scandir(directory)

    with pytest.raises(ConfigError, match=rf"/server: cannot search it: {os.strerror(error)}"):
        reload(path, lambda _: monkeypatch.setattr(os, "scandir", failing))


def test_deleted_file_is_a_removal(path: Path) -> None:
    config = reload(path, lambda root: (root / "server/office.conf").unlink())
    assert names(config) == ["server/branch", f"{path.parent.name}/1"]


def test_changes_on_purpose_are_no_error(path: Path) -> None:
    def change(root: Path) -> None:
        make_loop(root / "site1")
        path.write_text("discover: [server/*.conf]\n")
        (root / "server/office.conf").write_text("client\n")

    assert names(reload(path, change)) == ["branch"]


def test_empty_pattern_is_no_error_if_allowed_or_new(path: Path) -> None:
    def change(root: Path) -> None:
        (root / "site1/config.conf").unlink()
        text = "discover: [server/*.conf, {pattern: site*/config.conf, allow_empty: true}, a/*]\n"
        path.write_text(text)

    assert names(reload(path, change)) == ["server/branch", "server/office"]


def test_unreadable_file_that_was_never_monitored_is_no_error(path: Path) -> None:
    make_directory(path.parent / "server/other.conf")
    make_loop(path.parent / "site2")
    config = reload(path, lambda root: make_directory(root / "server/another.conf"))
    assert len(config.daemons) == 3


def test_directory_without_a_monitored_file_may_become_unreadable(path: Path) -> None:
    def change(root: Path) -> None:
        make_loop(root / "site2")
        (root / "server/office.conf").unlink()

    assert len(reload(path, change).daemons) == 2


def test_entry_that_sets_the_address_does_not_hide_an_unreadable_file(path: Path) -> None:
    write(path, "daemons: [{name: server/office, management: '127.0.0.1:1'}]\n")
    with pytest.raises(ConfigError, match="server/office: cannot read the file"):
        reload(path, lambda root: make_directory(root / "server/office.conf"))


def test_entry_of_an_unreadable_file_is_skipped_at_the_start(path: Path) -> None:
    write(path, "daemons: [{name: server/office, timeout: 5s}, {name: site/1, timeout: 5s}]\n")
    make_directory(path.parent / "server/office.conf")
    make_loop(path.parent / "site1")
    config = load(path)
    check_not_empty(config)
    assert names(config) == ["server/branch"]
    skipped = {finding.daemon for finding in config.findings if finding.blocks}
    assert skipped == {"server/office", "site/1"}


def test_start_fails_if_nothing_can_be_monitored(path: Path) -> None:
    make_loop(path.parent / "server")
    (path.parent / "site1/config.conf").unlink()
    with pytest.raises(ConfigError) as caught:
        check_not_empty(load(path))
    texts = [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]
    assert texts[0] == "no daemon to monitor"
    assert texts[1].startswith("server: cannot search it")
    assert texts[2].startswith("site*/config.conf: no file matches")


def test_start_without_a_file_is_accepted_where_that_is_normal(path: Path) -> None:
    path.write_text("discover: [{pattern: nothing/*.conf, allow_empty: true}]\n")
    config = load(path)
    check_not_empty(config)
    assert (config.daemons, config.findings) == ((), ())
