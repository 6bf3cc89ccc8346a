import os
import pwd
from pathlib import Path

import pytest

from exporter.openvpn_config import Discovery, Kind, Pattern, patterns, running_user, search
from exporter.openvpn_config import discover as discover_patterns
from tests.openvpn_config.fixtures import write

MANAGEMENT = "management 127.0.0.1 7505\n"


def discover(
    texts: list[str], directory: Path, *, user: str | None = None, clients: bool = False
) -> Discovery:
    return discover_patterns(list(map(Pattern, texts)), directory, user=user, clients=clients)


def names(found: Discovery) -> list[str]:
    return [each.name for each in found.daemons]


def kinds(found: Discovery) -> list[Kind]:
    return [finding.kind for finding in found.findings]


@pytest.mark.parametrize(
    ("texts", "file", "name"),
    [
        (["server/*.conf"], "server/office.conf", "office"),
        (["*/config.ovpn"], "server1/config.ovpn", "server1"),
        (["*/*.conf"], "server/office.conf", "server/office"),
        (["server/vpn-*.conf"], "server/vpn-office.conf", "office"),
        (["server/vpn-*-?.conf"], "server/vpn-office-2.conf", "office-2"),
        (["tun[0-9].conf"], "tun7.conf", "7"),
        (["server/*"], "server/office.conf", "office"),
        (["server/*"], "server/office.txt", "office.txt"),
        (["server/*"], "server/office.ovpn", "office"),
        (["server/office.ovpn"], "server/office.ovpn", "office"),
        (["server/.conf"], "server/.conf", ".conf"),
        (["server/office*.conf"], "server/office.conf", "office"),
        (["server/office.conf"], "server/office.conf", "office"),
        (["server/*.conf", "client/*.conf"], "server/office.conf", "server/office"),
        (["client/*.conf", "server/*.conf"], "server/office.conf", "server/office"),
        (["vpn/*/config.ovpn", "*.conf"], "vpn/server1/config.ovpn", "vpn/server1"),
        (["server/office.conf", "*.conf"], "server/office.conf", "server/office"),
        (["server/../server/*.conf", "*.conf"], "server/office.conf", "server/office"),
    ],
)
def test_name_is_what_the_wildcards_cover(
    tmp_path: Path, texts: list[str], file: str, name: str
) -> None:
    write(tmp_path, MANAGEMENT, file)
    assert names(discover(texts, tmp_path)) == [name]


def test_name_does_not_depend_on_which_files_exist(tmp_path: Path) -> None:
    write(tmp_path, MANAGEMENT, "server1/config.ovpn")
    assert names(discover(["*/config.ovpn"], tmp_path)) == ["server1"]
    write(tmp_path, MANAGEMENT, "server2/config.ovpn")
    assert names(discover(["*/config.ovpn"], tmp_path)) == ["server1", "server2"]


def test_daemons_are_in_the_order_of_the_patterns(tmp_path: Path) -> None:
    for name in ("b.conf", "a.ovpn", "c.d.conf", "a.txt", ".hidden.conf"):
        write(tmp_path, f"management {name} unix\n", name)
    found = discover(["*.ovpn", str(tmp_path / "*.conf")], tmp_path)
    assert [daemon.file.name for daemon in found.daemons] == ["a.ovpn", "b.conf", "c.d.conf"]
    assert found.findings == ()


def test_equal_names_are_a_finding_and_none_of_them_is_monitored(tmp_path: Path) -> None:
    for index, name in enumerate(("a/server/office.conf", "b/server/office.conf", "c/x.conf")):
        write(tmp_path, f"management ::1 {index + 1}\n", name)
    found = discover(["a/server/*.conf", "b/server/*.conf", "c/*.conf"], tmp_path)
    assert names(found) == ["server/office", "server/office", "c/x"]
    first, second, other = found.daemons
    for daemon, rival in ((first, "b"), (second, "a")):
        (finding,) = daemon.findings
        assert (finding.kind, finding.blocks) == (Kind.DUPLICATE_NAME, True)
        assert f"{tmp_path}/{rival}/server/office.conf has the same name" in finding.text
    assert other.findings == ()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a\tb.conf", r"a\x09b"),
        (" a .conf", "a"),
        ("\udcff.conf", r"\udcff"),
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
    assert len(found.name) == patterns.NAME_LIMIT


def test_file_that_matches_twice_is_one_daemon_named_by_its_own_path(tmp_path: Path) -> None:
    write(tmp_path, MANAGEMENT, "server/office.conf")
    found = discover(["*.conf", "server/*", "*/office.conf"], tmp_path)
    assert names(found) == ["server/office"]
    (tmp_path / "link.conf").symlink_to("server/office.conf")
    assert names(discover(["*.conf", "server/*", "*/office.conf"], tmp_path)) == ["server/office"]
    assert names(discover(["*.conf"], tmp_path)) == ["link"]


def test_included_file_is_no_daemon(tmp_path: Path) -> None:
    write(tmp_path, "config ../parts/common.conf\n", "server/office.conf")
    write(tmp_path, MANAGEMENT, "parts/common.conf")
    assert names(discover(["*/*.conf"], tmp_path)) == ["server/office"]


def test_unusable_address_does_not_affect_other_daemons(tmp_path: Path) -> None:
    write(tmp_path, "management 127.0.0.1 no-such-service\n", "broken.conf")
    write(tmp_path, MANAGEMENT, "office.conf")
    assert names(discover(["*.conf"], tmp_path)) == ["broken", "office"]


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
    monkeypatch.setattr(search, "MAX_FILES", 2)
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
    write(tmp_path, "management ::1 1\nclient-config-dir gone\n", "branch.conf")
    branch, office = discover(["*.conf"], tmp_path, clients=True).daemons
    assert (office.ccd_clients, office.findings) == (("oslo",), ())
    assert branch.ccd_clients == ()
    assert [finding.kind for finding in branch.findings] == [Kind.CLIENT_CONFIG_DIR]
    assert not branch.blocked
    branch, office = discover(["*.conf"], tmp_path).daemons
    assert office.ccd_clients == ()
    assert branch.findings == ()


def test_shared_status_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, f"{MANAGEMENT}status {tmp_path}/status.log\n", "a.conf")
    write(tmp_path, "status status.log 10\n", "b.conf")
    write(tmp_path, "status own.log\n", "c.conf")
    files = {}
    for found in discover(["*"], tmp_path).daemons:
        assert found.config
        shared = Kind.SHARED_STATUS_FILE in {finding.kind for finding in found.findings}
        files[found.name] = (found.config.status_file, shared)
    assert files == {"a": (None, True), "b": (None, True), "c": (tmp_path / "own.log", False)}


def test_null_device_is_no_status_file(tmp_path: Path) -> None:
    (tmp_path / "none").symlink_to(os.devnull)
    for index, name in enumerate((os.devnull, "none", "../../../../../../../../dev/null")):
        text = f"management ::1 {index + 1}\nstatus {name} 10\n"
        write(tmp_path, text, f"{index}.conf")
    for found in discover(["*.conf"], tmp_path).daemons:
        assert found.config
        assert found.config.status_file is None
        assert found.findings == ()


@pytest.mark.parametrize(
    ("first", "second", "blocked"),
    [
        ("/run/x.sock unix", "/run/x.sock unix", "a b"),
        ("a.sock unix", "./link/a.sock unix", "a b"),
        ("127.0.0.1 7505", "localhost 7505", "a b"),
        ("127.0.0.1 7505", "0.0.0.0 7505", "a b"),
        ("192.0.2.1 7505", "0.0.0.0 7505", "a b"),
        ("127.0.0.1 7505", "127.0.0.1 7505 secret", "a b"),
        ("127.0.0.1 7505", "127.0.0.1 7506", ""),
        ("127.0.0.1 7505", "::1 7505", ""),
        ("127.0.0.1 7505", "192.0.2.1 7505", ""),
        ("a.sock unix", "b.sock unix", ""),
        ("127.0.0.1 7505", "127.0.0.1 7505\nmanagement-client", ""),
    ],
)
def test_neither_of_two_daemons_with_one_management_address_is_monitored(
    tmp_path: Path, first: str, second: str, blocked: str
) -> None:
    (tmp_path / "link").symlink_to(".")
    write(tmp_path, f"client\nmanagement {first}\n", "a.conf")
    write(tmp_path, f"management {second}\nserver 10.8.0.0 255.255.255.0\n", "b.conf")
    found = discover(["*.conf"], tmp_path).daemons
    findings = {
        daemon.name: finding
        for daemon in found
        for finding in daemon.findings
        if finding.kind is Kind.DUPLICATE_ADDRESS
    }
    assert list(findings) == blocked.split()
    if findings:
        assert all(daemon.blocked for daemon in found)
        assert str(findings["a"]).startswith(f"{tmp_path}/a.conf:2: {tmp_path}/b.conf has the same")
        assert str(findings["b"]).startswith(f"{tmp_path}/b.conf:1: {tmp_path}/a.conf has the same")


def test_running_user_is_the_name_of_the_effective_user() -> None:
    assert running_user() == pwd.getpwuid(os.geteuid()).pw_name


def test_running_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 987654)
    assert running_user() == "987654"
