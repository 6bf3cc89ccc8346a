"""The types of values in the file: what may be written, and how it is read.

A type knows neither key nor line; it raises ValueError with one sentence: what is wrong and how to
correct it.
"""

import enum
import functools
import grp
import importlib.util
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from exporter.config import durations
from exporter.config.secret_files import PrivacyKey, read_password, read_privacy_key
from exporter.files import open_regular
from exporter.management.endpoint import Endpoint, parse_endpoint
from exporter.openvpn_config.command_line import parse as parse_options
from exporter.secret import Secret

_PATTERN_EXAMPLE = "/etc/openvpn/server/*.conf"


class Scalar(msgspec.Struct, frozen=True):
    """One value as written.

    `tag` is its type in YAML 1.1 (`str`, `bool`, `int`, `float`, `timestamp`, …); `directory` is
    the base of relative paths.
    """

    text: str
    tag: str
    directory: Path


class ValueType(Protocol):
    """The type of one value."""

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""

    def read(self, scalar: Scalar) -> object:
        """Return the value; raises ValueError."""


class Boolean(msgspec.Struct, frozen=True):
    """`true` or `false`, or another boolean of YAML 1.1."""

    hint: str = "true or false"

    def read(self, scalar: Scalar) -> bool:
        """Return the value; raises ValueError."""
        if scalar.tag != "bool":
            raise ValueError(f"{scalar.text!r} is no boolean: write true or false, without quotes")
        return scalar.text.lower() in {"true", "yes", "on"}


class Integer(msgspec.Struct, frozen=True):
    """A whole number in decimal, from 1 to `maximum`."""

    maximum: int

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return f"whole number, 1 to {self.maximum}"

    def read(self, scalar: Scalar) -> int:
        """Return the value; raises ValueError."""
        # YAML 1.1 reads 010 as eight and 1:30 as ninety.
        is_decimal = scalar.tag == "int" and re.fullmatch("[1-9][0-9]{0,17}", scalar.text)
        if not is_decimal or int(scalar.text) > self.maximum:
            raise ValueError(f"{scalar.text!r} is not valid: write a {self.hint}")
        return int(scalar.text)


class Duration(msgspec.Struct, frozen=True):
    """A duration between two bounds; its value is in seconds."""

    minimum: str
    maximum: str

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return f"duration, {self.minimum} to {self.maximum}"

    def read(self, scalar: Scalar) -> float:
        """Return the value; raises ValueError."""
        seconds = durations.parse_duration(scalar.text)
        if (
            not durations.parse_duration(self.minimum)
            <= seconds
            <= durations.parse_duration(self.maximum)
        ):
            raise ValueError(f"{scalar.text!r} is out of range: write a {self.hint}")
        return seconds


class Label(msgspec.Struct, frozen=True):
    """Printable text of at most `limit` characters, for the value of a label."""

    limit: int

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return f"text, 1 to {self.limit} printable characters"

    def read(self, scalar: Scalar) -> str:
        """Return the value; raises ValueError."""
        if scalar.tag != "str":
            raise ValueError(f"YAML reads this as {_kind(scalar.tag)}: quote it, {scalar.text!r}")
        self.check(scalar.text)
        return scalar.text

    def check(self, text: str) -> None:
        """Raise ValueError unless `text` is valid."""
        if not 1 <= len(text) <= self.limit or not text.isprintable() or text != text.strip():
            raise ValueError(
                f"{text!r} is not valid: write {self.hint}, without blanks at its ends"
            )


class DaemonName(Label, frozen=True):
    """The name of a daemon, which is a segment of the URL of its page."""

    def check(self, text: str) -> None:
        """Raise ValueError unless `text` is valid."""
        super().check(text)
        if text in {".", ".."}:
            raise ValueError(f"{text!r} is not valid: browsers take it for a directory")


class ClientName(Label, frozen=True):
    """The name of a VPN client, which may be a person's."""

    def redacted_error(self, scalar: Scalar) -> str:
        """Return what is wrong with a value that `read` refuses, without the value."""
        if scalar.tag != "str":
            return f"YAML reads this as {_kind(scalar.tag)}: quote it"
        return f"is not valid: write {self.hint}, without blanks at its ends"


class Choice(msgspec.Struct, frozen=True):
    """One member of an enumeration, by its value.

    `refused`: the reasons why other values of the same format are not supported.
    """

    members: type[enum.StrEnum]
    refused: Mapping[str, str] = {}

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return ", ".join(self.members)

    def read(self, scalar: Scalar) -> enum.StrEnum:
        """Return the value; raises ValueError."""
        if scalar.text in self.refused:
            raise ValueError(f"{scalar.text} {self.refused[scalar.text]}")
        if scalar.text not in list(self.members):
            raise ValueError(f"{scalar.text!r} is not known: write one of {self.hint}")
        return self.members(scalar.text)


class ManagementAddress(msgspec.Struct, frozen=True):
    """The address of a management interface."""

    hint: str = "address"

    def read(self, scalar: Scalar) -> Endpoint:
        """Return the value; raises ValueError."""
        return parse_endpoint(scalar.text)


class Network(msgspec.Struct, frozen=True):
    """An IP address, or a network such as `192.0.2.0/24`; its value is the canonical network."""

    hint: str = "IP address or network"

    def read(self, scalar: Scalar) -> str:
        """Return the value; raises ValueError."""
        try:
            return str(ipaddress.ip_network(scalar.text))
        except ValueError:
            text = f"{scalar.text!r} is not an {self.hint}: write 192.0.2.7 or 192.0.2.0/24"
            raise ValueError(text) from None


class Group(msgspec.Struct, frozen=True):
    """A group of this system: its name or number as written, and its number."""

    name: str
    number: int

    def __str__(self) -> str:
        return self.name


class GroupName(msgspec.Struct, frozen=True):
    """A group of this system, by name or number."""

    hint: str = "group"

    def read(self, scalar: Scalar) -> Group:
        """Return the value; raises ValueError."""
        if re.fullmatch("[0-9]{1,9}", scalar.text):
            return Group(scalar.text, int(scalar.text))
        try:
            return Group(scalar.text, grp.getgrnam(scalar.text).gr_gid)
        except (KeyError, ValueError):
            text = f"{scalar.text!r} is not a group of this system: create it, or write another"
            raise ValueError(text) from None


class FilePath(msgspec.Struct, frozen=True):
    """The path of a file, relative to the configuration file.

    `readable`: it must be a regular file that can be opened now; otherwise it may be missing.
    """

    readable: bool = False
    hint: str = "path"

    def read(self, scalar: Scalar) -> Path:
        """Return the value; raises ValueError."""
        if not scalar.text or not scalar.text.isprintable():
            raise ValueError(f"{scalar.text!r} is not a path: name a file")
        path = _path(scalar.directory, scalar.text)
        if self.readable:
            _check_readable(path)
        return path


@functools.lru_cache(maxsize=256)
def _path(directory: Path, text: str) -> Path:
    """Return a path: one object for all daemons that have the same file."""
    return directory / text


def _check_readable(path: Path) -> None:
    try:
        with open_regular(path):
            return
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None


class PasswordFile(FilePath, frozen=True):
    """The path of a file that has a valid password now."""

    def read(self, scalar: Scalar) -> Path:
        """Return the value; raises ValueError."""
        path = super().read(scalar)
        read_password(path)
        return path


class PrivacyKeyFile(msgspec.Struct, frozen=True):
    """The path of a file that has a valid key now, relative to the configuration file."""

    hint: str = "path"

    def read(self, scalar: Scalar) -> PrivacyKey:
        """Return the value; raises ValueError."""
        return read_privacy_key(FilePath().read(scalar))


class CertificateFile(FilePath, frozen=True):
    """The path of a file of certificates; needs the extra `certificates`."""

    def read(self, scalar: Scalar) -> Path:
        """Return the value; raises ValueError."""
        path = super().read(scalar)
        if not can_read_certificates():
            raise ValueError(
                "reading certificates needs a library that is not installed: "
                "pip install cryptography"
            )
        return path


def can_read_certificates() -> bool:
    """Return whether the extra `certificates` is installed, without importing it."""
    return importlib.util.find_spec("cryptography") is not None


class GlobPattern(msgspec.Struct, frozen=True):
    """A pattern of file names, relative to the configuration file; read as an absolute pattern."""

    hint: str = "pattern of file names"

    def read(self, scalar: Scalar) -> str:
        """Return the value; raises ValueError."""
        if not scalar.text.strip() or not scalar.text.isprintable():
            raise ValueError(f"{scalar.text!r} is no pattern: write one such as {_PATTERN_EXAMPLE}")
        return str(scalar.directory.absolute() / scalar.text)


class CommandLine(msgspec.Struct, frozen=True):
    """Options of OpenVPN's command line, in OpenVPN's own syntax, with `%i` for the instance."""

    hint: str = "options of OpenVPN"

    def read(self, scalar: Scalar) -> str:
        """Return the value; raises ValueError."""
        parse_options(scalar.text)
        return scalar.text


class PemText(msgspec.Struct, frozen=True):
    """Text of many lines, such as a certificate or a key; never logged."""

    hint: str = "text of many lines"

    def read(self, scalar: Scalar) -> Secret:
        """Return the value; raises ValueError."""
        if scalar.tag != "str" or not scalar.text.strip():
            raise ValueError("is no text: write it after a |, each line indented")
        return Secret(scalar.text)


class ListOf(msgspec.Struct, frozen=True):
    """A list of distinct values."""

    item: ValueType

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return f"list of: {self.item.hint}"


class MapOf(msgspec.Struct, frozen=True):
    """A mapping of distinct names that the operator chooses to values."""

    name: ValueType
    value: ValueType

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return f"{self.name.hint}: {self.value.hint}"


class Section(msgspec.Struct, frozen=True):
    """A mapping with the keys of the type `keys`.

    `single`: a single value in place of the mapping sets this key alone.
    """

    keys: type[msgspec.Struct]
    single: str = ""

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return "true, or section" if self.single else "section"


class ListOfSections(msgspec.Struct, frozen=True):
    """A list of mappings with the keys of the type `keys`.

    `single`: a single value in place of a mapping sets this key alone.
    """

    keys: type[msgspec.Struct]
    hint: str = "list of sections"
    single: str = ""


def _kind(tag: str) -> str:
    kinds = {"bool": "a boolean", "int": "a number", "float": "a number", "timestamp": "a date"}
    return kinds.get(tag, "another type")
