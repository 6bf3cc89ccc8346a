import json
import logging
import os
import re
import sys
import warnings
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.log import EventFormatter, Level, LogFormat, configure, dropped_events, event
from exporter.secret import Secret
from tests.log_capture import restore_logging

LOGGER = logging.getLogger("exporter.test")


__all__ = ["restore_logging"]


def line(log_format: LogFormat, message: str = "daemon is up", /, **fields: object) -> str:
    record = LOGGER.makeRecord(
        LOGGER.name, logging.INFO, "", 0, "%s", (message,), None, extra={"fields": fields}
    )
    record.created = 1_700_000_000.0625
    return EventFormatter(log_format).format(record)


def fail() -> None:
    raise ValueError("first\nsecond")


def failure() -> ValueError:
    with pytest.raises(ValueError, match="first") as caught:
        fail()
    return caught.value


def test_logfmt_is_time_level_message_logger_and_the_fields_in_order() -> None:
    assert line(LogFormat.LOGFMT, daemon="office", polls=3, up=True, ratio=0.5, reason=None) == (
        'ts=2023-11-14T22:13:20.062Z level=info msg="daemon is up" logger=exporter.test '
        "daemon=office polls=3 up=true ratio=0.5 reason=null"
    )


def test_json_has_the_same_fields_with_their_types() -> None:
    assert json.loads(line(LogFormat.JSON, daemon="Büro", polls=3, up=True, reason=None)) == {
        "ts": "2023-11-14T22:13:20.062Z",
        "level": "info",
        "msg": "daemon is up",
        "logger": "exporter.test",
        "daemon": "Büro",
        "polls": 3,
        "up": True,
        "reason": None,
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Büro", "Büro"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('say "x"', '"say \\"x\\""'),
        ("a\\b", '"a\\\\b"'),
        ("x level=error\nts=0", '"x level=error\\nts=0"'),
        ("\x1b[31m\x7f", '"\\u001b[31m\\u007f"'),
        ("a\u2028b\u0085c", '"a\\u2028b\\u0085c"'),
        ("left\u202eright", '"left\\u202eright"'),
        (b"bytes", "b'bytes'"),
        (float("nan"), "nan"),
        (Level.WARN, "warn"),
    ],
)
def test_logfmt_value_is_quoted_only_if_necessary(value: object, written: str) -> None:
    assert line(LogFormat.LOGFMT, value=value).partition(" value=")[2] == written


def test_infinity_and_nan_are_text_in_json() -> None:
    assert '"value": "inf"' in line(LogFormat.JSON, value=float("inf"))


@pytest.mark.parametrize("log_format", LogFormat)
@given(value=st.text())
def test_event_has_one_line_with_any_value_and_message(log_format: LogFormat, value: str) -> None:
    written = line(log_format, value, value=value)
    assert written.isprintable()
    if log_format is LogFormat.JSON:
        assert json.loads(written)["value"] == json.loads(written)["msg"] == value


def test_field_does_not_override_a_base_field() -> None:
    written = json.loads(line(LogFormat.JSON, level="error", msg="other", ts="0", logger="x"))
    assert (written["level"], written["msg"]) == ("info", "daemon is up")
    assert (written["ts"][:4], written["logger"]) == ("2023", "exporter.test")


@pytest.mark.parametrize("log_format", LogFormat)
def test_secret_is_not_logged(log_format: LogFormat) -> None:
    written = line(log_format, password=Secret("hunter2"), all=[Secret("hunter2")])
    assert "hunter2" not in written
    assert "***" in written


@pytest.mark.parametrize("log_format", LogFormat)
def test_event_is_written_to_standard_error_as_one_line(
    log_format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Level.INFO, log_format)
    event(LOGGER, Level.WARN, "daemon is 100% down", daemon="office")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "daemon is 100% down" in err
    assert "office" in err


@pytest.mark.parametrize("log_format", LogFormat)
def test_traceback_of_a_cause_is_on_the_same_line(
    log_format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Level.INFO, log_format)
    event(LOGGER, Level.ERROR, "poll failed", cause=failure())
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "Traceback (most recent call last):\\n" in err
    assert "ValueError: first\\nsecond" in err


def test_exceptions_of_other_libraries_are_on_the_same_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(Level.INFO, LogFormat.JSON)
    try:
        fail()
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "::1")
    written = json.loads(capsys.readouterr().err)
    assert written["msg"] == "Error handling request from ::1"
    assert written["logger"] == "aiohttp.server"
    assert written["exception"].endswith("ValueError: first\nsecond")


@pytest.mark.parametrize("level", Level)
def test_only_the_level_and_above_are_written(
    level: Level, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(level, LogFormat.LOGFMT)
    for each in Level:
        event(LOGGER, each, "something happened")
    written = re.findall("level=([a-z]+)", capsys.readouterr().err)
    assert written == list(Level)[list(Level).index(level) :]


@pytest.mark.parametrize(
    ("number", "word"), [(5, "debug"), (25, "info"), (logging.CRITICAL, "error")]
)
def test_levels_of_other_libraries_are_mapped(
    number: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Level.DEBUG, LogFormat.LOGFMT)
    logging.getLogger().setLevel(1)
    LOGGER.log(number, "something happened")
    assert f" level={word} " in capsys.readouterr().err


def test_later_configuration_replaces_an_earlier_one(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Level.DEBUG, LogFormat.LOGFMT)
    configure(Level.INFO, LogFormat.JSON)
    event(LOGGER, Level.INFO, "once")
    assert json.loads(capsys.readouterr().err)["msg"] == "once"


def test_warnings_of_python_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure(Level.INFO, LogFormat.LOGFMT)
        warnings.warn("old\nways", DeprecationWarning, stacklevel=1)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "logger=py.warnings" in err


def pipe_as_stderr(monkeypatch: pytest.MonkeyPatch) -> tuple[int, TextIO]:
    """Make standard error a pipe; return its other end."""
    reading, writing = os.pipe()
    stderr = os.fdopen(writing, "w")
    monkeypatch.setattr(sys, "stderr", stderr)
    configure(Level.INFO, LogFormat.LOGFMT)
    return reading, stderr


def test_events_that_nothing_reads_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, stderr = pipe_as_stderr(monkeypatch)
    before = dropped_events()
    for number in range(2000):
        event(LOGGER, Level.INFO, "x" * 100, number=number)
    dropped = dropped_events() - before
    assert dropped > 0
    written = os.read(reading, 1 << 20).decode()
    event(LOGGER, Level.INFO, "at last", text="x" * 10_000)
    stderr.close()
    with os.fdopen(reading) as rest:
        lines = (written + rest.read()).splitlines()
    assert sum("number=" in line for line in lines) in {2000 - dropped, 2001 - dropped}
    assert f'msg="log events dropped" logger=exporter.log count={dropped}' in lines[-2]
    assert lines[-1].startswith("ts=")
    assert "at last" in lines[-1]


def test_events_without_a_reader_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, stderr = pipe_as_stderr(monkeypatch)
    os.close(reading)
    before = dropped_events()
    for _ in range(3):
        event(LOGGER, Level.INFO, "x")
    assert dropped_events() == before + 3
    stderr.close()


def test_events_are_dropped_if_standard_error_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, stderr = pipe_as_stderr(monkeypatch)
    stderr.close()
    before = dropped_events()
    event(LOGGER, Level.INFO, "x")
    monkeypatch.setattr(sys, "stderr", None)
    event(LOGGER, Level.INFO, "x")
    assert dropped_events() == before + 2
