"""Whether a client takes gzip, by the rules of HTTP (RFC 9110, 12.5.3)."""

import re

_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0{0,3})?\s*", re.IGNORECASE)


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether the value of `Accept-Encoding` names gzip and doesn't refuse it (`q=0`).

    `*` is not taken for a wish: whoever wants gzip says so.
    """
    for coding in accept_encoding.split(","):
        name, *parameters = coding.split(";")
        if name.strip().lower() == "gzip":
            return not any(map(_REFUSED.fullmatch, parameters))
    return False
