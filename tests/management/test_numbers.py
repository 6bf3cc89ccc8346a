"""Unsigned 64-bit decimals and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.values import parse_number


@given(st.integers(0, 2**64 - 1))
def test_every_unsigned_64_bit_number_is_read(number: int) -> None:
    assert parse_number(str(number)) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1_000", "1.0", "0x1", "1e3", "\u0661", "²", "9" * 5000]
)
def test_what_python_or_people_may_call_a_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="unsigned 64-bit"):
        parse_number(text)


def test_a_number_beyond_64_bits_is_none() -> None:
    with pytest.raises(ValueError, match="unsigned 64-bit"):
        parse_number(str(2**64))
