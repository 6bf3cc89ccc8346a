"""`--openvpn.status-file`: names, patterns, errors, and reloads."""

import os
from pathlib import Path

import pytest

from exporter.config import Config, ConfigError, check_losses, check_not_empty, from_flags
from exporter.config.status_file_flag import FLAG
from exporter.openvpn_config import Kind, search


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def watched(*values: str, **other: list[str]) -> dict[str, str]:
    """Return the status files, relative to the present directory, by daemon."""
    config = from_flags(status_files=values, **other)
    return {
        daemon.name: os.path.relpath(daemon.status_file)
        for daemon in config.daemons
        if daemon.status_file
    }


def problems(*values: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        from_flags(status_files=values)
    assert {problem.source for problem in caught.value.problems} == {FLAG}
    return [problem.text for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("run/office.status", "office"),
        ("run/openvpn-status.log", "openvpn-status"),
        ("run/office.example.net", "office.example.net"),
        ("hq=run/office.status", "hq"),
        ("site/hq=run/office.status", "site/hq"),
        ("./a=b.log", "a=b"),
    ],
)
def test_path_is_a_daemon_named_after_its_file_or_as_written(value: str, name: str) -> None:
    """The file may appear later, as with `status_file`."""
    path = value.partition("=")[2] if name.endswith("hq") else value.removeprefix("./")
    assert watched(value) == {name: path}


def test_the_path_of_an_absolute_file_may_contain_an_equals_sign(directory: Path) -> None:
    assert watched(f"{directory}/a=b.log") == {"a=b": "a=b.log"}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("run/status-*.log", {"office", "lisbon"}),
        ("run/status-*", {"office", "lisbon"}),
        ("*/status-*.log", {"run/office", "run/lisbon"}),
    ],
)
def test_daemons_of_a_pattern_have_the_name_that_its_wildcards_cover(
    pattern: str, names: set[str]
) -> None:
    touch("run/status-office.log", "run/status-lisbon.log", "run/other.log")
    assert set(watched(pattern)) == names


def test_names_of_several_patterns_begin_with_the_directory_as_in_discovery() -> None:
    touch("a/x.status", "b/x.status")
    assert watched("a/*.status", "b/*.status") == {"a/x": "a/x.status", "b/x": "b/x.status"}


def test_a_named_path_is_not_one_of_a_pattern() -> None:
    touch("run/a.log", "run/b.log")
    Path("run/c.log").symlink_to("a.log")
    assert watched("run/*.log", "hq=run/a.log") == {"hq": "run/a.log", "b": "run/b.log"}


def test_name_is_for_one_file() -> None:
    touch("run/a.log")
    assert watched("hq=run/*.log") == {"hq": "run/a.log"}
    touch("run/b.log")
    assert problems("hq=run/*.log") == [
        "hq=run/*.log matches 2 files: name one, or remove the name"
    ]


def test_every_problem_is_reported() -> None:
    touch("a/x.log", "b/x.log")
    first, second = (Path(name).absolute() for name in ("a/x.log", "b/x.log"))
    long = "x" * 65
    hint = "write text, 1 to 64 printable characters, without blanks at its ends"
    assert problems(
        "=a", "", " ", f"{long}=a", "hq=", "b\n", "a/x.log", "b/x.log", "n=c", "m=c"
    ) == [
        "'=a' has no name: write NAME=PATH, or the path alone",
        "'' is no path: write PATH or NAME=PATH",
        "' ' is no path: write PATH or NAME=PATH",
        f"'{long}' is not valid: {hint}",
        "'hq=' is no path: write PATH or NAME=PATH",
        r"'b\n' is no path: write PATH or NAME=PATH",
        f"{Path('c').absolute()} is given twice: keep one",
        f"{first} and {second} have the same name 'x': write NAME=PATH",
    ]


def test_problems_of_both_flags_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        from_flags(["nowhere"], status_files=["=a"])
    assert [problem.source for problem in caught.value.problems] == ["--openvpn.management", FLAG]


def test_socket_with_the_name_of_a_status_file_has_its_whole_address() -> None:
    config = from_flags(["unix:/run/office.sock"], status_files=["office.log"])
    assert [daemon.name for daemon in config.daemons] == ["unix:/run/office.sock", "office"]


def test_discovered_daemon_keeps_its_name() -> None:
    Path("office.conf").write_text("management 127.0.0.1 7505\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="has the name of a discovered daemon, 'office'"):
        from_flags(patterns=["*.conf"], status_files=["office.log"])


def test_daemon_that_discovery_skips_is_monitored_by_its_status_file() -> None:
    Path("office.conf").write_text("dev tun\n", encoding="utf-8")
    config = from_flags(patterns=["*.conf"], status_files=["office.log"])
    assert [daemon.name for daemon in config.daemons] == ["office"]
    assert config.findings == ()


def test_pattern_without_a_match_is_a_finding_and_an_error_without_another_daemon() -> None:
    config = from_flags(["a:1"], status_files=["run/*.log", "hq=x/*"])
    assert [(finding.kind, finding.location) for finding in config.findings] == [
        (Kind.NO_MATCH, "run/*.log"),
        (Kind.NO_MATCH, "x/*"),
    ]
    check_not_empty(config)
    with pytest.raises(ConfigError, match=r"run/\*.log: no file matches: correct the pattern$"):
        check_not_empty(from_flags(status_files=["run/*.log"]))


def test_files_beyond_the_limit_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_FILES", 1)
    touch("a.log", "b.log")
    config = from_flags(status_files=["*.log"])
    assert len(config.daemons) == 1
    assert [(finding.kind, finding.location) for finding in config.findings] == [
        (Kind.TOO_MANY_FILES, FLAG)
    ]


class TestReload:
    def loaded(self) -> Config:
        return from_flags(status_files=["run/*.log"])

    def test_deleted_file_is_a_removal_and_a_new_one_is_added(self) -> None:
        touch("run/a.log", "run/b.log")
        old = self.loaded()
        Path("run/b.log").unlink()
        touch("run/c.log")
        check_losses(old, new := self.loaded())
        assert [daemon.name for daemon in new.daemons] == ["a", "c"]

    def test_pattern_that_no_longer_matches_is_an_error(self) -> None:
        touch("run/a.log")
        old = self.loaded()
        Path("run/a.log").unlink()
        with pytest.raises(ConfigError, match="no file matches"):
            check_losses(old, self.loaded())

    def test_directory_that_cannot_be_searched_any_more_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        touch("run/a.log")
        old = self.loaded()
        scan = os.scandir

        def refuse(path: str) -> object:
            if path.endswith("/run"):
                raise PermissionError(13, os.strerror(13))
            return scan(path)

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(ConfigError, match="cannot search it: Permission denied"):
            check_losses(old, self.loaded())
