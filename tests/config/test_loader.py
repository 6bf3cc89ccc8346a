import grp
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import (
    ClientsConfig,
    Config,
    ConfigError,
    DaemonConfig,
    EventsConfig,
    Identity,
    PassThrough,
    Problem,
    SlotPolicy,
)
from exporter.config.loader import load
from exporter.config.types import Group
from exporter.management.endpoint import ListenEndpoint, TcpEndpoint, UnixEndpoint

DATA = Path(__file__).parents[1] / "data" / "config"
BAD_FILES = sorted(DATA.glob("bad-*.yaml"))

ONE_DAEMON = "daemons: [{name: office, management: '127.0.0.1:7505'}]\n"


def write(directory: Path, text: str) -> Path:
    path = directory / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.problems


def test_every_key_is_read_into_its_type() -> None:
    branches = ("branch-lisbon", "on", "007")
    assert load(DATA / "full.yaml") == Config(
        poll_interval=90.0,
        daemons=(
            DaemonConfig(
                name="office",
                management=UnixEndpoint("/run/openvpn/office.sock"),
                password_file=DATA / "good.password",
                timeout=0.5,
                slot=SlotPolicy.RELEASE,
                pass_through=PassThrough.TRUE,
                prompt_retry_interval=120.0,
                poll_interval=5.0,
                expected_clients=branches,
                max_clients=200,
            ),
            DaemonConfig(
                name="Büro 2", management=TcpEndpoint("::1", 7505), expected_clients=branches
            ),
            DaemonConfig(name="dials in", management=ListenEndpoint("127.0.0.1", 7600)),
        ),
        clients=ClientsConfig(
            series=False,
            info=False,
            routes=True,
            identity=Identity.USERNAME,
            forget_after=86400.0,
            limit=1,
        ),
        events=EventsConfig(log=False),
    )


def test_one_daemon_with_name_and_address_is_sufficient(tmp_path: Path) -> None:
    daemon = DaemonConfig(name="office", management=TcpEndpoint("127.0.0.1", 7505))
    assert load(write(tmp_path, ONE_DAEMON)) == Config(daemons=(daemon,))


def test_section_with_all_keys_commented_out_has_its_defaults(tmp_path: Path) -> None:
    config = load(write(tmp_path, f"{ONE_DAEMON}clients:\n  # limit: 5\n"))
    assert config.clients == ClientsConfig()


def test_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    assert load(write(tmp_path, f"\ufeff{ONE_DAEMON}")).daemons[0].name == "office"


def test_relative_password_file_starts_at_the_configuration_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "etc"
    directory.mkdir()
    (directory / "office.password").write_text("secret\n")
    text = "daemons: [{name: a, management: 'a:1', password_file: office.password}]"
    write(directory, text)
    monkeypatch.chdir(tmp_path)
    assert load(Path("etc/config.yaml")).daemons[0].password_file == Path("etc/office.password")


def test_absolute_password_file_stays_absolute(tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.write_text("secret")
    text = f"daemons: [{{name: a, management: 'a:1', password_file: {secret}}}]"
    directory = tmp_path / "etc"
    directory.mkdir()
    assert load(write(directory, text)).daemons[0].password_file == secret


@pytest.mark.parametrize("path", BAD_FILES, ids=lambda path: path.stem)
def test_invalid_file_has_every_problem_with_file_line_and_key(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(path)
    shown = str(caught.value).replace(f"{DATA}/", "").replace(str(DATA), "DIRECTORY")
    assert shown + "\n" == path.with_suffix(".expected").read_text(encoding="utf-8")


def test_value_of_an_unknown_key_is_not_quoted() -> None:
    (problem,) = problems(DATA / "bad-unknown-key-in-daemon.yaml")
    assert "hunter2" in (DATA / "bad-unknown-key-in-daemon.yaml").read_text()
    assert "hunter2" not in str(problem)


def test_syntax_error_has_no_excerpt_of_the_file(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "password: hunter2\n\t- x: ]\n"))
    assert problem.line == 2
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "setting", ["clients: {privacy: none}", "clients: {privacy: nonne}", "poll_interval: 1s"]
)
@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("[hidden, hidden]", "expected_clients[1]: the name is already used at daemons[0].exp"),
        ("[' hidden ']", "expected_clients[0]: is not valid: write text, 1 to 128 printable"),
        ("[2023-01-01]", "expected_clients[0]: YAML reads this as a date: quote it"),
        ("[a]\n    hidden: 1", "daemons[0].***: is an unknown key: use one of name"),
    ],
)
def test_privacy_hides_clients_in_problems(
    tmp_path: Path, setting: str, expected: str, text: str
) -> None:
    privacy = "" if setting.startswith("clients") else "    privacy: pseudonym\n"
    entry = f"  - name: a\n    management: 'a:1'\n{privacy}    expected_clients: {expected}\n"
    found = problems(write(tmp_path, f"{setting}\ndaemons:\n{entry}"))
    assert any(text in str(problem) for problem in found), found
    assert not any(word in str(found) for word in ("hidden", "2023"))


@pytest.mark.parametrize("value", ["*hidden", "[&hidden a, &hidden b]", "!hidden!x a"])
def test_privacy_hides_an_alias_which_may_be_the_name_of_a_client(
    tmp_path: Path, value: str
) -> None:
    text = f"clients: {{privacy: none}}\ndaemons:\n  - expected_clients: {value}\n"
    (problem,) = problems(write(tmp_path, text))
    assert problem.line == 3
    assert "hidden" not in str(problem)


@pytest.mark.parametrize("missing", ["no-such-file.yaml", "."])
def test_unreadable_file_is_reported_with_the_reason(tmp_path: Path, missing: str) -> None:
    (problem,) = problems(tmp_path / missing)
    assert problem.source == str(tmp_path / missing)
    assert re.fullmatch("cannot read the file: (No such file|Is a) .*", problem.text)


def test_file_larger_than_one_mebibyte_is_refused(tmp_path: Path) -> None:
    padding = "#" * (2**20 - len(ONE_DAEMON))
    assert load(write(tmp_path, ONE_DAEMON + padding)).daemons
    (problem,) = problems(write(tmp_path, f"{ONE_DAEMON}{padding}#"))
    assert problem.text.startswith("the file is larger than 1 MiB")


def test_multiplying_aliases_are_refused_before_expansion(tmp_path: Path) -> None:
    clients = ", ".join(f"c{number}" for number in range(20_000))
    daemons = "".join(
        f"  - {{name: d{number}, management: 'a:{number + 1}', expected_clients: *all}}\n"
        for number in range(5_000)
    )
    first = f"  - {{name: first, management: 'b:1', expected_clients: &all [{clients}]}}\n"
    (problem,) = problems(write(tmp_path, f"daemons:\n{first}{daemons}"))
    assert problem.text == "more than 200000 values: aliases count each time, use fewer"


def test_alias_of_itself_is_a_wrong_type(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "daemons: &all [*all]\n"))
    assert problem.key == "daemons[0]"


def test_problem_has_one_line_with_any_content(tmp_path: Path) -> None:
    hostile = f'"a\\nb\\u2028{"c" * 900}": 1\n{"d" * 900}: 2\nclients: {{identity: "x\\ny"}}\n'
    text = f"{ONE_DAEMON}{hostile}"
    for problem in problems(write(tmp_path, text)):
        assert str(problem).isprintable()
        assert len(str(problem).replace(str(tmp_path), "")) < 250


def words() -> st.SearchStrategy[str]:
    keys = ["daemons", "name", "management", "password_file", "expected_clients", "clients"]
    values = ["127.0.0.1:7505", "unix:/a", "15s", "on", "010", "~", '"', "&a", "*a", "<<", "!!int"]
    marks = [": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ", ", "? ", "---\n", "\t", "#", "\x00"]
    return st.lists(st.sampled_from(keys + values + marks)).map("".join)


def errors(path: Path) -> tuple[Problem, ...]:
    """Load the file; return its problems."""
    try:
        load(path)
    except ConfigError as error:
        return error.problems or (Problem(source="", text="an error without a problem\n"),)
    return ()


@given(words() | st.text())
def test_any_text_gives_a_configuration_or_problems_of_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for problem in errors(path):
        assert str(problem).isprintable()


@given(st.binary())
def test_any_bytes_give_a_configuration_or_problems(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load(path)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("management: 'a:1', allow_from: [10.0.0.0/8]", "allow_from: is only for management: li"),
        ("management: 'listen:unix:/a', allow_from: ['::1']", "allow_from: is only for management"),
        ("management: 'listen:127.0.0.1:1', listen_group: '0'", "listen_group: is only for man"),
        ("management: 'listen:a:1', allow_from: [10.0.0.1/8]", "'10.0.0.1/8' is not an IP addre"),
        ("management: 'listen:a:1', allow_from: [a.example]", "'a.example' is not an IP address"),
        ("management: 'listen:a:1', allow_from: [10.0.0.1, 10.0.0.1/32]", "is already used at"),
        ("management: 'listen:unix:/a', listen_group: no-such", "'no-such' is not a group of this"),
        ("management: 'listen:unix:/a', listen_group: ''", "'' is not a group of this system"),
    ],
)
def test_who_may_connect_is_checked(tmp_path: Path, entry: str, text: str) -> None:
    (problem,) = problems(write(tmp_path, f"daemons: [{{name: a, {entry}}}]\n"))
    assert text in str(problem)


def test_who_may_connect_is_read(tmp_path: Path) -> None:
    group = grp.getgrgid(0).gr_name
    unix, numbered, tcp = load(
        write(
            tmp_path,
            "daemons:\n"
            f"  - {{name: a, management: 'listen:unix:/a', listen_group: {group}}}\n"
            "  - {name: b, management: 'listen:unix:/b', listen_group: 4711}\n"
            "  - {name: c, management: 'listen:a:1', allow_from: [10.0.0.0/8, 0::1]}\n",
        )
    ).daemons
    assert unix.listen_group == Group(group, 0)
    assert (numbered.listen_group, str(numbered.listen_group)) == (Group("4711", 4711), "4711")
    assert tcp.allow_from == ("10.0.0.0/8", "::1/128")
