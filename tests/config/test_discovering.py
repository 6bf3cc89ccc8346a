"""A configuration that names OpenVPN's own files."""

from pathlib import Path

import pytest

from exporter.config import Config, ConfigError, DaemonConfig, SlotPolicy, from_flags, load
from exporter.management.endpoint import ListenEndpoint, TcpEndpoint, UnixEndpoint
from exporter.openvpn_config import Kind

DATA = Path(__file__).parents[1] / "data" / "openvpn"

SERVER = "server 10.8.0.0 255.255.255.0\nmanagement 127.0.0.1 7505\n"


def write(directory: Path, text: str, **deployments: str) -> Path:
    """Write OpenVPN's configurations, and ours, which discovers them; give the path of ours."""
    for name, content in deployments.items():
        (directory / f"{name}.conf").write_text(content)
    path = directory / "config.yaml"
    path.write_text(f"discover: ['*.conf']\n{text}")
    return path


def refusals(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def only(config: Config) -> DaemonConfig:
    (daemon,) = config.daemons
    return daemon


def told(config: Config, directory: Path) -> str:
    """Give what is watched, and all that is to be said of it."""
    watched = [f"{daemon.name}: {daemon.management}\n" for daemon in config.daemons]
    remarks = [
        f"{'!' if finding.blocks else '?'} {finding.daemon}: {finding.kind}: {finding}\n"
        for finding in config.findings
    ]
    return "".join(watched + remarks).replace(f"{directory}/", "")


def test_a_directory_of_all_kinds_of_configurations_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"discover: [{DATA}/server/*.conf, {DATA}/client/*.conf]\nexpected_from_ccd: true\n"
    )
    expected = (DATA / "discovered.expected").read_text(encoding="utf-8")
    assert told(load(path), DATA) == expected


def test_a_discovered_daemon_has_what_its_configuration_says(tmp_path: Path) -> None:
    text = "management a.sock unix secret\nmode server\nmax-clients 7\nclient-config-dir ccd\n"
    text += "status a.log\n"
    (tmp_path / "ccd").mkdir()
    (tmp_path / "ccd" / "oslo").touch()
    (tmp_path / "secret").write_text("s3cret\n")
    daemon = only(load(write(tmp_path, "expected_from_ccd: true\n", office=text)))
    assert daemon.name == "office"
    assert daemon.management == UnixEndpoint(f"{tmp_path}/a.sock")
    assert daemon.password_file == tmp_path / "secret"
    assert daemon.status_file == tmp_path / "a.log"
    assert daemon.max_clients == 7
    assert daemon.expected_clients == ("oslo",)
    assert daemon.slot is SlotPolicy.HOLD
    assert daemon.openvpn_config is not None
    assert daemon.openvpn_config.file == tmp_path / "office.conf"


def test_clients_are_not_expected_unless_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ccd").mkdir()
    (tmp_path / "ccd" / "oslo").touch()
    daemon = only(load(write(tmp_path, "", office=f"{SERVER}client-config-dir ccd\n")))
    assert daemon.expected_clients == ()


def test_an_entry_of_the_same_name_wins_key_by_key(tmp_path: Path) -> None:
    entry = "daemons: [{name: office, timeout: 5s, max_clients: 9}, {name: b, management: 'b:1'}]"
    office, other = load(write(tmp_path, entry, office=SERVER)).daemons
    assert office.management == TcpEndpoint("127.0.0.1", 7505)
    assert (office.timeout, office.max_clients) == (5.0, 9)
    assert office.openvpn_config is not None
    assert other.openvpn_config is None


def test_an_entry_without_an_address_needs_a_discovered_one(tmp_path: Path) -> None:
    path = write(tmp_path, "daemons: [{name: headquarters}]\n", office=SERVER)
    assert refusals(path) == [
        "config.yaml:2: daemons[0].management: is missing: add it, or status_file"
    ]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("management", "client\n"),
        ("management", "management tunnel 1\n"),
        ("management", "management a 1\nmanagement-client\n"),
        ("management", 'status "\n'),
        ("password_file", "management ::1 1 stdin\n"),
        ("slot", "management ::1 1\nmanagement-signal\n"),
    ],
)
def test_what_only_the_operator_can_say_is_demanded_of_an_entry(
    tmp_path: Path, key: str, text: str
) -> None:
    path = write(tmp_path, "daemons: [{name: office}]\n", office=text)
    (problem,) = refusals(path)
    assert problem.startswith(f"config.yaml:2: daemons[0].{key}: must be set here: office.conf")


def test_an_entry_settles_what_stood_in_the_way(tmp_path: Path) -> None:
    text = "management 127.0.0.1 7600\nmanagement-client\nserver 10.8.0.0 255.255.255.0\n"
    entry = "daemons: [{name: office, management: 'listen:127.0.0.1:7600'}]\n"
    config = load(write(tmp_path, entry, office=text))
    assert only(config).management == ListenEndpoint("127.0.0.1", 7600)
    assert only(config).max_clients == 1024
    assert config.findings == ()


def test_leaving_that_hurts_can_be_accepted_but_not_after_each_poll(tmp_path: Path) -> None:
    text = f"{SERVER}management-signal\nmanagement-forget-disconnect\n"
    path = write(tmp_path, "daemons:\n  - name: office\n    slot: hold\n", office=text)
    assert only(load(path)).slot is SlotPolicy.HOLD
    assert load(path).findings == ()
    path = write(tmp_path, "daemons:\n  - name: office\n    slot: release\n", office=text)
    problems = refusals(path)
    assert len(problems) == 2
    for problem, name in zip(problems, ("signal", "forget-disconnect"), strict=True):
        assert problem.startswith(
            "config.yaml:4: daemons[0].slot: release disconnects after each poll:"
        )
        assert f"`management-{name}`" in problem


def test_release_is_fine_where_leaving_hurts_nobody(tmp_path: Path) -> None:
    path = write(tmp_path, "daemons: [{name: office, slot: release}]\n", office=SERVER)
    assert only(load(path)).slot is SlotPolicy.RELEASE


def test_warnings_of_a_daemon_with_an_entry_are_told_too(tmp_path: Path) -> None:
    text = f"{SERVER}management-client-auth\n"
    config = load(write(tmp_path, "daemons: [{name: office}]\n", office=text))
    (finding,) = config.findings
    assert (finding.daemon, finding.kind) == ("office", Kind.PROMPT_OWNER)


def test_two_entries_may_not_come_to_the_same_address(tmp_path: Path) -> None:
    entries = "daemons: [{name: office}, {name: b, management: '127.0.0.1:7505'}]\n"
    (problem,) = refusals(write(tmp_path, entries, office=SERVER))
    assert "127.0.0.1:7505 is already used at daemons[0].management" in problem


def test_an_address_that_is_watched_already_is_not_watched_twice(tmp_path: Path) -> None:
    entry = "daemons: [{name: mine, management: '127.0.0.1:7505'}]\n"
    config = load(write(tmp_path, entry, office=SERVER))
    assert only(config).name == "mine"
    (finding,) = config.findings
    assert (finding.daemon, finding.kind) == ("office", Kind.DUPLICATE_ADDRESS)
    assert "is already monitored as 'mine'" in finding.text


def test_a_ccd_that_cannot_be_read_is_told_and_settled_by_a_list(tmp_path: Path) -> None:
    text = f"{SERVER}client-config-dir ccd\n"
    config = load(write(tmp_path, "expected_from_ccd: true\n", office=text))
    assert only(config).expected_clients == ()
    (finding,) = config.findings
    assert (finding.daemon, finding.kind) == ("office", Kind.CLIENT_CONFIG_DIR)
    entry = "expected_from_ccd: true\ndaemons: [{name: office, expected_clients: [oslo]}]\n"
    config = load(write(tmp_path, entry, office=text))
    assert only(config).expected_clients == ("oslo",)
    assert config.findings == ()


@pytest.mark.parametrize("content", [None, "", "two\nlines\n"])
def test_a_password_file_that_cannot_be_used_is_told_and_the_daemon_watched(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_text(content)
    (tmp_path / "good").write_text("s3cret\n")
    text = "mode server\nmanagement ::1 1 secret\n"
    config = load(write(tmp_path, "", office=text))
    assert only(config).password_file == tmp_path / "secret"
    (finding,) = config.findings
    assert (finding.daemon, finding.kind, finding.blocks) == (
        "office",
        Kind.MANAGEMENT_PASSWORD,
        False,
    )
    entry = "daemons: [{name: office, password_file: good}]\n"
    assert load(write(tmp_path, entry, office=text)).findings == ()


def test_no_daemon_is_needed_where_some_may_be_discovered(tmp_path: Path) -> None:
    config = load(write(tmp_path, ""))
    assert config.daemons == ()
    assert [finding.kind for finding in config.findings] == [Kind.NO_MATCH]


def test_everything_is_read_anew_each_time(tmp_path: Path) -> None:
    path = write(tmp_path, "", office=SERVER)
    assert [daemon.name for daemon in load(path).daemons] == ["office"]
    write(tmp_path, "", office=SERVER.replace("7505", "7506"), branch=SERVER)
    branch, office = load(path).daemons
    assert (branch.name, office.management) == ("branch", TcpEndpoint("127.0.0.1", 7506))


@pytest.mark.parametrize("pattern", ["''", '"a\\x1b"', "' '"])
def test_a_pattern_must_be_one(tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"discover: [{pattern}]\n")
    (problem,) = refusals(path)
    assert problem.startswith("config.yaml:1: discover[0]:")
    assert problem.endswith("is no pattern: write one such as /etc/openvpn/server/*.conf")


def test_problems_of_the_top_level_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("discover: 7\nexpected_from_ccd: 7\nnonsense: 1\n")
    assert [problem.split(": ")[1] for problem in refusals(path)] == [
        "discover",
        "expected_from_ccd",
        "nonsense",
    ]


def test_another_problem_of_the_top_level_does_not_hide_what_is_discovered(tmp_path: Path) -> None:
    path = write(tmp_path, "nonsense: 1\ndaemons: [{name: office}]\n", office=SERVER)
    (problem,) = refusals(path)
    assert problem.startswith("config.yaml:2: nonsense: is an unknown key")


def test_flags_discover_as_well(tmp_path: Path) -> None:
    write(tmp_path, "", office=SERVER, broken="status '")
    config = from_flags(["a:1"], [str(tmp_path / "*.conf")])
    assert [daemon.name for daemon in config.daemons] == ["a:1", "office"]
    assert [finding.kind for finding in config.findings] == [Kind.SYNTAX_ERROR]


def test_a_daemon_without_an_interface_can_be_watched_by_its_status_file(tmp_path: Path) -> None:
    entry = "daemons: [{name: office, status_file: status.log}]\n"
    config = load(write(tmp_path, entry, office="client\nstatus status.log\n"))
    assert (only(config).management, only(config).status_file) == (None, tmp_path / "status.log")
    assert config.findings == ()


def test_two_entries_may_not_name_the_same_status_file(tmp_path: Path) -> None:
    entries = "daemons: [{name: a, status_file: a.log}, {name: b, status_file: a.log}]\n"
    (problem,) = refusals(write(tmp_path, entries))
    assert "a.log is already used at daemons[0].status_file" in problem


def test_an_address_among_the_flags_takes_no_discovered_daemons_name(tmp_path: Path) -> None:
    write(tmp_path, "", office=SERVER)
    config = from_flags(["unix:/run/office.sock"], [str(tmp_path / "*.conf")])
    assert [(daemon.name, str(daemon.management)) for daemon in config.daemons] == [
        ("unix:/run/office.sock", "unix:/run/office.sock"),
        ("office", "127.0.0.1:7505"),
    ]
