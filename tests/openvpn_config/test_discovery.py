import os
import pwd
from pathlib import Path

import pytest

from exporter.openvpn_config import Discovery, Kind, discover, discovery, running_user
from tests.openvpn_config.fixtures import write

MANAGEMENT = "management 127.0.0.1 7505\n"


def names(found: Discovery) -> list[str]:
    return [each.name for each in found.daemons]


def kinds(found: Discovery) -> list[Kind]:
    return [finding.kind for finding in found.findings]


def test_daemons_are_named_after_their_files_in_the_order_of_the_patterns(tmp_path: Path) -> None:
    for name in ("b.conf", "a.ovpn", "c.d.conf", "a.txt"):
        write(tmp_path, MANAGEMENT, name)
    found = discover(["*.ovpn", str(tmp_path / "*.conf")], tmp_path)
    assert names(found) == ["a", "b", "c.d"]
    assert found.findings == ()


def test_equal_names_get_their_directories_and_a_warning(tmp_path: Path) -> None:
    for name in ("server/office.conf", "client/office.conf", "client/home.conf"):
        write(tmp_path, MANAGEMENT, name)
    one_way = discover(["server/*", "client/*"], tmp_path)
    assert names(one_way) == ["server/office", "home", "client/office"]
    assert kinds(one_way) == [Kind.DUPLICATE_NAME, Kind.DUPLICATE_NAME]
    assert sorted(names(discover(["client/*", "server/*"], tmp_path))) == sorted(names(one_way))


def test_equal_names_and_directories_get_the_whole_path(tmp_path: Path) -> None:
    for name in ("a/server/office.conf", "b/server/office.conf", "c/office.conf"):
        write(tmp_path, MANAGEMENT, name)
    found = names(discover(["*/office.conf", "*/*/office.conf"], tmp_path))
    assert found[0] == "c/office"
    assert len(set(found)) == 3
    assert all(len(name) <= discovery.NAME_LIMIT for name in found)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a\tb.conf", "a\ufffdb"),
        (" a .conf", "a"),
        ("\udcff.conf", "\ufffd"),
        (" .conf", "unnamed"),
        ("Büro 2.conf", "Büro 2"),
    ],
)
def test_name_is_a_valid_label_value(tmp_path: Path, file: str, name: str) -> None:
    write(tmp_path, MANAGEMENT, file)
    (found,) = discover(["*"], tmp_path).daemons
    assert found.name == name


def test_long_name_is_truncated(tmp_path: Path) -> None:
    write(tmp_path, MANAGEMENT, f"{'x' * 200}.conf")
    (found,) = discover(["*"], tmp_path).daemons
    assert len(found.name) == discovery.NAME_LIMIT


def test_file_that_matches_twice_is_one_daemon(tmp_path: Path) -> None:
    write(tmp_path, MANAGEMENT, "server/office.conf")
    (tmp_path / "link.conf").symlink_to("server/office.conf")
    assert names(discover(["server/*", "*/office.conf", "*.conf"], tmp_path)) == ["office"]


def test_included_file_is_no_daemon(tmp_path: Path) -> None:
    write(tmp_path, "config ../parts/common.conf\n", "server/office.conf")
    write(tmp_path, MANAGEMENT, "parts/common.conf")
    assert names(discover(["*/*.conf"], tmp_path)) == ["office"]


def test_unusable_file_does_not_affect_other_daemons(tmp_path: Path) -> None:
    write(tmp_path, 'status "\n', "broken.conf")
    write(tmp_path, MANAGEMENT, "office.conf")
    (tmp_path / "directory.conf").mkdir()
    broken, directory, office = discover(["*"], tmp_path).daemons
    assert [finding.kind for finding in broken.findings] == [Kind.SYNTAX_ERROR]
    assert [finding.kind for finding in directory.findings] == [Kind.UNREADABLE]
    assert broken.config is None
    assert broken.blocked
    assert not office.blocked


def test_pattern_without_a_match_is_a_finding(tmp_path: Path) -> None:
    found = discover(["*.conf", "/nowhere/*"], tmp_path)
    assert found.daemons == ()
    assert [str(finding).partition(":")[0] for finding in found.findings] == [
        "*.conf",
        "/nowhere/*",
    ]


def test_two_stars_match_one_level(tmp_path: Path) -> None:
    write(tmp_path, MANAGEMENT, "a/b/c/office.conf")
    assert names(discover(["**/office.conf"], tmp_path)) == []


def test_files_beyond_the_limit_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "MAX_FILES", 2)
    for name in ("a.conf", "b.conf", "c.conf"):
        write(tmp_path, MANAGEMENT, name)
    found = discover(["*"], tmp_path)
    assert names(found) == ["a", "b"]
    assert kinds(found) == [Kind.TOO_MANY_FILES]


def test_user_of_the_exporter_is_checked(tmp_path: Path) -> None:
    write(tmp_path, "management a unix\nmanagement-client-user nobody\n")
    (found,) = discover(["*"], tmp_path, user="somebody").daemons
    assert [finding.kind for finding in found.findings] == [Kind.CLIENT_USER_MISMATCH]


def test_name_of_any_bytes_is_printable(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff\x1b.conf", os.O_CREAT))
    (found,) = discover(["*"], tmp_path).daemons
    (finding,) = found.findings
    assert str(finding).isprintable()


def test_clients_of_a_server_are_read_on_request(tmp_path: Path) -> None:
    write(tmp_path, "", "ccd/oslo")
    write(tmp_path, f"{MANAGEMENT}client-config-dir ccd\n", "office.conf")
    write(tmp_path, f"{MANAGEMENT}client-config-dir gone\n", "branch.conf")
    branch, office = discover(["*.conf"], tmp_path, clients=True).daemons
    assert (office.expected_clients, office.findings) == (("oslo",), ())
    assert branch.expected_clients == ()
    assert [finding.kind for finding in branch.findings] == [Kind.CLIENT_CONFIG_DIR]
    assert not branch.blocked
    branch, office = discover(["*.conf"], tmp_path).daemons
    assert office.expected_clients == ()
    assert branch.findings == ()


def test_shared_status_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, f"{MANAGEMENT}status {tmp_path}/status.log\n", "a.conf")
    write(tmp_path, "status status.log 10\n", "b.conf")
    write(tmp_path, "status own.log\n", "c.conf")
    files = {}
    for found in discover(["*"], tmp_path).daemons:
        assert found.config
        said = Kind.SHARED_STATUS_FILE in {finding.kind for finding in found.findings}
        files[found.name] = (found.config.status_file, said)
    assert files == {"a": (None, True), "b": (None, True), "c": (tmp_path / "own.log", False)}


def test_running_user_is_the_name_of_the_effective_user() -> None:
    assert running_user() == pwd.getpwuid(os.geteuid()).pw_name


def test_running_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 987654)
    assert running_user() == "987654"
