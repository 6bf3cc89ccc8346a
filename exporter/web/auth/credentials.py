"""What a request says about who sends it (RFC 7617)."""

import base64
from collections.abc import Sequence

import msgspec


class Credentials(msgspec.Struct, frozen=True):
    """A user and the bytes of a password, neither of them true yet."""

    user: str
    password: bytes

    def __repr__(self) -> str:
        """Show nothing of them: people write passwords where users go."""
        return "Credentials(***)"


def read_credentials(headers: Sequence[str]) -> Credentials | None:
    """Read the values of `Authorization`; None where they are not one user and password."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(token.strip(), validate=True)
        user, colon, password = decoded.partition(b":")
        return Credentials(user.decode(), password) if colon else None
    except ValueError:  # no base64, or no UTF-8
        return None
