"""Text, numbers, dates and addresses in OpenVPN's output."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.values import (
    MAX_LENGTH,
    RealAddress,
    clean,
    clean_bytes,
    decode,
    is_host_route,
    is_mac,
    parse_date,
    parse_number,
    parse_real_address,
    parse_time,
    parse_zone_offset,
)


@pytest.mark.parametrize(
    "name", ["", "alice", "Doe, John", "Zoë Müller 日本", "a  b", "\"q\" 'q' \\", "x" * MAX_LENGTH]
)
def test_a_printable_name_is_unchanged(name: str) -> None:
    assert clean(name) == name


@pytest.mark.parametrize(
    ("char", "escaped"),
    [
        ("\0", r"\x00"),
        ("\t", r"\x09"),
        ("\n", r"\x0a"),
        ("\r", r"\x0d"),
        ("\x1b", r"\x1b"),
        ("\x7f", r"\x7f"),
        ("\x85", r"\x85"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_an_unprintable_character_is_escaped(char: str, escaped: str) -> None:
    assert clean(f"a{char}b") == f"a{escaped}b"


def test_a_long_name_ends_in_a_digest_of_the_whole() -> None:
    name = clean("x" * 5000)
    assert len(name) == MAX_LENGTH
    assert name.startswith("x" * 100)
    assert name == clean("x" * 5000)


def test_two_long_names_stay_distinct() -> None:
    assert clean("x" * 5000 + "a") != clean("x" * 5000 + "b")
    assert clean("x" * 128) != clean("x" * 129)


def test_bytes_that_are_not_utf_8_are_escaped() -> None:
    assert decode(b"a\xff\xc3b") == r"a\xff\xc3b"
    assert clean_bytes(b"a\xff\tb") == r"a\xff\x09b"


@pytest.mark.parametrize(
    "names",
    [
        (b"bob\xff", b"bob\xfe", rb"bob\xff", rb"bob\x5cxff"),
        (b"bob\x07", b"bob\x08", rb"bob\x07"),
        ("bob\u200b".encode(), "bob\u200c".encode(), rb"bob\u200b"),
        ("bob\U000e0001".encode(), rb"bob\U000e0001"),
        (b"\xff" * 200, b"\xff" * 201, b"\xff" * 200 + b"\xfe"),
    ],
)
def test_names_that_differ_in_any_byte_stay_apart(names: Sequence[bytes]) -> None:
    assert len({clean_bytes(name) for name in names}) == len(names)


def test_a_backslash_in_a_name_is_unchanged() -> None:
    assert clean_bytes(rb"DOMAIN\user") == r"DOMAIN\user"


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_any_two_short_names_stay_apart(first: bytes, second: bytes) -> None:
    assert (clean_bytes(first) == clean_bytes(second)) is (first == second)


@given(st.text(), st.integers(16, 300))
def test_any_text_becomes_printable_and_no_longer_than_the_limit(raw: str, limit: int) -> None:
    text = clean(raw, limit)
    assert text.isprintable()
    assert len(text) <= limit
    assert clean(text, limit) == text


@given(st.binary())
def test_any_bytes_decode_to_text(raw: bytes) -> None:
    assert clean_bytes(raw).encode().decode() == clean_bytes(raw)


@given(st.integers(0, 2**64 - 1))
def test_every_unsigned_64_bit_number_is_parsed(number: int) -> None:
    assert parse_number(str(number)) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1_000", "1.0", "0x1", "1e3", "\u0661", "²", "9" * 5000]
)
def test_other_spellings_of_a_number_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="unsigned 64-bit"):
        parse_number(text)


def test_a_number_beyond_64_bits_is_an_error() -> None:
    with pytest.raises(ValueError, match="unsigned 64-bit"):
        parse_number(str(2**64))


def test_a_time_has_a_date_of_four_digits() -> None:
    last = 253_402_300_799
    assert parse_time(str(last)) == last
    assert datetime.fromtimestamp(last, UTC).year == 9999
    for text in (str(last + 1), str(2**64 - 1), "-1"):
        with pytest.raises(ValueError, match=r"time|number"):
            parse_time(text)


MOMENT = int(datetime(2026, 11, 3, 3, 30, 16, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("text", ["2026-11-03 03:30:16", "Tue Nov  3 03:30:16 2026"])
def test_both_spellings_of_a_date_use_the_given_zone(text: str) -> None:
    assert parse_date(text) == MOMENT
    assert parse_date(text, 3600) == MOMENT - 3600


@pytest.mark.parametrize("zone", ["UTC0", "EST5", "<+0545>-5:45"])
def test_the_zone_of_this_machine_is_not_used(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        assert parse_date("2026-11-03 03:30:16") == MOMENT
    time.tzset()


def test_a_leap_second_is_the_second_before() -> None:
    assert parse_date("2016-12-31 23:59:60") == parse_date("2016-12-31 23:59:59")


PRINTED = "2026-11-03 03:30:16"


@given(st.integers(-48, 56), st.integers(-449, 449))
def test_the_zone_of_a_date_is_the_quarters_of_an_hour_from_another_clock(
    quarters: int, error: int
) -> None:
    offset = quarters * 900
    assert parse_zone_offset(PRINTED, MOMENT - offset + error) == offset


@pytest.mark.parametrize("hours", [-9000, -12.25, 14.25, 24, 400_000])
def test_a_date_further_away_than_any_zone_is_of_utc(hours: float) -> None:
    assert parse_zone_offset(PRINTED, MOMENT - hours * 3600) == 0


def test_a_date_of_an_unknown_time_is_of_utc() -> None:
    assert parse_zone_offset(PRINTED, None) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-03",
        "2026-13-03 03:30:16",
        "2026-02-30 03:30:16",
        "2026-11-03 24:00:00",
        "0000-01-01 00:00:00",
        "2026-11-03 03:30:16 ",
        "2026-11-03T03:30:16",
        "٢٠٢٦-11-03 03:30:16",
        "Tue Nov 31 03:30:16 2026",
        "Tue Nov   03:30:16 2026",
        "Tue Foo  3 03:30:16 2026",
        "9999-12-31 23:59:59",
    ],
)
def test_any_other_date_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_date(text, -3600)


def test_no_date_is_before_the_epoch() -> None:
    assert parse_date("1970-01-01 00:59:59", 3600) == 0


@given(st.integers(0, 2**32))
def test_every_date_is_the_same_in_both_spellings(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    assert parse_date(moment.isoformat(" ")) == seconds
    assert parse_date(moment.ctime()) == seconds


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:49630", RealAddress("", "127.0.0.1", 49630)),
        ("::1", RealAddress("", "::1", None)),
        ("2001:db8::1:2", RealAddress("", "2001:db8::1:2", None)),
        ("[::1]:1194", RealAddress("", "::1", 1194)),
        ("udp4:127.0.0.1:49630", RealAddress("udp4", "127.0.0.1", 49630)),
        ("tcp4-server:127.0.0.1:41152", RealAddress("tcp4-server", "127.0.0.1", 41152)),
        ("udp6:[::1]:38311", RealAddress("udp6", "::1", 38311)),
        ("tcp6-server:[::1]:60260", RealAddress("tcp6-server", "::1", 60260)),
        ("udp6:127.0.0.1:39244", RealAddress("udp6", "127.0.0.1", 39244)),
        ("[NULL]", RealAddress("", "NULL", None)),
        ("UNKNOWN", RealAddress("", "UNKNOWN", None)),
        ("", RealAddress("", "", None)),
        ("udp4:", RealAddress("", "udp4:", None)),
        ("²", RealAddress("", "²", None)),
        ("127.0.0.1:²", RealAddress("", "127.0.0.1:²", None)),
        ("127.0.0.1:٣", RealAddress("", "127.0.0.1:٣", None)),
        ("127.0.0.1:100000", RealAddress("", "127.0.0.1:100000", None)),
        (f"127.0.0.1:{'1' * 5000}", RealAddress("", f"127.0.0.1:{'1' * 5000}", None)),
        ("127.0.0.1:port", RealAddress("", "127.0.0.1:port", None)),
    ],
)
def test_a_real_address_is_split_into_its_parts(text: str, address: RealAddress) -> None:
    assert parse_real_address(text) == address


@pytest.mark.parametrize("text", ["10.8.0.2", "fd00:8::1000", "fd00:8::c"])
def test_a_clients_own_address_is_a_host_route(text: str) -> None:
    assert is_host_route(text)
    assert not is_mac(text)


@pytest.mark.parametrize("text", ["9e:45:f9:23:0a:9c@0", "9E:45:F9:23:0A:9C", "9e:45:f9:23:0a:9c"])
def test_a_tap_route_is_a_mac_address(text: str) -> None:
    assert is_mac(text)
    assert not is_host_route(text)


@pytest.mark.parametrize(
    "text", ["192.168.77.0/24", "fd00:77::/64", "192.168.77.5C", "fd00:77::5C", ""]
)
def test_a_subnet_or_cached_host_is_no_host_route_and_no_mac(text: str) -> None:
    assert not is_host_route(text)
    assert not is_mac(text)
