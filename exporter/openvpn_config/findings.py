"""What was noticed in the operator's files: one typed remark each, for `check` and for the log."""

import enum

import msgspec

from exporter.openvpn_config.errors import Location


class Kind(enum.StrEnum):
    """What it is about."""

    NO_FILE = "no file"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    SAME_NAME = "same name"
    SAME_ADDRESS = "same address"
    SAME_STATUS_FILE = "same status file"
    TOO_MANY = "too many"
    NO_MANAGEMENT = "no management"
    ADDRESS = "address"
    DIALS_OUT = "dials out"
    PASSWORD = "password"  # noqa: S105 - a word, not a password
    EXPOSED = "exposed"
    ADMITS_ONLY = "admits only"
    LEAVING_HURTS = "leaving hurts"
    ANOTHER_ANSWERS = "another answers"
    CLIENT_CONFIGS = "client configs"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One remark: where it stands, and one sentence that says what, why and what to do.

    `blocks`: the daemon can't be watched like this. `settled_by` is the configuration key of a
    daemon that settles the matter, empty where none does. `daemon` is its name, once known.
    """

    kind: Kind
    place: Location | str
    text: str
    blocks: bool = False
    settled_by: str = ""
    daemon: str = ""

    def __str__(self) -> str:
        """Return `file:line: text`."""
        return f"{self.place}: {self.text}"
