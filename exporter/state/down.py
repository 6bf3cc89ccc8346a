"""Why a daemon is down."""

import msgspec

from exporter.management.errors import DownReason, ManagementError
from exporter.state.privacy import Privacy


class DownState(msgspec.Struct, frozen=True):
    """The error that ended the session, and the text of the last `>FATAL` ("" if none came)."""

    error: ManagementError
    fatal_text: str = ""

    @classmethod
    def without_traceback(cls, error: ManagementError, fatal_text: str = "") -> "DownState":
        """Return the state that keeps an error for as long as the daemon is down.

        The frames of its traceback would keep what was read before the error.
        """
        error.__cause__ = error.__context__ = None
        return cls(error.with_traceback(None), fatal_text)

    @property
    def reason(self) -> DownReason:
        """The value of `openvpn_down_reason`."""
        return self.error.reason

    def message(self, privacy: Privacy) -> str:
        """Return one sentence; text that the peer chose is in it only if `privacy` allows it."""
        if not privacy.shows_raw_text:
            return self.error.redacted
        if self.fatal_text:
            return f"{self.error}; fatal error: {self.fatal_text}"
        return str(self.error)
