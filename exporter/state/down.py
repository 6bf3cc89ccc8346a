"""Why a daemon is down."""

import msgspec

from exporter.management.errors import DownReason, ManagementError, ReplyError
from exporter.state.privacy import Privacy

_HIDDEN_REPLY = "reply could not be parsed (content hidden by 'privacy')"


class DownState(msgspec.Struct, frozen=True):
    """The error that ended the session, and the text of the last `>FATAL` ("" if none came)."""

    error: ManagementError
    fatal_text: str = ""

    @property
    def reason(self) -> DownReason:
        """The value of `openvpn_down_reason`."""
        return self.error.reason

    def message(self, privacy: Privacy) -> str:
        """Return one sentence; the daemon's own text is in it only if `privacy` allows it."""
        if not privacy.shows_raw_text:
            return _HIDDEN_REPLY if isinstance(self.error, ReplyError) else str(self.error)
        if self.fatal_text:
            return f"{self.error}; fatal error: {self.fatal_text}"
        return str(self.error)
