"""Logging: one event a line on standard error, as logfmt or JSON.

An event stays on one line whatever its values contain: names of VPN clients, messages of daemons
and tracebacks are escaped.
"""

import datetime
import enum
import json
import logging
import math
import os
import select
import sys
from collections.abc import Callable, Mapping
from typing import ClassVar

FIELDS = "fields"
"""The attribute of a log record that carries key=value pairs: `extra={"fields": {...}}`."""

_TRACEBACK = logging.Formatter()


class Level(enum.StrEnum):
    """The levels of Prometheus' own programs."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"

    @property
    def levelno(self) -> int:
        """The level as a number of `logging`."""
        return _LEVEL_NUMBERS[self]


class LogFormat(enum.StrEnum):
    """The format of an event."""

    LOGFMT = "logfmt"
    JSON = "json"


_LEVEL_NUMBERS = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARN: logging.WARNING,
    Level.ERROR: logging.ERROR,
}


def configure(level: Level, log_format: LogFormat) -> None:
    """Write the events of all loggers, of `level` and above, to standard error only.

    This includes warnings of the `warnings` module. A later call replaces an earlier one.
    """
    handler = _StderrHandler()
    handler.setFormatter(EventFormatter(log_format))
    logging.basicConfig(level=level.levelno, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


def event(
    logger: logging.Logger,
    level: Level,
    message: str,
    /,
    *,
    cause: BaseException | None = None,
    **fields: object,
) -> None:
    """Log a lower-case phrase with its key=value pairs; `cause` adds its traceback.

    event(log, Level.WARN, "daemon is down", daemon=name, reason=reason)
    """
    logger.log(level.levelno, message, exc_info=cause, extra={FIELDS: fields})


def dropped_events() -> int:
    """Return the number of events that could not be written to standard error."""
    return _StderrHandler.dropped


class _StderrHandler(logging.Handler):
    """Writes events to standard error, and drops those that nothing reads: it never waits."""

    dropped: ClassVar[int] = 0
    _unreported = 0
    _cut = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write an event, behind the number of those that were dropped before it."""
        lines = [self.format(record)]
        if self._unreported:
            lines.insert(0, self._format_dropped())
        text = "\n".join([*([""] if self._cut else []), *lines, ""])
        if self._write(text.encode(errors="backslashreplace")):
            self._unreported = 0
        else:
            self._unreported += 1
            _StderrHandler.dropped += 1

    def _format_dropped(self) -> str:
        record = logging.LogRecord(
            __name__, logging.WARNING, "", 0, "log events dropped", None, None
        )
        setattr(record, FIELDS, {"count": self._unreported})
        return self.format(record)

    def _write(self, line: bytes) -> bool:
        """Write as much as is possible at once; return whether that is all."""
        try:
            descriptor = sys.stderr.fileno()
        except (AttributeError, OSError, ValueError):  # closed, or replaced by what has none
            return self._write_to_stream(line)
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        rest = line
        while rest:
            try:
                # A pipe that is ready takes this much at once.
                if not poll.poll(0):
                    break
                rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]
            except OSError:  # the reader has gone, or the disk is full
                break
        if len(rest) < len(line):
            self._cut = bool(rest)
        return not rest

    @staticmethod
    def _write_to_stream(line: bytes) -> bool:
        try:
            sys.stderr.write(line.decode())
            sys.stderr.flush()
        except (AttributeError, OSError, ValueError):
            return False
        return True


class EventFormatter(logging.Formatter):
    """Formats a record as one line of printable text."""

    def __init__(self, log_format: LogFormat) -> None:
        super().__init__()
        self._format: Callable[[Mapping[str, object]], str] = _FORMATTERS[log_format]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        base_fields = {
            "ts": _timestamp(record.created),
            "level": _level_name(record.levelno),
            "msg": record.getMessage(),
            "logger": record.name,
        }
        fields: Mapping[str, object] = getattr(record, FIELDS, {})
        # The base fields are merged twice: first, for their order, and last, so that no field
        # overrides them.
        return self._format(base_fields | dict(fields) | base_fields | _traceback(record))


def _timestamp(seconds: float) -> str:
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _level_name(levelno: int) -> Level:
    reached = [level for level in Level if level.levelno <= levelno]
    return reached[-1] if reached else Level.DEBUG


def _traceback(record: logging.LogRecord) -> dict[str, str]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    return {"exception": _TRACEBACK.formatException(record.exc_info)}


def _as_logfmt(event_fields: Mapping[str, object]) -> str:
    return " ".join(
        f"{key}={_logfmt_value(_json_value(value))}" for key, value in event_fields.items()
    )


def _as_json(event_fields: Mapping[str, object]) -> str:
    return _escape({key: _json_value(value) for key, value in event_fields.items()})


def _json_value(value: object) -> str | float | None:
    """Return a value that JSON has; infinities and NaN become text."""
    if (
        value is None
        or isinstance(value, int)
        or (isinstance(value, float) and math.isfinite(value))
    ):
        return value
    return str(value)


def _logfmt_value(value: str | float | None) -> str:
    """Return a value of logfmt, quoted only if necessary."""
    if not isinstance(value, str):
        return json.dumps(value)
    if value and value.isprintable() and not set(value) & set(' "=\\'):
        return value
    return _escape(value)


def _escape(value: object) -> str:
    # Printable ASCII only: no line separator, terminal escape or text direction mark.
    return json.dumps(value, ensure_ascii=True)


_FORMATTERS = {LogFormat.LOGFMT: _as_logfmt, LogFormat.JSON: _as_json}
