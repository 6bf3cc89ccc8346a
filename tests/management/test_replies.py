"""Replies other than the status."""

from collections.abc import Callable

import pytest

from exporter.management import replies
from exporter.management.batches import run_batches
from exporter.management.errors import ReplyError
from exporter.management.notifications import LogLine
from exporter.management.replies import MAX_LOG_LINES, MAX_STATES, LoadStats, Version
from exporter.management.state import State, StateName
from exporter.management.values import MAX_TIME
from tests.steps import assert_linear, count_steps

FEATURES = "[SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11] [MH/PKTINFO] [AEAD]"


@pytest.mark.parametrize(
    ("text", "management", "version"),
    [
        (
            f"OpenVPN 2.3.18 x86_64-unknown-linux-gnu {FEATURES} built on Nov 23 2026",
            "Management Version: 1",
            Version("2.3.18", "x86_64-unknown-linux-gnu", "1"),
        ),
        (
            f"OpenVPN 2.5.11 x86_64-pc-linux-gnu {FEATURES} built on Nov 23 2026",
            "Management Version: 3",
            Version("2.5.11", "x86_64-pc-linux-gnu", "3"),
        ),
        (
            f"OpenVPN 2.6.14 x86_64-pc-linux-gnu {FEATURES} [DCO]",
            "Management Version: 5",
            Version("2.6.14", "x86_64-pc-linux-gnu", "5"),
        ),
        (
            f"OpenVPN 2.8_git x86_64-pc-linux-gnu {FEATURES} [DCO]",
            "Management Version: 6",
            Version("2.8_git", "x86_64-pc-linux-gnu", "6"),
        ),
        (
            f"OpenVPN 2.8_git [git:master/3de92608] x86_64-pc-linux-gnu {FEATURES} [DCO]",
            "Management Version: 6",
            Version("2.8_git", "x86_64-pc-linux-gnu", "6"),
        ),
        (f"OpenVPN 2.1.4 {FEATURES}", "Management Version: 1", Version("2.1.4", "", "1")),
        ("OpenVPN 2.9", "", Version("2.9", "", "")),
    ],
)
def test_a_version_is_parsed(text: str, management: str, version: Version) -> None:
    lines = [f"OpenVPN Version: {text}".encode(), management.encode()]
    assert replies.parse_version(lines) == version


def test_the_title_of_a_status_has_a_version_or_none() -> None:
    title = f"OpenVPN 2.6.14 x86_64-pc-linux-gnu {FEATURES} built on Nov 23 2026"
    assert replies.parse_title(title) == Version("2.6.14", "x86_64-pc-linux-gnu", "")
    assert replies.parse_title(f"OpenVPN 2.1.4 {FEATURES}") == Version("2.1.4", "", "")
    assert replies.parse_title("") is None


@pytest.mark.parametrize(
    "lines", [(), (b"",), (b"OpenVPN Version: ",), (b"Management Version: 5",), (b"1,2",)]
)
def test_a_reply_without_a_version_is_an_error(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(ReplyError, match="'version'"):
        replies.parse_version(lines)


def test_settings_are_parsed() -> None:
    assert replies.parse_pid(b"pid=17954") == 17954
    assert replies.parse_verb(b"verb=3") == 3
    assert replies.parse_hold(b"hold=0") is False
    assert replies.parse_hold(b"hold=1") is False


def test_a_reply_to_hold_that_is_not_the_daemons_shows_a_pass_through() -> None:
    assert replies.parse_hold(b"hold release succeeded") is True


@pytest.mark.parametrize(
    ("parse", "name"),
    [(replies.parse_pid, b"pid"), (replies.parse_verb, b"verb"), (replies.parse_hold, b"hold")],
)
@pytest.mark.parametrize("text", [b"", b"%s", b"%s=", b"%s=-1", b"%s=x", b"mute=0", b"%s=1 2"])
def test_another_setting_is_an_error(
    parse: Callable[[bytes], int], name: bytes, text: bytes
) -> None:
    with pytest.raises(ReplyError, match=name.decode()):
        parse(text.replace(b"%s", name))


def test_load_stats_are_parsed() -> None:
    text = b"nclients=1,bytesin=3005,bytesout=18446744073709551615"
    assert replies.parse_load_stats(text) == LoadStats(1, 3005, 2**64 - 1)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"pid=1",
        b"nclients=1,bytesin=3005",
        b"nclients=1,bytesin=3005,bytesout=-1",
        b"nclients=1,bytesin=3005,bytesout=18446744073709551616",
        b"nclients=1,bytesin=3005,bytesout=3148,more=1",
        "nclients=\u0661,bytesin=1,bytesout=1".encode(),
    ],
)
def test_invalid_load_stats_are_an_error(text: bytes) -> None:
    with pytest.raises(ReplyError, match="'load-stats'"):
        replies.parse_load_stats(text)


def test_a_reply_error_quotes_the_reply_cleaned_and_bounded() -> None:
    with pytest.raises(ReplyError) as wrong:
        replies.parse_load_stats(b"\x1b[2J" + b"x" * 1000)
    assert "[2Jxxx" in str(wrong.value)
    assert "\x1b" not in str(wrong.value)
    assert len(str(wrong.value)) < 200


def test_a_history_is_parsed_and_invalid_lines_are_skipped() -> None:
    distant = b"%d,WAIT,,,,,," % (MAX_TIME + 1)
    lines = (b"1,CONNECTING,,,,,,", b"nonsense", distant, b"2,WAIT,,,,,,")
    assert replies.parse_states(lines) == (
        State(1, StateName.CONNECTING, ""),
        State(2, StateName.WAIT, ""),
    )
    assert replies.parse_states(()) == ()


def test_invalid_lines_of_the_log_cache_are_skipped() -> None:
    """Before 2.5.11 and 2.6.11 a message may contain a line break."""
    distant = b"%d,N,in the year 10000" % (MAX_TIME + 1)
    lines = [b"1795406061,N,one, with a comma", b"the rest of it", distant, b"1795406062,,two"]
    assert run_batches(replies.parse_log_cache(lines)) == (
        LogLine(1795406061, "N", "one, with a comma"),
        LogLine(1795406062, "", "two"),
    )


def test_a_history_without_an_entry_is_an_error() -> None:
    lines = (b"nonsense", b"more of it")
    with pytest.raises(ReplyError, match="'state'"):
        replies.parse_states(lines)
    with pytest.raises(ReplyError, match="'log all'"):
        run_batches(replies.parse_log_cache(lines))
    assert run_batches(replies.parse_log_cache(())) == ()


def test_of_a_state_history_no_more_is_read_than_openvpn_keeps() -> None:
    states = replies.parse_states([b"%d,WAIT,,,,,," % time for time in range(1000)])
    assert [state.time for state in states] == list(range(1000 - MAX_STATES, 1000))


def test_of_a_log_cache_the_last_lines_are_read_in_batches() -> None:
    parsing = replies.parse_log_cache([b"%d,,x" % time for time in range(2 * MAX_LOG_LINES)])
    assert next(parsing) is None
    assert sum(1 for _ in replies.parse_log_cache([b"1,,x"] * MAX_LOG_LINES)) == 10
    times = [line.time for line in run_batches(parsing)]
    assert times == list(range(MAX_LOG_LINES, 2 * MAX_LOG_LINES))


def test_a_version_of_many_lines_is_read_no_further_than_needed() -> None:
    lines = [b"OpenVPN Version: OpenVPN 2.6.14 x", *[b"a: %d" % line for line in range(10_000)]]
    assert replies.parse_version(lines).version == "2.6.14"
    assert_linear(lambda size: lambda: replies.parse_version(lines[:size]), 5000)
    assert count_steps(lambda: replies.parse_version(lines)) < 100
