import textwrap
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.schema import ClientsConfig, Config, DaemonConfig, PrivacyMode
from exporter.config.secret_files import PrivacyKey
from exporter.state.privacy import (
    REDACTED,
    NoClientsPrivacy,
    PlainPrivacy,
    PseudonymPrivacy,
    redacted,
    redacted_items,
)

NAMES = st.text(min_size=1)


def test_plain_shows_names_and_addresses() -> None:
    assert PlainPrivacy().name("alice") == "alice"
    assert PlainPrivacy().address("192.0.2.7") == "192.0.2.7"


def test_none_shows_nothing() -> None:
    assert NoClientsPrivacy().name("alice") == ""
    assert NoClientsPrivacy().address("192.0.2.7") == ""
    assert not NoClientsPrivacy().shows_clients


def test_a_pseudonym_stays_the_same_over_restarts_and_exporters() -> None:
    assert PseudonymPrivacy(b"a key of the house").name("alice") == "p-69d757815fa6a51e"


def test_the_documentation_describes_the_digest(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
    *_, recipe = page.partition("with Python:")
    code = textwrap.dedent(recipe.split("\n\n")[1])
    code = code.replace('pathlib.Path("/etc/openvpn-exporter/privacy.key").read_bytes()', "KEY")
    exec(code, {"KEY": b"a key of the house\n"})  # noqa: S102 -- our own page
    assert capsys.readouterr().out.strip() == PseudonymPrivacy(b"a key of the house").name("alice")


@given(NAMES)
def test_another_key_gives_another_pseudonym(name: str) -> None:
    pseudonym = PseudonymPrivacy(b"one").name(name)
    if name != "UNDEF":
        assert pseudonym != PseudonymPrivacy(b"two").name(name)


@given(st.sets(NAMES, min_size=2, max_size=2))
def test_two_names_are_two_pseudonyms(names: set[str]) -> None:
    assert len({PseudonymPrivacy(b"key").name(name) for name in names}) == 2


def test_all_bytes_of_a_key_count() -> None:
    assert PseudonymPrivacy(b"k" * 64).name("alice") != PseudonymPrivacy(b"k" * 65).name("alice")


@pytest.mark.parametrize("name", ["", "UNDEF"])
def test_an_empty_name_stays_empty(name: str) -> None:
    assert PseudonymPrivacy(b"key").name(name) == name


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("10.8.0.6", "10.8.0.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("192.168.77.0/24", "192.168.77.0/24"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.168.77.64/26", "192.168.77.0/24"),
        ("10.8.0.6C", "10.8.0.0/24"),
        ("fd00::5C", "fd00::/48"),
        ("9e:45:f9:23:0a:9c@0", ""),
        ("alice.example.org", ""),
        ("NULL", ""),
        ("", ""),
    ],
)
def test_an_address_is_shown_as_its_network(address: str, shown: str) -> None:
    assert PseudonymPrivacy(b"key").address(address) == shown


@given(st.text())
def test_any_other_text_is_shown_as_empty(address: str) -> None:
    shown = PseudonymPrivacy(b"key").address(address)
    assert shown == "" or "/" in shown


@pytest.mark.parametrize(
    ("mode", "shown"),
    [(PrivacyMode.PLAIN, ("alice", "bob")), (PrivacyMode.NONE, (REDACTED, REDACTED))],
)
def test_a_configuration_shows_expected_clients_under_their_privacy(
    mode: PrivacyMode, shown: tuple[str, ...]
) -> None:
    daemon = DaemonConfig(name="office", expected_clients=("alice", "bob"))
    by_all = redacted(daemon, ClientsConfig(privacy=mode))
    by_itself = redacted(msgspec.structs.replace(daemon, privacy=mode), ClientsConfig())
    assert by_all.expected_clients == by_itself.expected_clients == shown


def test_the_general_privacy_holds_for_expected_clients_even_if_no_daemon_has_it() -> None:
    daemon = DaemonConfig(name="a", privacy=PrivacyMode.PLAIN)
    clients = ClientsConfig(privacy=PrivacyMode.NONE)
    config = Config(expected_clients=("alice",), daemons=(daemon,), clients=clients)
    assert redacted_items(config) == (REDACTED,)


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        (PrivacyMode.PLAIN, ("alice", "branch-*")),
        (PrivacyMode.PSEUDONYM, (PseudonymPrivacy(b"key").name("alice"), REDACTED)),
        (PrivacyMode.NONE, (REDACTED, REDACTED)),
    ],
)
def test_clients_expected_on_any_server_are_shown_under_the_strictest_privacy(
    mode: PrivacyMode, shown: tuple[str, ...]
) -> None:
    key = PrivacyKey(Path("key"), b"key")
    daemons = (DaemonConfig(name="a"), DaemonConfig(name="b", privacy=mode))
    config = Config(
        expected_clients=("alice", "branch-*"),
        daemons=daemons,
        clients=ClientsConfig(privacy_key_file=key),
    )
    assert redacted_items(config) == shown
