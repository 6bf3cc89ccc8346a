"""What peers chose becomes safe text, and different names stay different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.values import MAX_LENGTH, clean, clean_bytes, decode


@pytest.mark.parametrize(
    "name", ["", "alice", "Doe, John", "Zoë Müller 日本", "a  b", "\"q\" 'q' \\", "x" * MAX_LENGTH]
)
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert clean(name) == name


@pytest.mark.parametrize("char", ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\u2028", "\u202e"])
def test_a_character_that_does_not_print_is_replaced(char: str) -> None:
    assert clean(f"a{char}b") == "a\ufffdb"


def test_a_long_name_ends_in_a_digest_of_the_whole() -> None:
    name = clean("x" * 5000)
    assert len(name) == MAX_LENGTH
    assert name.startswith("x" * 100)
    assert name == clean("x" * 5000)


def test_two_long_names_stay_two() -> None:
    assert clean("x" * 5000 + "a") != clean("x" * 5000 + "b")
    assert clean("x" * 128) != clean("x" * 129)


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert decode(b"a\xff\xc3b") == "a\ufffd\ufffdb"
    assert clean_bytes(b"a\xff\tb") == "a\ufffd\ufffdb"


@given(st.text(), st.integers(16, 300))
def test_any_text_becomes_printable_and_no_longer_than_the_limit(raw: str, limit: int) -> None:
    text = clean(raw, limit)
    assert text.isprintable()
    assert len(text) <= limit
    assert clean(text, limit) == text


@given(st.binary())
def test_any_bytes_become_text(raw: bytes) -> None:
    assert clean_bytes(raw).encode().decode() == clean_bytes(raw)
