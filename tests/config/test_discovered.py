"""A configuration that names OpenVPN's own files."""

from pathlib import Path

import pytest

from exporter.config import Config, ConfigError, DaemonConfig, SlotPolicy, from_flags
from exporter.config.loader import load
from exporter.management.endpoint import ListenEndpoint, TcpEndpoint, UnixEndpoint
from exporter.openvpn_config import Kind

DATA = Path(__file__).parents[1] / "data" / "openvpn"

SERVER = "server 10.8.0.0 255.255.255.0\nmanagement 127.0.0.1 7505\n"


def write(directory: Path, text: str, **configs: str) -> Path:
    """Write OpenVPN configurations and a configuration that discovers them; return its path."""
    for name, content in configs.items():
        (directory / f"{name}.conf").write_text(content)
    path = directory / "config.yaml"
    path.write_text(f"discover: ['*.conf']\n{text}")
    return path


def problem_lines(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def only_daemon(config: Config) -> DaemonConfig:
    (daemon,) = config.daemons
    return daemon


def describe(config: Config, directory: Path) -> str:
    """Return the monitored daemons and all findings as text."""
    daemons = [f"{daemon.name}: {daemon.management}\n" for daemon in config.daemons]
    findings = [
        f"{'!' if finding.blocks else '?'} {finding.daemon}: {finding.kind}: {finding}\n"
        for finding in config.findings
    ]
    return "".join(daemons + findings).replace(f"{directory}/", "")


def test_daemons_and_findings_of_a_directory_with_all_kinds_of_configurations(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"discover: [{DATA}/server/*.conf, {DATA}/client/*.conf]\nexpected_from_ccd: true\n"
    )
    expected = (DATA / "discovered.expected").read_text(encoding="utf-8")
    assert describe(load(path), DATA) == expected


def test_discovered_daemon_has_the_values_of_its_configuration(tmp_path: Path) -> None:
    text = "management a.sock unix secret\nmode server\nmax-clients 7\nclient-config-dir ccd\n"
    text += "status a.log\n"
    (tmp_path / "ccd").mkdir()
    (tmp_path / "ccd" / "oslo").touch()
    (tmp_path / "secret").write_text("s3cret\n")
    daemon = only_daemon(load(write(tmp_path, "expected_from_ccd: true\n", office=text)))
    assert daemon.name == "office"
    assert daemon.management == UnixEndpoint(f"{tmp_path}/a.sock")
    assert daemon.password_file == tmp_path / "secret"
    assert daemon.status_file == tmp_path / "a.log"
    assert daemon.max_clients == 7
    assert daemon.expected_clients == ("oslo",)
    assert daemon.slot is SlotPolicy.HOLD
    assert daemon.openvpn_config is not None
    assert daemon.openvpn_config.file == tmp_path / "office.conf"


def test_clients_of_the_ccd_are_expected_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "ccd").mkdir()
    (tmp_path / "ccd" / "oslo").touch()
    daemon = only_daemon(load(write(tmp_path, "", office=f"{SERVER}client-config-dir ccd\n")))
    assert daemon.expected_clients == ()


def test_entry_of_the_same_name_overrides_single_keys(tmp_path: Path) -> None:
    entry = "daemons: [{name: office, timeout: 5s, max_clients: 9}, {name: b, management: 'b:1'}]"
    office, other = load(write(tmp_path, entry, office=SERVER)).daemons
    assert office.management == TcpEndpoint("127.0.0.1", 7505)
    assert (office.timeout, office.max_clients) == (5.0, 9)
    assert office.openvpn_config is not None
    assert other.openvpn_config is None


def test_entry_without_an_address_needs_a_discovered_one(tmp_path: Path) -> None:
    path = write(tmp_path, "daemons: [{name: headquarters}]\n", office=SERVER)
    assert problem_lines(path) == [
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
def test_unresolved_key_is_required_in_an_entry(tmp_path: Path, key: str, text: str) -> None:
    path = write(tmp_path, "daemons: [{name: office}]\n", office=text)
    (problem,) = problem_lines(path)
    assert problem.startswith(f"config.yaml:2: daemons[0].{key}: must be set here: office.conf")


def test_entry_resolves_a_finding(tmp_path: Path) -> None:
    text = "management 127.0.0.1 7600\nmanagement-client\nserver 10.8.0.0 255.255.255.0\n"
    entry = "daemons: [{name: office, management: 'listen:127.0.0.1:7600'}]\n"
    config = load(write(tmp_path, entry, office=text))
    assert only_daemon(config).management == ListenEndpoint("127.0.0.1", 7600)
    assert only_daemon(config).max_clients == 1024
    assert config.findings == ()


def test_harmful_disconnect_is_accepted_with_hold_but_not_with_release(tmp_path: Path) -> None:
    text = f"{SERVER}management-signal\nmanagement-forget-disconnect\n"
    path = write(tmp_path, "daemons:\n  - name: office\n    slot: hold\n", office=text)
    assert only_daemon(load(path)).slot is SlotPolicy.HOLD
    assert load(path).findings == ()
    path = write(tmp_path, "daemons:\n  - name: office\n    slot: release\n", office=text)
    problems = problem_lines(path)
    assert len(problems) == 2
    for problem, name in zip(problems, ("signal", "forget-disconnect"), strict=True):
        assert problem.startswith(
            "config.yaml:4: daemons[0].slot: release disconnects after each poll:"
        )
        assert f"`management-{name}`" in problem


def test_release_is_accepted_without_a_harmful_disconnect(tmp_path: Path) -> None:
    path = write(tmp_path, "daemons: [{name: office, slot: release}]\n", office=SERVER)
    assert only_daemon(load(path)).slot is SlotPolicy.RELEASE


def test_warnings_of_a_daemon_with_an_entry_are_reported(tmp_path: Path) -> None:
    text = f"{SERVER}management-client-auth\n"
    config = load(write(tmp_path, "daemons: [{name: office}]\n", office=text))
    (finding,) = config.findings
    assert (finding.daemon, finding.kind) == ("office", Kind.PROMPT_OWNER)


def test_two_entries_with_the_same_discovered_address_are_refused(tmp_path: Path) -> None:
    entries = "daemons: [{name: office}, {name: b, management: '127.0.0.1:7505'}]\n"
    (problem,) = problem_lines(write(tmp_path, entries, office=SERVER))
    assert "127.0.0.1:7505 is already used at daemons[0].management" in problem


def test_discovered_daemon_with_the_address_of_an_entry_is_skipped(tmp_path: Path) -> None:
    entry = "daemons: [{name: mine, management: '127.0.0.1:7505'}]\n"
    config = load(write(tmp_path, entry, office=SERVER))
    assert only_daemon(config).name == "mine"
    (finding,) = config.findings
    assert (finding.daemon, finding.kind) == ("office", Kind.DUPLICATE_ADDRESS)
    assert "is already monitored as 'mine'" in finding.text


def test_unreadable_ccd_is_a_finding_that_a_list_resolves(tmp_path: Path) -> None:
    text = f"{SERVER}client-config-dir ccd\n"
    config = load(write(tmp_path, "expected_from_ccd: true\n", office=text))
    assert only_daemon(config).expected_clients == ()
    (finding,) = config.findings
    assert (finding.daemon, finding.kind) == ("office", Kind.CLIENT_CONFIG_DIR)
    entry = "expected_from_ccd: true\ndaemons: [{name: office, expected_clients: [oslo]}]\n"
    config = load(write(tmp_path, entry, office=text))
    assert only_daemon(config).expected_clients == ("oslo",)
    assert config.findings == ()


@pytest.mark.parametrize("content", [None, "", "\nsecond\n", "a\tb\n"])
def test_unusable_password_file_is_a_warning_and_the_daemon_is_monitored(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_text(content)
    (tmp_path / "good").write_text("s3cret\n")
    text = "mode server\nmanagement ::1 1 secret\n"
    config = load(write(tmp_path, "", office=text))
    assert only_daemon(config).password_file == tmp_path / "secret"
    (finding,) = config.findings
    assert (finding.daemon, finding.kind, finding.blocks) == (
        "office",
        Kind.MANAGEMENT_PASSWORD,
        False,
    )
    entry = "daemons: [{name: office, password_file: good}]\n"
    assert load(write(tmp_path, entry, office=text)).findings == ()


def test_no_daemon_is_needed_with_discover(tmp_path: Path) -> None:
    config = load(write(tmp_path, ""))
    assert config.daemons == ()
    assert [finding.kind for finding in config.findings] == [Kind.NO_MATCH]


def test_each_load_reads_all_files(tmp_path: Path) -> None:
    path = write(tmp_path, "", office=SERVER)
    assert [daemon.name for daemon in load(path).daemons] == ["office"]
    write(tmp_path, "", office=SERVER.replace("7505", "7506"), branch=SERVER)
    branch, office = load(path).daemons
    assert (branch.name, office.management) == ("branch", TcpEndpoint("127.0.0.1", 7506))


@pytest.mark.parametrize("pattern", ["''", '"a\\x1b"', "' '"])
def test_invalid_pattern_is_refused(tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"discover: [{pattern}]\n")
    (problem,) = problem_lines(path)
    assert problem.startswith("config.yaml:1: discover[0]:")
    assert problem.endswith("is no pattern: write one such as /etc/openvpn/server/*.conf")


def test_problems_of_the_top_level_are_reported_once(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("discover: 7\nexpected_from_ccd: 7\nnonsense: 1\n")
    assert [problem.split(": ")[1] for problem in problem_lines(path)] == [
        "discover",
        "expected_from_ccd",
        "nonsense",
    ]


def test_problem_of_the_top_level_does_not_hide_those_of_discovered_daemons(tmp_path: Path) -> None:
    path = write(tmp_path, "nonsense: 1\ndaemons: [{name: office}]\n", office=SERVER)
    (problem,) = problem_lines(path)
    assert problem.startswith("config.yaml:2: nonsense: is an unknown key")


def test_pattern_may_have_options_of_a_service_manager(tmp_path: Path) -> None:
    (tmp_path / "office.conf").write_text("server 10.8.0.0 255.255.255.0\n")
    path = tmp_path / "config.yaml"
    path.write_text(
        "discover:\n"
        "  - pattern: '*.conf'\n"
        "    options: --management /run/%i.sock unix --status status-%i.log\n"
        "  - client/*.conf\n"
        "  - {pattern: '*.ovpn', allow_empty: true}\n"
    )
    config = load(path)
    daemon = only_daemon(config)
    assert daemon.name == f"{tmp_path.name}/office"
    assert daemon.management == UnixEndpoint("/run/office.sock")
    assert daemon.status_file == tmp_path / "status-office.log"
    (finding,) = config.findings
    assert (finding.kind, finding.location) == (Kind.NO_MATCH, f"{tmp_path}/client/*.conf")


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ("[{options: --verb 3}]", "discover[0].pattern: is missing: add it"),
        ("[{pattern: a, pattern: b}]", "discover[0].pattern: is set twice: keep one"),
        ("[{pattern: a, option: b}]", "discover[0].option: is an unknown key: did you mean"),
        ("[{pattern: a, options: --verb %x}]", "discover[0].options: %x is unknown: use %i"),
        ("[{pattern: a, options: --status}]", "discover[0].options: `status` has too few"),
        ("[{pattern: a, allow_empty: 7}]", "discover[0].allow_empty: '7' is no boolean"),
        ("[a, {pattern: a}]", "a is already used at discover[0].pattern: use another"),
        ("[a, a]", "a is already used at discover[0].pattern: use another"),
        ("[[a]]", "discover[0]: must be a section with keys: pattern, options, allow_empty"),
    ],
)
def test_invalid_item_of_discover_is_refused(tmp_path: Path, items: str, problem: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"discover: {items}\n")
    assert problem in problem_lines(path)[0]


def test_two_discovered_daemons_with_one_address_need_an_entry(tmp_path: Path) -> None:
    config = load(write(tmp_path, "", office=SERVER, branch=SERVER, other=SERVER + "verb 3"))
    assert config.daemons == ()
    assert [finding.kind for finding in config.findings] == [Kind.DUPLICATE_ADDRESS] * 3
    entries = "daemons: [{name: office, management: '127.0.0.1:7506'}]\n"
    config = load(write(tmp_path, entries, office=SERVER, branch=SERVER, other="client\n"))
    assert only_daemon(config).name == "office"
    assert [finding.daemon for finding in config.findings] == ["branch", "other"]


def test_daemons_with_equal_names_are_skipped_also_beside_an_entry(tmp_path: Path) -> None:
    for name in ("a/vpn", "b/vpn"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "office.conf").write_text(SERVER)
    path = tmp_path / "config.yaml"
    text = "discover: [a/vpn/*.conf, b/vpn/*.conf]\n"
    for entry in ("", "daemons: [{name: vpn/office, management: '127.0.0.1:1'}]\n"):
        path.write_text(text + entry)
        config = load(path)
        assert [daemon.max_clients for daemon in config.daemons] == ([None] if entry else [])
        kinds = [finding.kind for finding in config.findings]
        assert kinds.count(Kind.DUPLICATE_NAME) == 2


def test_flags_discover_daemons(tmp_path: Path) -> None:
    write(tmp_path, "", office=SERVER, broken="status '")
    config = from_flags(["a:1"], [str(tmp_path / "*.conf")])
    assert [daemon.name for daemon in config.daemons] == ["a:1", "office"]
    assert [finding.kind for finding in config.findings] == [Kind.SYNTAX_ERROR]


def test_daemon_without_a_management_interface_is_monitored_by_its_status_file(
    tmp_path: Path,
) -> None:
    entry = "daemons: [{name: office, status_file: status.log}]\n"
    config = load(write(tmp_path, entry, office="client\nstatus status.log\n"))
    assert (only_daemon(config).management, only_daemon(config).status_file) == (
        None,
        tmp_path / "status.log",
    )
    assert config.findings == ()


def test_two_entries_with_the_same_status_file_are_refused(tmp_path: Path) -> None:
    entries = "daemons: [{name: a, status_file: a.log}, {name: b, status_file: a.log}]\n"
    (problem,) = problem_lines(write(tmp_path, entries))
    assert "a.log is already used at daemons[0].status_file" in problem


def test_address_flag_does_not_get_the_name_of_a_discovered_daemon(tmp_path: Path) -> None:
    write(tmp_path, "", office=SERVER)
    config = from_flags(["unix:/run/office.sock"], [str(tmp_path / "*.conf")])
    assert [(daemon.name, str(daemon.management)) for daemon in config.daemons] == [
        ("unix:/run/office.sock", "unix:/run/office.sock"),
        ("office", "127.0.0.1:7505"),
    ]
