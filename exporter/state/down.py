"""Why a daemon can't be asked, for people."""

import msgspec

from exporter.management.errors import DownReason, ManagementError, ReplyError
from exporter.state.privacy import Privacy

_NONSENSE = "the daemon's answer makes no sense; it is not shown, since it may name a client"


class DownState(msgspec.Struct, frozen=True):
    """What went wrong, and what the daemon said last, "" where it said nothing of the kind."""

    error: ManagementError
    fatal_text: str = ""

    @property
    def reason(self) -> DownReason:
        """The value of `openvpn_down_reason`."""
        return self.error.reason

    def message(self, privacy: Privacy) -> str:
        """Return one sentence, with the daemon's own words only where those may be shown."""
        if not privacy.shows_raw_text:
            return _NONSENSE if isinstance(self.error, ReplyError) else str(self.error)
        if self.fatal_text:
            return f"{self.error}; its last words were: {self.fatal_text}"
        return str(self.error)
