"""The order of a daemon's statuses and restarts, where the session and a status file alternate.

A restart is found when a session reads the PID or the state history, which may be long after it
happened: a status file may have shown it meanwhile. Times are in seconds since the epoch; those of
a restart are the daemon's, those of a file are the file system's.
"""

import enum

import msgspec

from exporter.management.state import State, StateName
from exporter.management.status import Status


class StatusFileContent(msgspec.Struct, frozen=True):
    """The status in a file, the file's modification time, and a digest of its content."""

    status: Status
    written_at: float
    digest: bytes


class Restart(enum.Enum):
    """What restarted before a status, so that its counters are compared with 0."""

    NONE = enum.auto()
    TUNNEL = enum.auto()
    """The statistics of a tunnel. Sessions of clients are known by their start."""
    ALL = enum.auto()


class StatusOrder(msgspec.Struct, eq=False):
    """Finds for each status whether it is new, and whether the daemon restarted before it."""

    _restarted: bool = False
    """A restart was found since the last status was received."""
    _restarted_before: bool = False
    """One was found before that."""
    _received: bool = False
    _session_status_at: float | None = None
    _file_written_at: float | None = None
    _file_digest: bytes | None = None

    def record_restart(self) -> None:
        """Record that the daemon's process restarted."""
        self._restarted = True

    def record_state(self, state: State) -> None:
        """Record a state that the daemon entered."""
        self._restarted |= state.name is StateName.RECONNECTING

    def record_received(self) -> None:
        """Record that a status was received from the session: later restarts are not in it."""
        self._restarted_before |= self._restarted
        self._restarted = False
        self._received = True

    def record_unusable(self) -> None:
        """Record that the status that was received can't be used."""
        self._received = False

    def add_session_status(
        self, status: Status | None, restart_time: int | None, *, now: float
    ) -> Restart:
        """Record the status of a poll; return what restarted before it.

        `restart_time` is that of the last restart, None if unknown. If a file has shown the daemon
        meanwhile, a restart before the file was written does not count again.
        """
        written_at = self._file_written_at
        found, self._restarted_before = self._restarted_before, False
        self._received = False
        self._file_written_at = self._file_digest = None
        if status is not None:
            self._session_status_at = now
        if written_at is None:
            return Restart.ALL if found else Restart.NONE
        if restart_time is None or self._restarted:  # unknown, or that of a later restart
            return Restart.NONE
        return Restart.TUNNEL if written_at < restart_time <= now else Restart.NONE

    def add_file_status(
        self, file: StatusFileContent, restart_time: int | None, *, now: float
    ) -> Restart | None:
        """Record the status of a file; return what restarted before it, None if it is not new.

        It is new if its content has changed since the last status. The first one after a status of
        the session is compared by its modification time; one in the future is not trusted.
        """
        if not self._is_new(file, now):
            return None
        last_written_at, self._file_written_at = self._file_written_at, file.written_at
        found = self._restarted or self._restarted_before
        if not found or restart_time is None or restart_time > file.written_at:
            return Restart.NONE
        self._restarted = self._restarted_before = False
        if last_written_at is not None and restart_time <= last_written_at:
            return Restart.NONE
        return Restart.TUNNEL

    def _is_new(self, file: StatusFileContent, now: float) -> bool:
        last, self._file_digest = self._file_digest, file.digest
        if self._received or file.digest == last:
            return False
        if last is not None or self._session_status_at is None:
            return True
        return self._session_status_at < file.written_at <= now
