"""The real-time messages of one session, and the prompts and floods among them."""

import asyncio
from collections.abc import Callable

from exporter.management.errors import (
    LineFloodError,
    LogFloodError,
    ManagementError,
    PromptError,
)
from exporter.management.messages import Notification
from exporter.management.notifications import (
    ByteCount,
    ClientByteCount,
    Greeting,
    LogLine,
    parse_notification,
)
from exporter.management.prompts import blocking_prompt, is_for_owner
from exporter.monitor.log_stream import LogStream
from exporter.monitor.rate_limit import MAX_OTHER_BYTES, MAX_OTHER_LINES, RateLimit
from exporter.monitor.shared_session import SharedSession
from exporter.state.daemon import DaemonState


class RealtimeMessages:
    """Records each message in the daemon's state, and passes it on to other management clients."""

    def __init__(
        self,
        daemon: DaemonState,
        log: LogStream,
        shared: SharedSession,
        *,
        wake: Callable[[], None],
        abort: Callable[[ManagementError], None],
    ) -> None:
        """Call `wake` at a prompt, and `abort` at a flood, which may leave the session open."""
        self.prompt: PromptError | None = None
        """The last message with which the daemon waits for an answer."""
        self.byte_counts = False
        """Whether the daemon sends byte counts, which no session of the exporter asks for."""
        self.pass_through = False
        """Whether another management client passes the messages on."""
        self.management_version = 1
        """The version of the management interface, from the greeting."""
        self._daemon = daemon
        self._log = log
        self._shared = shared
        self._wake = wake
        self._abort = abort
        self._other_rate = RateLimit(MAX_OTHER_LINES, MAX_OTHER_BYTES)

    def feed(self, message: Notification) -> None:
        """Process one message."""
        notification = parse_notification(message)
        if self.pass_through and is_for_owner(notification):
            self._daemon.on_ignored_notification(message.keyword)
            return
        self._daemon.on_notification(message.keyword, notification)
        self._shared.notify(message)
        match notification:
            case Greeting(management_version=int(version)):
                self.management_version = version
            case LogLine(text=text):
                now = asyncio.get_running_loop().time()
                if self._log.starts_flood(now, len(text)):
                    # From verb 8 on the daemon never gets to reading `log off`. Where the session
                    # must stay, the next poll sends it all the same.
                    self._abort(LogFloodError("too many log lines from the daemon"))
            case ByteCount() | ClientByteCount():
                self.byte_counts = True
            case _:
                prompt = blocking_prompt(notification)
                if prompt is not None:
                    self.prompt = prompt
                    self._wake()

    def count_other_lines(self, lines: int, size: int) -> None:
        """Count received lines that are neither log lines nor of a reply."""
        now = asyncio.get_running_loop().time()
        if self._other_rate.exceeded_at(now, lines, size):
            name = self._daemon.target.daemon.management
            self._abort(LineFloodError(f"{name}: too many lines that are no reply"))
