"""Why a daemon is down."""

import msgspec

from exporter.management.errors import DownReason, ManagementError
from exporter.state.privacy import Privacy


class DownState(msgspec.Struct, frozen=True):
    """The error that ended the session, and the text of the last `>FATAL` ("" if none came)."""

    error: ManagementError
    fatal_text: str = ""

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
