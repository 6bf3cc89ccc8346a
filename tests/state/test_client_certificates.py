"""The certificates of connected clients: by serial number, else by name."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from exporter.certificates.issued import CertificateState, IssuedCertificate, IssuedCertificates
from exporter.certificates.pki import PkiSource, PkiState
from exporter.config import DaemonConfig
from exporter.config.pki import PkiConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import parse_endpoint
from exporter.management.notifications import ClientEvent
from exporter.management.replies import LoadStats, Poll
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.client_certificates import ClientCertificates
from exporter.state.client_session import ClientSession
from exporter.state.daemon import DaemonState
from exporter.state.session_keys import SessionKey
from tests.metrics.daemons import NOON, OFFICE_CLIENT
from tests.steps import count_steps

SOURCE = PkiSource(Path("/etc/easy-rsa/pki/index.txt"))
VALID, EXPIRED = CertificateState.VALID, CertificateState.EXPIRED
REVOKED, UNKNOWN = CertificateState.REVOKED, CertificateState.UNKNOWN
LATER = NOON + 86_400


def issued(name: str, serial: int, not_after: int = LATER, *, revoked: bool = False) -> object:
    return IssuedCertificate(name, serial, not_after, revoked)


class Office:
    """A server whose clients are compared with these certificates."""

    def __init__(self, *certificates: object) -> None:
        daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
        self.daemon = DaemonState(Target(daemon, pki=PkiConfig(index=SOURCE.path)))
        self.now = NOON
        self.issue(*certificates)

    def issue(self, *certificates: object) -> None:
        found = [each for each in certificates if isinstance(each, IssuedCertificate)]
        self.daemon.set_pki(PkiState(SOURCE, self.now, IssuedCertificates(found)))

    def login(self, client_id: int, **variables: str) -> None:
        env = {"time_unix": str(NOON - 3600), "common_name": "x"} | variables
        self.daemon.on_notification("CLIENT", ClientEvent("ESTABLISHED", client_id, env))

    def poll(self, *clients: ClientRow, unparsed: int = 0) -> Mapping[CertificateState, int]:
        """Poll, and return the states that some client has."""
        self.now += 15
        status = ServerStatus(
            updated=self.now, clients=clients, pending=(), route_count=0, unparsed=unparsed
        )
        poll = Poll(status=status, load_stats=LoadStats(len(clients), 0, 0))
        run_batches(self.daemon.on_poll(poll, now=self.now, duration=0.1))
        counts = self.daemon.client_certificates.counts
        assert counts is not None
        return {state: count for state, count in counts.items() if count}


def client(name: str, client_id: int, *, since: int = NOON - 3600) -> ClientRow:
    return msgspec.structs.replace(
        OFFICE_CLIENT, common_name=name, client_id=client_id, connected_since=since
    )


def test_client_is_known_by_its_serial_number() -> None:
    office = Office(issued("alice", 0x2A, revoked=True), issued("alice", 0x2B))
    office.login(1, tls_serial_hex_0="2a", tls_serial_0="42")
    office.login(2, tls_serial_hex_0="2b")
    office.login(3, tls_serial_hex_0="00:99")
    clients = [client("alice", 1), client("alice", 2), client("alice", 3), client("alice", 4)]
    assert office.poll(*clients) == {REVOKED: 1, VALID: 2, UNKNOWN: 1}
    assert office.daemon.client_certificates.invalid == {("alice", REVOKED): 1}


def test_serial_number_of_2_2_is_decimal() -> None:
    office = Office(issued("alice", 2**159, revoked=True), issued("alice", 1))
    office.login(1, tls_serial_0=str(2**159))
    assert office.poll(client("alice", 1)) == {REVOKED: 1}


@pytest.mark.parametrize("serial", ["", "-5", "1_0", "zz", "9" * 81, "٣"])
def test_unreadable_serial_number_leaves_the_name(serial: str) -> None:
    office = Office(issued("alice", 5, revoked=True), issued("alice", 6))
    office.login(1, tls_serial_hex_0=serial)
    assert office.poll(client("alice", 1)) == {VALID: 1}


def test_name_decides_only_without_a_valid_certificate() -> None:
    office = Office(
        issued("renewed", 1, revoked=True),
        issued("renewed", 2),
        issued("revoked", 3, revoked=True),
        issued("expired", 4, NOON - 1),
    )
    names = ("renewed", "revoked", "expired", "stranger", "")
    clients = [client(name, number) for number, name in enumerate(names)]
    assert office.poll(*clients) == {VALID: 1, REVOKED: 1, EXPIRED: 1, UNKNOWN: 2}
    assert set(office.daemon.client_certificates.invalid) == {
        ("revoked", REVOKED),
        ("expired", EXPIRED),
    }


def test_client_expires_while_it_is_connected() -> None:
    office = Office(issued("alice", 1, NOON + 20), issued("bob", 2))
    clients = client("alice", 1), client("bob", 2)
    assert office.poll(*clients) == {VALID: 2}
    assert office.poll(*clients) == {VALID: 1, EXPIRED: 1}


def test_client_is_revoked_while_it_is_connected() -> None:
    office = Office(issued("alice", 1))
    office.login(1, tls_serial_hex_0="01")
    assert office.poll(client("alice", 1)) == {VALID: 1}
    office.issue(issued("alice", 1, revoked=True), issued("alice", 2))
    assert office.poll(client("alice", 1)) == {REVOKED: 1}
    assert office.poll() == {}
    assert office.daemon.client_certificates.invalid == {}


def test_login_after_the_row_counts_at_the_next_poll() -> None:
    office = Office(issued("alice", 1, revoked=True), issued("alice", 2))
    assert office.poll(client("alice", 1)) == {VALID: 1}
    office.login(1, tls_serial_hex_0="01")
    assert office.poll(client("alice", 1)) == {REVOKED: 1}


def test_login_after_the_row_may_prove_a_valid_certificate() -> None:
    office = Office(issued("alice", 1, revoked=True), issued("lice", 2))
    assert office.poll(client("alice", 1), client("bob", 2)) == {REVOKED: 1, UNKNOWN: 1}
    office.login(1, tls_serial_hex_0="02")
    assert office.poll(client("alice", 1), client("bob", 2)) == {VALID: 1, UNKNOWN: 1}
    assert office.daemon.client_certificates.invalid == {}


def test_login_during_an_update_counts_at_the_next_poll() -> None:
    office = Office(issued("alice", 1, revoked=True), issued("alice", 2))
    status = ServerStatus(
        updated=NOON, clients=(client("alice", 1),), pending=(), routes=(), route_count=0
    )
    poll = Poll(status=status, load_stats=LoadStats(1, 0, 0))
    update = office.daemon.on_poll(poll, now=NOON, duration=0.1)
    for _ in update:
        office.login(1, tls_serial_hex_0="01")
    assert office.poll(client("alice", 1)) == {REVOKED: 1}


def test_only_new_sessions_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(issued("user-1", 1))
    clients = [client(f"user-{number}", number) for number in range(400)]
    office.poll(*clients)
    compared: list[SessionKey] = []
    compare = ClientCertificates._compare

    def counting(
        table: ClientCertificates, session: ClientSession, issued: IssuedCertificates, now: float
    ) -> None:
        compared.append(session.key)
        compare(table, session, issued, now)

    monkeypatch.setattr(ClientCertificates, "_compare", counting)
    office.poll(*clients[1:], client("new", 401))
    assert len(compared) == 1
    office.issue(issued("user-1", 1))
    office.poll(*clients)
    assert len(compared) == 401


def test_serial_number_stays_while_the_row_is_unreadable() -> None:
    office = Office(issued("alice", 1, revoked=True), issued("alice", 2))
    office.login(1, tls_serial_hex_0="01")
    alice, bob = client("alice", 1), client("bob", 2)
    assert office.poll(alice, bob)[REVOKED] == 1
    assert REVOKED not in office.poll(bob, unparsed=1)
    assert office.poll(alice, bob)[REVOKED] == 1


def test_serial_number_goes_with_its_session() -> None:
    office = Office(issued("alice", 1, revoked=True))
    office.login(1, tls_serial_hex_0="01")
    office.poll(client("alice", 1))
    office.poll()
    assert office.daemon.client_certificates._serials == {}


def test_serial_number_stays_while_others_come_and_go() -> None:
    office = Office(issued("alice", 1, revoked=True), issued("alice", 2))
    office.login(1, tls_serial_hex_0="01")
    alice = client("alice", 1)
    assert office.poll(alice)[REVOKED] == 1
    assert office.poll(alice, client("bob", 2))[REVOKED] == 1
    assert office.poll(alice)[REVOKED] == 1


def test_serial_numbers_of_clients_that_left_are_dropped() -> None:
    office = Office(issued("alice", 1))
    for client_id in range(9):
        office.login(client_id, tls_serial_hex_0="01")
        office.poll(client("alice", client_id))
    certificates = office.daemon.client_certificates
    assert len(certificates._serials) == 1
    assert certificates._unseen_serials == {}


def test_serial_numbers_of_rejected_clients_are_bounded() -> None:
    office = Office(issued("alice", 1, revoked=True))
    for client_id in range(10_050):
        office.login(client_id, tls_serial_hex_0="01")
    assert len(office.daemon.client_certificates._unseen_serials) == 10_000


def test_nothing_is_kept_without_a_list() -> None:
    office = Office()
    office.daemon.reconfigure(msgspec.structs.replace(office.daemon.target, pki=None))
    office.login(1, tls_serial_hex_0="01")
    certificates = office.daemon.client_certificates
    assert (certificates.pki, certificates._unseen_serials) == (None, {})


def test_states_are_unknown_until_the_list_is_read() -> None:
    office = Office()
    office.daemon.set_pki(PkiState(SOURCE, NOON))
    with pytest.raises(AssertionError):
        office.poll(client("alice", 1))


def test_poll_without_a_change_compares_nothing() -> None:
    """The steps of a poll do not depend on the list while sessions and list stay the same."""

    def steps(*, with_list: bool) -> int:
        office = Office(issued("user-1", 1))
        if not with_list:
            office.daemon.reconfigure(msgspec.structs.replace(office.daemon.target, pki=None))
        clients = [client(f"user-{number}", number) for number in range(300)]
        status = ServerStatus(
            updated=NOON, clients=tuple(clients), pending=(), routes=(), route_count=0
        )
        poll = Poll(status=status, load_stats=LoadStats(300, 0, 0))
        run_batches(office.daemon.on_poll(poll, now=NOON + 1, duration=0.1))
        again = office.daemon.on_poll(poll, now=NOON + 2, duration=0.1)
        return count_steps(lambda: run_batches(again))

    assert abs(steps(with_list=True) - steps(with_list=False)) < 10
