"""What was noticed in the operator's files: one typed remark each, for `check` and for the log."""

import enum

import msgspec

from exporter.openvpn_config.errors import Location


class Kind(enum.StrEnum):
    """What it is about."""

    NO_MATCH = "no-match"
    UNREADABLE = "unreadable"
    SYNTAX_ERROR = "syntax-error"
    DUPLICATE_NAME = "duplicate-name"
    DUPLICATE_ADDRESS = "duplicate-address"
    SHARED_STATUS_FILE = "shared-status-file"
    TOO_MANY_FILES = "too-many-files"
    NO_MANAGEMENT = "no-management"
    MANAGEMENT_ADDRESS = "management-address"
    MANAGEMENT_CLIENT = "management-client"
    MANAGEMENT_PASSWORD = "management-password"  # noqa: S105 - a word, not a password
    UNPROTECTED = "unprotected"
    CLIENT_USER_MISMATCH = "client-user-mismatch"
    HARMFUL_DISCONNECT = "harmful-disconnect"
    PROMPT_OWNER = "prompt-owner"
    CLIENT_CONFIG_DIR = "client-config-dir"


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
