"""Numbers as OpenVPN prints them: unsigned decimals that fit in 64 bits."""

_DIGITS_LIMIT = 20
_MAXIMUM = 2**64 - 1


def parse_number(text: str) -> int:
    """Read an unsigned 64-bit decimal.

    Python's own `int` also takes signs, blanks, underscores and the digits of other scripts.

    Raises:
        ValueError: anything else.
    """
    if (
        text.isascii()
        and text.isdigit()
        and len(text) <= _DIGITS_LIMIT
        and (number := int(text)) <= _MAXIMUM
    ):
        return number
    raise ValueError("not an unsigned 64-bit decimal number")
