"""Clients that are expected on any of several servers: connected, missing, or unknown."""

import gc
from collections.abc import Iterable, Sequence
from pathlib import Path
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.certificates.issued import IssuedCertificate, IssuedCertificates
from exporter.certificates.pki import PkiSource, PkiState
from exporter.certificates.source import FileProblem
from exporter.config.schema import ClientsConfig, Config, DaemonConfig, Identity, PrivacyMode
from exporter.config.secret_files import PrivacyKey
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import parse_endpoint
from exporter.openvpn_config import DiscoveredDaemon, Discovery
from exporter.openvpn_config.model import read
from exporter.state.daemon import DaemonState
from exporter.state.expected_clients import ExpectedClients
from exporter.state.privacy import PseudonymPrivacy
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    new_daemon,
    poll,
    server_status,
    start_session,
    take_down,
    tunnel,
)

LATER = NOON + 15


def show(daemon: DaemonState, *names: str, now: float = NOON) -> DaemonState:
    """Record a poll that shows these clients."""
    rows = [
        # An id belongs to one name for the life of a daemon.
        msgspec.structs.replace(
            OFFICE_CLIENT, common_name=name, client_id=10 * crc32(name.encode()) + number
        )
        for number, name in enumerate(names)
    ]
    poll(daemon, server_status(rows), now=now)
    return daemon


def server(name: str, *clients: str) -> DaemonState:
    daemon = new_daemon(name)
    start_session(daemon)
    return show(daemon, *clients)


def expected(*items: str, ccd: Iterable[str] = (), **config: object) -> ExpectedClients:
    clients = ExpectedClients()
    clients.configure(configuration(*items, ccd=ccd, **config))
    return clients


def configuration(*items: str, ccd: Iterable[str] = (), **config: object) -> Config:
    discovered = DiscoveredDaemon("office", Path("office.conf"), None, (), tuple(ccd))
    return msgspec.structs.replace(
        Config(expected_clients=items, discovery=Discovery((discovered,))), **config
    )


def connected(clients: ExpectedClients, *daemons: DaemonState) -> dict[str, float]:
    run_batches(clients.update(daemons))
    return dict(clients.connected)


class TestConnected:
    def test_a_client_of_any_server_is_connected_and_one_of_none_is_missing(self) -> None:
        clients = expected("alice", "bob", "carol")
        daemons = server("a", "alice", "dave"), server("b", "bob")
        assert connected(clients, *daemons) == {"alice": 1, "bob": 1, "carol": 0}

    def test_a_plain_name_is_there_before_it_was_ever_seen(self) -> None:
        assert connected(expected("alice"), server("a")) == {"alice": 0}

    def test_several_sessions_are_one_client(self) -> None:
        daemons = server("a", "alice", "alice"), server("b", "alice")
        assert connected(expected("alice"), *daemons) == {"alice": 1}

    def test_a_client_that_roams_stays_connected(self) -> None:
        clients = expected("alice")
        a, b = server("a", "alice"), server("b")
        assert connected(clients, a, b) == {"alice": 1}
        show(b, "alice", now=LATER)
        assert connected(clients, a, b) == {"alice": 1}
        show(a, now=LATER)
        assert connected(clients, a, b) == {"alice": 1}
        show(b, now=LATER + 15)
        assert connected(clients, a, b) == {"alice": 0}

    def test_without_expected_clients_there_is_nothing(self) -> None:
        clients = ExpectedClients()
        clients.configure(Config())
        assert connected(clients, server("a", "alice")) == {}
        assert not clients.is_configured

    def test_identity_is_that_of_the_configuration(self) -> None:
        config = ClientsConfig(identity=Identity.USERNAME)
        endpoint = parse_endpoint("a:1")
        daemon = DaemonState(Target(DaemonConfig(name="a", management=endpoint), config))
        start_session(daemon)
        show(daemon, "alice")
        clients = expected("alice@office", "alice", clients=config)
        assert connected(clients, daemon) == {"alice@office": 1, "alice": 0}


class TestUnknown:
    def test_a_client_of_no_other_server_is_unknown_while_one_is_down(self) -> None:
        clients = expected("alice", "bob")
        a, b = server("a", "alice"), server("b", "bob")
        take_down(b)
        assert connected(clients, a, b) == {"alice": 1}
        show(b, now=LATER)
        assert connected(clients, a, b) == {"alice": 1, "bob": 0}

    def test_a_server_that_was_not_polled_yet_is_unknown(self) -> None:
        clients = expected("alice", "bob")
        assert connected(clients, server("a", "alice"), new_daemon("b")) == {"alice": 1}

    def test_a_server_without_a_status_is_unknown(self) -> None:
        """A daemon that is held refuses `status`."""
        held = new_daemon("b")
        start_session(held)
        poll(held, None)
        assert connected(expected("alice"), server("a"), held) == {}

    def test_without_any_server_all_is_unknown(self) -> None:
        assert connected(expected("alice")) == {}
        assert connected(expected("alice"), tunnel()) == {}

    def test_tunnels_do_not_count_up_or_down(self) -> None:
        clients = expected("alice")
        uplink = tunnel()
        assert connected(clients, server("a"), uplink) == {"alice": 0}
        take_down(uplink)
        assert connected(clients, server("a"), uplink) == {"alice": 0}

    def test_a_daemon_that_is_configured_as_a_tunnel_does_not_count_before_its_first_poll(
        self, tmp_path: Path
    ) -> None:
        clients = expected("alice")
        file = tmp_path / "up.conf"
        file.write_text("client\n", encoding="utf-8")
        config = read(file)
        daemon = DaemonConfig(name="up", management=parse_endpoint("a:1"), openvpn_config=config)
        assert connected(clients, server("a"), DaemonState(Target(daemon))) == {"alice": 0}

    def test_a_change_that_is_not_complete_is_not_read(self) -> None:
        """A restart ends all sessions first."""
        clients = expected("alice")
        daemon = server("a", "alice")
        assert connected(clients, daemon) == {"alice": 1}
        daemon.clients.totals["alice"].disconnect(NOON)
        daemon.client_revision += 1
        daemon.is_updating = True
        assert connected(clients, daemon) == {"alice": 1}
        daemon.is_updating = False
        assert connected(clients, daemon) == {"alice": 0}


class TestLastSeen:
    def test_is_that_of_the_server_that_saw_it_last_and_only_while_it_is_missing(self) -> None:
        clients = expected("alice")
        a, b = server("a", "alice"), server("b")
        assert not (connected(clients, a, b) and clients.last_seen)
        show(b, "alice", now=LATER)
        show(a, now=LATER + 15)
        show(b, now=LATER + 30)
        assert connected(clients, a, b) == {"alice": 0}
        assert clients.last_seen == {"alice": LATER}

    def test_is_there_while_a_server_is_down(self) -> None:
        clients = expected("alice")
        a = server("a", "alice")
        take_down(a)
        assert connected(clients, a) == {}
        assert clients.last_seen == {"alice": NOON}

    def test_is_none_for_a_client_that_was_never_seen(self) -> None:
        clients = expected("alice")
        connected(clients, server("a"))
        assert clients.last_seen == {}

    def test_stays_when_the_table_forgets_the_client(self) -> None:
        clients = expected("alice")
        a = server("a", "alice")
        connected(clients, a)
        show(a, now=NOON + 1)
        show(a, now=NOON + 4000)
        assert "alice" not in a.clients.totals
        assert connected(clients, a) == {"alice": 0}
        assert clients.last_seen == {"alice": NOON}

    def test_stays_over_a_reload_also_if_the_server_is_removed(self) -> None:
        clients = expected("alice")
        a = server("a", "alice")
        connected(clients, a)
        del a
        gc.collect()
        clients.configure(configuration("alice", "bob"))
        assert connected(clients, server("b")) == {"alice": 0, "bob": 0}
        assert clients.last_seen == {"alice": NOON}

    def test_goes_with_a_client_that_is_no_longer_expected(self) -> None:
        clients = expected("alice")
        a = server("a", "alice")
        connected(clients, a)
        clients.configure(configuration("bob"))
        connected(clients, b := server("b"))
        clients.configure(configuration("alice", "bob"))
        assert connected(clients, b) == {"alice": 0, "bob": 0}
        assert clients.last_seen == {}


class TestPatterns:
    CCD = ("branch-oslo", "branch-lisbon", "laptop")

    def test_match_names_of_client_config_directories(self) -> None:
        clients = expected("branch-*", "alice", ccd=self.CCD)
        assert connected(clients, server("a", "branch-oslo")) == {
            "alice": 0,
            "branch-lisbon": 0,
            "branch-oslo": 1,
        }

    def test_match_names_with_a_valid_certificate(self) -> None:
        issued = IssuedCertificates(
            [
                IssuedCertificate("branch-oslo", 1, NOON + 60, revoked=False),
                IssuedCertificate("branch-cork", 2, NOON + 90, revoked=False),
                IssuedCertificate("branch-gone", 3, NOON + 90, revoked=True),
                IssuedCertificate("branch-old", 4, NOON - 1, revoked=False),
            ]
        )
        clients = expected("branch-*", ccd=["branch-lisbon", "branch-oslo"])
        a, b = server("a", "branch-cork"), server("b")
        ccd = {"branch-lisbon": 0, "branch-oslo": 0}
        assert connected(clients, a, b) == ccd
        source = PkiSource(Path("index.txt"))
        a.set_pki(PkiState(source, NOON, issued))
        b.set_pki(PkiState(source, NOON, issued))
        assert connected(clients, a, b) == ccd | {"branch-cork": 1}
        assert clients.not_exported == 0
        a.set_pki(PkiState(source, NOON + 91, issued))
        b.set_pki(PkiState(source, NOON + 91, issued))
        assert connected(clients, a, b) == ccd

    def test_names_of_an_index_that_was_read_before_stay_while_it_is_unreadable(self) -> None:
        issued = IssuedCertificates([IssuedCertificate("oslo", 1, NOON + 60, revoked=False)])
        source, a = PkiSource(Path("index.txt")), server("a")
        a.set_pki(PkiState(source, NOON))
        clients = expected("*")
        assert connected(clients, a) == {}
        a.set_pki(PkiState(source, NOON, issued))
        assert connected(clients, a) == {"oslo": 0}
        a.set_pki(PkiState(source, NOON + 1, issued, FileProblem.UNREADABLE))
        assert connected(clients, a) == {"oslo": 0}

    def test_never_match_names_that_peers_send(self) -> None:
        assert connected(expected("*", ccd=["a"]), server("a", "branch-evil")) == {"a": 0}

    @pytest.mark.parametrize(
        ("pattern", "names"),
        [
            ("branch-?slo", ["branch-oslo"]),
            ("branch-[lo]*", ["branch-lisbon", "branch-oslo"]),
            ("BRANCH-*", []),
            ("ranch-*", []),
            ("*-osl", []),
        ],
    )
    def test_match_whole_names_as_a_shell_does(self, pattern: str, names: Sequence[str]) -> None:
        clients = expected(pattern, ccd=self.CCD)
        assert sorted(connected(clients, server("a"))) == names

    def test_the_limit_holds_for_patterns_but_not_for_names(self) -> None:
        config = ClientsConfig(limit=2)
        clients = expected("x", "y", "z", "b*", ccd=["b1", "b2"], clients=config)
        assert sorted(connected(clients, server("a"))) == ["x", "y", "z"]
        assert clients.not_exported == 2
        clients = expected("x", "b*", ccd=["b2", "b1", "c"], clients=config)
        assert sorted(connected(clients, server("a"))) == ["b1", "x"]
        assert clients.not_exported == 1


class TestPrivacy:
    KEY = PrivacyKey(Path("key"), b"0123456789abcdef")

    @pytest.mark.parametrize("own_mode", [None, PrivacyMode.PLAIN])
    def test_pseudonyms_are_those_of_the_daemons(self, own_mode: PrivacyMode | None) -> None:
        config = ClientsConfig(privacy=PrivacyMode.PSEUDONYM, privacy_key_file=self.KEY)
        daemons = (DaemonConfig(name="a", management=parse_endpoint("a:1"), privacy=own_mode),)
        clients = expected("alice", clients=config, daemons=daemons)
        pseudonym = PseudonymPrivacy(self.KEY.reveal()).name("alice")
        assert connected(clients, server("a", "alice")) == {pseudonym: 1}

    def test_the_strictest_privacy_of_all_daemons_holds(self) -> None:
        daemons = (
            DaemonConfig(name="a", management=parse_endpoint("a:1")),
            DaemonConfig(name="b", management=parse_endpoint("a:2"), privacy=PrivacyMode.NONE),
        )
        clients = expected("alice", daemons=daemons)
        assert connected(clients, server("a", "alice")) == {}


def test_clients_beyond_the_limit_of_a_daemon_are_found() -> None:
    """They have no totals."""
    config = ClientsConfig(limit=1)
    endpoint = parse_endpoint("a:1")
    daemon = DaemonState(Target(DaemonConfig(name="a", management=endpoint), config))
    start_session(daemon)
    show(daemon, "alice", "bob")
    assert list(daemon.clients.totals) == ["alice"]
    clients = expected("alice", "bob", "carol")
    assert connected(clients, daemon) == {"alice": 1, "bob": 1, "carol": 0}
    show(daemon, "alice", now=LATER)
    assert connected(clients, daemon) == {"alice": 1, "bob": 0, "carol": 0}
    assert clients.last_seen == {"bob": NOON}


def test_a_status_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = server("a", "alice")
    clients = expected("alice")
    connected(clients, daemon)
    monkeypatch.delattr(daemon, "clients")
    assert connected(clients, daemon) == {"alice": 1}


NAMES = ("alice", "bob", "carol")
Step = tuple[int, frozenset[str] | None]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.none() | st.frozensets(st.sampled_from((*NAMES, "dave"))),
        ),
        max_size=12,
    )
)
def test_each_state_is_that_of_the_last_polls(steps: list[Step]) -> None:
    """A step is a server, and the clients that it shows; None: it is down."""
    daemons = [server(name) for name in "abc"]
    shown: dict[int, frozenset[str] | None] = dict.fromkeys(range(3), frozenset())
    seen: dict[str, float] = {}
    clients = expected(*NAMES)
    for number, (index, names) in enumerate(steps):
        now = NOON + number
        shown[index] = names
        if names is None:
            take_down(daemons[index])
        else:
            show(daemons[index], *sorted(names), now=now)
            seen |= dict.fromkeys(names & {*NAMES}, now)
        found = {name for group in shown.values() for name in group or ()}
        all_up = None not in shown.values()
        assert connected(clients, *daemons) == {
            name: int(name in found) for name in NAMES if name in found or all_up
        }
        assert clients.last_seen == {name: at for name, at in seen.items() if name not in found}
