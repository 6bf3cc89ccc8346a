"""The parser of `index.txt`, on files that easy-rsa and OpenSSL wrote."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.certificates import index
from exporter.certificates.index import InvalidIndex, common_name, parse_index
from exporter.certificates.issued import IssuedCertificate
from tests.steps import assert_linear

DATA = Path(__file__).parents[1] / "data" / "pki"
ALICE = b"V\t280903093000Z\t\tDCF2\tunknown\t/CN=alice"


def parsed(content: bytes) -> Sequence[IssuedCertificate]:
    """Return the certificates of an index in which each line has one."""
    items = list(parse_index(content))
    certificates = [item for item in items if isinstance(item, IssuedCertificate)]
    assert certificates == items
    return certificates


def only(line: bytes) -> IssuedCertificate:
    (item,) = parse_index(line)
    assert isinstance(item, IssuedCertificate), item
    return item


def error_of(line: bytes) -> str:
    (item,) = parse_index(line)
    assert isinstance(item, InvalidIndex)
    return str(item)


def test_index_of_easy_rsa_has_certificates_renewed_revoked_and_expired_ones() -> None:
    certificates = parsed((DATA / "easy-rsa-3.1.0.index.txt").read_bytes())
    assert [(each.common_name, each.revoked) for each in certificates] == [
        ("expired-branch", False),
        ("office", False),
        ("alice", False),
        ("bob", True),
        ("carol", False),
        ("branch-lisbon", True),
        ("carol", False),
        ("branch-lisbon", False),
    ]
    assert certificates[0] == IssuedCertificate(
        "expired-branch", 0x52B4221E6D72479218B23DB2783D6F41, 1_730_793_600, revoked=False
    )


def test_index_of_openssl_has_names_as_openvpn_shows_them() -> None:
    certificates = parsed((DATA / "openssl-3.0.19.index.txt").read_bytes())
    assert [each.common_name for each in certificates] == [
        "alice",
        "Zoë Müller 日本",
        "a/b",
        "second",
        "al",
        "tab_x",
        "back\\slash",
        "mallory",
        "plus+x",
        "with=eq",
        "#hash",
    ]
    assert [each.revoked for each in certificates] == [True] * 3 + [False] * 8
    assert {each.not_after for each in certificates} == {4_387_644_815, 4_387_644_816}


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (b"/CN=alice", "alice"),
        (b"/C=DE/O=Example, Inc./OU=a/CN=alice/emailAddress=alice@example.org", "alice"),
        (b"/CN=branch/lisbon", "branch/lisbon"),
        (rb"/CN=branch\/lisbon", "branch/lisbon"),
        (b"/CN=alice+bob", "alice+bob"),
        (b"/CN=alice+UID=u17", "alice"),
        (b"/UID=u17+CN=alice/O=Example", "alice"),
        (rb"/O=Acme\/CN=bob/CN=mallory", "mallory"),
        (rb"/O=Acme\+CN=bob", ""),
        (b"/CN=first/CN=second", "second"),
        (b"/2.5.4.45=x/CN=alice/1.2.3.4=y", "alice"),
        (rb"/CN=Zo\xC3\xAB", "Zoë"),
        (rb"/CN=Zo\xEB", "Zo\\xeb"),
        (rb"/CN=a\x09b\x00c\x7Fd", "a_b_c_d"),
        (rb"/CN=a\xE2\x80\xAEb", "a\\u202eb"),
        (b"/CN=", ""),
        (b"/O=Example", ""),
        (b"/", ""),
        (b"", ""),
        (b"CN=alice", ""),
    ],
)
def test_common_name_of_a_subject(subject: bytes, name: str) -> None:
    assert common_name(subject) == name


@pytest.mark.parametrize(
    ("date", "timestamp"),
    [
        (b"280903093000Z", 1_851_586_200),
        (b"2809030930Z", 1_851_586_200),
        (b"20280903093000Z", 1_851_586_200),
        (b"491231235959Z", 2_524_607_999),
        (b"500101000000Z", 0),
        (b"21090114221335Z", 4_387_644_815),
        (b"99991231235959Z", 253_402_300_799),
    ],
)
def test_expiry_is_a_utc_time_or_a_generalized_time(date: bytes, timestamp: int) -> None:
    assert only(ALICE.replace(b"280903093000Z", date)).not_after == timestamp


@pytest.mark.parametrize("status", [b"R", b"S"])
def test_status_of_a_revoked_certificate(status: bytes) -> None:
    line = ALICE.replace(b"V\t", status + b"\t").replace(b"\t\t", b"\t260901100001Z,keyTime,x\t")
    assert only(line).revoked


def test_expired_status_is_no_revocation() -> None:
    assert not only(ALICE.replace(b"V\t", b"E\t")).revoked


def test_windows_line_ends_comments_and_blank_lines_are_read() -> None:
    (alice,) = parsed(b"# a comment\r\n\r\n" + ALICE + b"\r\n")
    assert alice.common_name == "alice"


def test_escaped_tab_belongs_to_its_field() -> None:
    assert only(ALICE.replace(b"unknown", b"a\\\tb")).common_name == "alice"
    assert only(ALICE + b"\\\tb").common_name == "alice_b"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"hello", "line 1: 1 fields instead of 6"),
        (ALICE + b"\tmore", "line 1: 7 fields"),
        (ALICE.replace(b"V\t", b"X\t"), "line 1: the status is none of V, R and E"),
        (ALICE.replace(b"DCF2", b"DCFG"), "line 1: the serial number is not hexadecimal"),
        (ALICE.replace(b"DCF2", b""), "line 1: the serial number is not hexadecimal"),
        (ALICE.replace(b"DCF2", b"-1"), "line 1: the serial number is not hexadecimal"),
        (ALICE.replace(b"DCF2", b"F" * 65), "line 1: the serial number is not hexadecimal"),
        (ALICE.replace(b"280903093000Z", b"280903093000+0100"), "line 1: the expiry is no date"),
        (ALICE.replace(b"280903093000Z", b"280230093000Z"), "date that does not exist"),
        (ALICE.replace(b"280903093000Z", b"00000101000000Z"), "date that does not exist"),
    ],
)
def test_damaged_line_is_an_error_of_its_own(line: bytes, words: str) -> None:
    assert words in error_of(line)
    assert [type(item) for item in parse_index(ALICE + b"\n" + line + b"\n" + ALICE)] == [
        IssuedCertificate,
        InvalidIndex,
        IssuedCertificate,
    ]


def test_long_line_and_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidIndex, match="line 2 is longer than 4096 bytes"):
        list(parse_index(ALICE + b"\n" + b"\t" * 1_000_000))
    monkeypatch.setattr(index, "MAX_LINES", 3)
    assert len(parsed((ALICE + b"\n") * 3)) == 3
    with pytest.raises(InvalidIndex, match="more than 3 lines"):
        list(parse_index((ALICE + b"\n") * 4))


@given(st.binary(), st.integers(0, len(ALICE)))
def test_any_bytes_give_certificates_or_errors(content: bytes, at: int) -> None:
    for text in (content, ALICE[:at] + content + ALICE[at:]):
        for item in parse_index(text):
            assert isinstance(item, IssuedCertificate | InvalidIndex)
            if isinstance(item, IssuedCertificate):
                assert item.common_name.isprintable()


def test_time_is_linear_in_lines_and_in_attributes() -> None:
    assert_linear(lambda lines: lambda: list(parse_index((ALICE + b"\n") * lines)), 500)
    assert_linear(lambda parts: lambda: common_name(b"/CN=a" * parts), 500)
