"""How the values of the web configuration file are written, beyond the forms that all files share.

What the format knows and this program can't do is refused with the reason; hashes are never shown.
"""

import re

import bcrypt
import msgspec

from exporter.config.types import Duration, Scalar
from exporter.secret import Secret

MAX_COST = 16
"""Highest cost of a hash; one check takes some 4 seconds by then, and twice as long with each 1."""

_HASH = re.compile(r"\$2[aby]\$([0-9]{2})\$([./A-Za-z0-9]{22})[./A-Za-z0-9]{31}")
_CHEAPEST = "$2b$04$"


class UserName(msgspec.Struct, frozen=True):
    """A name that HTTP's basic authentication can carry."""

    hint: str = "user"

    def read(self, scalar: Scalar) -> str:
        """Return the value; raises ValueError."""
        if not scalar.text or ":" in scalar.text or not scalar.text.isprintable():
            raise ValueError("no user can have this name: leave out colons and control characters")
        return scalar.text


class BcryptHash(msgspec.Struct, frozen=True):
    """The bcrypt hash of a password, as `htpasswd -B` writes it."""

    hint: str = "bcrypt hash"

    def read(self, scalar: Scalar) -> Secret:
        """Return the value; raises ValueError, which never shows what is written."""
        match = _HASH.fullmatch(scalar.text)
        if match is None:
            raise ValueError("is no bcrypt hash, $2y$10$…: make one with htpasswd -nBC 10 NAME")
        if not _is_cost(int(match[1])):
            raise ValueError(
                f"has a cost of {match[1]}: hash the password at 10, at most {MAX_COST}"
            )
        try:
            bcrypt.hashpw(b"", f"{_CHEAPEST}{match[2]}".encode())
        except ValueError:
            raise ValueError("is a damaged bcrypt hash: hash the password anew") from None
        return Secret(scalar.text)


def _is_cost(cost: int) -> bool:
    return 4 <= cost <= MAX_COST  # noqa: PLR2004 -- bcrypt's own least


class HeaderValue(msgspec.Struct, frozen=True):
    """The value of an HTTP header, one of `allowed` where there are such; blank leaves it out."""

    allowed: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """What may be written here, for people."""
        return " or ".join(self.allowed) or "text"

    def read(self, scalar: Scalar) -> str | None:
        """Return the value; raises ValueError."""
        if self.allowed and scalar.text not in self.allowed:
            raise ValueError(f"{scalar.text!r} is not known: write {self.hint}")
        if not scalar.text.isascii() or (scalar.text and not scalar.text.isprintable()):
            raise ValueError(f"{scalar.text!r} is no header: write printable ASCII")
        return scalar.text or None


class IntervalOrZero(Duration, frozen=True):
    """A duration, or `0` without a unit."""

    def read(self, scalar: Scalar) -> float:
        """Return the value; raises ValueError."""
        return 0.0 if scalar.text == "0" else super().read(scalar)
