"""Logging: one event a line on standard error, as logfmt or JSON.

Whatever a value holds, its event stays on one line: names of VPN clients, reasons of daemons and
tracebacks are escaped. Knows nothing of what is logged.
"""

import datetime
import enum
import json
import logging
import math
import sys
from collections.abc import Callable, Mapping

FIELDS = "fields"
"""The attribute of a log record that carries key=value pairs: `extra={"fields": {...}}`."""

_TRACEBACK = logging.Formatter()


class Level(enum.StrEnum):
    """How much is logged, by the words of Prometheus."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The level as `logging` counts it."""
        return _NUMBERS[self]


class Layout(enum.StrEnum):
    """How an event is written."""

    LOGFMT = "logfmt"
    JSON = "json"


_NUMBERS = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARN: logging.WARNING,
    Level.ERROR: logging.ERROR,
}


def configure(level: Level, layout: Layout) -> None:
    """Send every logger's events of `level` and above to standard error, and nowhere else.

    Warnings of the `warnings` module come along. A later call replaces an earlier one.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter(layout))
    logging.basicConfig(level=level.number, handlers=[handler], force=True)
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
    logger.log(level.number, message, exc_info=cause, extra={FIELDS: fields})


class EventFormatter(logging.Formatter):
    """Writes a record as one line of printable text."""

    def __init__(self, layout: Layout) -> None:
        """Write in `layout`."""
        super().__init__()
        self._write: Callable[[Mapping[str, object]], str] = _WRITERS[layout]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        head = {
            "ts": _timestamp(record.created),
            "level": _word(record.levelno),
            "msg": record.getMessage(),
            "logger": record.name,
        }
        fields: Mapping[str, object] = getattr(record, FIELDS, {})
        # A field cannot pass for a part of the head; the head comes first all the same.
        return self._write(head | dict(fields) | head | _traceback(record))


def _timestamp(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(number: int) -> Level:
    reached = [level for level in Level if level.number <= number]
    return reached[-1] if reached else Level.DEBUG


def _traceback(record: logging.LogRecord) -> dict[str, str]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    return {"exception": _TRACEBACK.formatException(record.exc_info)}


def _as_logfmt(event_fields: Mapping[str, object]) -> str:
    return " ".join(f"{key}={_bare(_plain(value))}" for key, value in event_fields.items())


def _as_json(event_fields: Mapping[str, object]) -> str:
    return _escape({key: _plain(value) for key, value in event_fields.items()})


def _plain(value: object) -> str | float | None:
    """Return a value of JSON; `bool` is among them, infinities and NaN become text."""
    if (
        value is None
        or isinstance(value, int)
        or (isinstance(value, float) and math.isfinite(value))
    ):
        return value
    return str(value)


def _bare(value: str | float | None) -> str:
    """Return a value of logfmt, in quotes only where it needs them."""
    if not isinstance(value, str):
        return json.dumps(value)
    if value and value.isprintable() and not set(value) & set(' "=\\'):
        return value
    return _escape(value)


def _escape(value: object) -> str:
    # Printable ASCII alone: no line separator, terminal escape or text direction mark gets out.
    return json.dumps(value, ensure_ascii=True)


_WRITERS = {Layout.LOGFMT: _as_logfmt, Layout.JSON: _as_json}
