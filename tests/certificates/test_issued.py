import random

import pytest

from exporter.certificates.issued import (
    CertificateState,
    IssuedCertificate,
    IssuedCertificates,
)

NOW = 1000
DAY = 86_400
VALID, EXPIRED = CertificateState.VALID, CertificateState.EXPIRED
REVOKED, UNKNOWN = CertificateState.REVOKED, CertificateState.UNKNOWN


def certificate(
    name: str, serial: int, not_after: int = NOW + DAY, *, revoked: bool = False
) -> IssuedCertificate:
    return IssuedCertificate(name, serial, not_after, revoked)


RENEWED = IssuedCertificates(
    [
        certificate("alice", 1, NOW - 5),
        certificate("alice", 2, NOW + 50),
        certificate("alice", 3, NOW + 90),
        certificate("bob", 4, revoked=True),
        certificate("bob", 5, NOW + 70),
        certificate("carol", 6, revoked=True),
        certificate("dave", 7, NOW - 1),
        certificate("erin", 8, NOW + 99, revoked=True),
        certificate("erin", 9, NOW - 1),
        certificate("", 10, NOW + 1),
    ]
)


def test_certificates_are_counted_by_state_at_a_time() -> None:
    assert RENEWED.counts(NOW) == {VALID: 4, EXPIRED: 3, REVOKED: 3}
    assert RENEWED.counts(NOW + 51) == {VALID: 2, EXPIRED: 5, REVOKED: 3}
    assert len(RENEWED) == 10


def test_certificate_is_valid_in_the_second_of_its_expiry() -> None:
    issued = IssuedCertificates([certificate("alice", 1, NOW)])
    assert issued.state("alice", 1, NOW) == issued.state("alice", None, NOW) == VALID
    assert issued.counts(NOW)[VALID] == 1
    assert issued.state("alice", 1, NOW + 0.5) == issued.state("alice", None, NOW + 0.5) == EXPIRED
    assert issued.counts(NOW + 0.5)[EXPIRED] == 1


@pytest.mark.parametrize(
    ("serial", "state"),
    [(1, EXPIRED), (2, VALID), (4, REVOKED), (5, VALID), (6, REVOKED), (77, UNKNOWN)],
)
def test_serial_number_decides_whatever_the_name(serial: int, state: CertificateState) -> None:
    assert RENEWED.state("bob", serial, NOW) == state


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("alice", VALID),
        ("bob", VALID),
        ("carol", REVOKED),
        ("dave", EXPIRED),
        ("erin", REVOKED),
        ("frank", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_name_alone_is_suspect_only_without_a_valid_certificate(
    name: str, state: CertificateState
) -> None:
    assert RENEWED.state(name, None, NOW) == state


def test_valid_names_are_those_with_a_valid_certificate_the_soonest_first() -> None:
    assert list(RENEWED.valid_names(NOW)) == ["bob", "alice"]
    assert list(RENEWED.valid_names(NOW + 80)) == ["alice"]
    assert list(RENEWED.valid_names(NOW + 91)) == []


def test_expiry_is_that_of_the_last_certificate_of_a_name() -> None:
    assert RENEWED.soonest_expiry(NOW) == NOW + 70
    assert RENEWED.soonest_expiry(NOW + 71) == NOW + 90
    assert RENEWED.soonest_expiry(NOW + 91) is None
    assert list(RENEWED.name_expiries(NOW)) == [("bob", NOW + 70), ("alice", NOW + 90)]
    assert next(RENEWED.name_expiries(NOW - 5)) == ("dave", NOW - 1)


def test_expiring_names_are_counted_within_a_time() -> None:
    assert RENEWED.expiring(NOW, 60) == 0  # alice has a later one
    assert RENEWED.expiring(NOW, 71) == 1
    assert RENEWED.expiring(NOW, DAY) == 2


def test_next_change_is_the_next_expiry_of_any_certificate() -> None:
    assert RENEWED.next_change(NOW) == NOW + 1
    assert RENEWED.next_change(NOW + 2) == NOW + 50
    assert IssuedCertificates().next_change(NOW) is None


def test_of_two_certificates_with_one_number_the_one_in_force_counts() -> None:
    """Two CAs, each with a certificate 01."""
    pair = [certificate("alice", 1), certificate("bob", 1, revoked=True)]
    for certificates in (pair, pair[::-1]):
        assert IssuedCertificates(certificates).state("alice", 1, NOW) == VALID


def test_many_names_are_sorted_by_expiry() -> None:
    rng = random.Random(1)
    expiries = {f"user-{number}": NOW + rng.randrange(10**6) for number in range(25_000)}
    issued = IssuedCertificates(
        certificate(name, number, not_after)
        for number, (name, not_after) in enumerate(expiries.items())
    )
    found = list(issued.name_expiries(NOW))
    assert dict(found) == expiries
    assert [not_after for _, not_after in found] == sorted(expiries.values())
