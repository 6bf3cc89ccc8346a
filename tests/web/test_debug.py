from pathlib import Path

import pytest

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.commands import Command
from exporter.management.errors import ConnectionRefused
from exporter.management.messages import ErrorReply, MultilineReply, Reply, SuccessReply
from exporter.state.daemon import DaemonState
from exporter.state.privacy import NoClientsPrivacy
from exporter.transport.history import (
    MAX_KEYWORDS,
    MAX_LINE_LENGTH,
    MAX_LINES,
    CommandHistory,
)
from exporter.web.debug import render_debug
from tests.fake_daemon import STATUS_1, STATUS_3
from tests.metrics.daemons import new_daemon


def reply_lines(
    command: Command, reply: Reply | None, *, series: bool = True, info: bool = True
) -> list[str]:
    history = CommandHistory()
    if reply is None:
        history.add_timeout(command, ended=8.0, seconds=10.0)
    else:
        history.add_reply(command, reply, ended=8.0, seconds=0.25)
    clients = ClientsConfig(series=series, info=info)
    text = render_debug(new_daemon(), history, clients, now=10.0)
    return text.partition("\n\n")[2].splitlines()


def test_the_tabs_between_fields_are_kept() -> None:
    rows = MultilineReply((b"HEADER\tCLIENT_LIST\tCommon Name", b"a\x1b\tb"))
    assert reply_lines(Command.STATUS_3, rows)[1:3] == [
        "< HEADER\tCLIENT_LIST\tCommon Name",
        "< a\\x1b\tb",
    ]


def test_a_command_precedes_its_reply() -> None:
    assert reply_lines(Command.PID, SuccessReply(b"pid=4711")) == [
        "> pid    (2.0 s ago)",
        "< SUCCESS: pid=4711",
        "  (1 lines in 0.250 s)",
    ]


def test_a_missing_reply_is_reported() -> None:
    assert reply_lines(Command.PID, None)[1] == "< (no complete reply after 10.000 s)"


def test_clients_are_shown_if_the_metrics_show_them() -> None:
    lines = reply_lines(Command.STATUS_3, MultilineReply(STATUS_3[:-1]))
    assert any("alice" in line and "192.0.2.7" in line for line in lines)


@pytest.mark.parametrize("hidden", ["series", "info"])
@pytest.mark.parametrize(
    ("command", "lines"), [(Command.STATUS_3, STATUS_3), (Command.STATUS_1, STATUS_1)]
)
def test_clients_are_hidden_if_the_metrics_hide_them(
    hidden: str, command: Command, lines: tuple[bytes, ...]
) -> None:
    text = "\n".join(reply_lines(command, MultilineReply(lines[:-1]), **{hidden: False}))
    assert "alice" not in text
    assert "192.0.2.7" not in text
    assert "10.8.0.2" not in text
    assert "more lines)" in text


def test_the_daemons_log_is_never_shown() -> None:
    assert reply_lines(Command.LOG_ALL, MultilineReply((b"1,I,alice/192.0.2.7 x",))) == [
        "> log all    (2.0 s ago)",
        "< (1 more lines)",
        "  (1 lines in 0.250 s)",
    ]


def test_the_text_of_an_error_is_never_shown() -> None:
    """It may repeat a password that the daemon read as a command."""
    lines = reply_lines(Command.PID, ErrorReply(b"unknown command [hunter2], enter 'help'"))
    assert "hunter2" not in "".join(lines)


def test_a_long_reply_is_truncated() -> None:
    lines = reply_lines(Command.STATUS_3, MultilineReply((b"x" * 1000,) * 1000))
    assert len([line for line in lines if line.startswith("< x")]) == MAX_LINES
    assert max(map(len, lines)) <= MAX_LINE_LENGTH + 2
    assert f"< ({1000 - MAX_LINES} more lines)" in lines


def test_text_of_a_peer_stays_on_one_line_without_control_characters() -> None:
    lines = reply_lines(Command.VERSION, MultilineReply((b"a\x1b[31m\rb\xff",)))
    assert lines[1] == r"< a\x1b[31m\x0db\xff"


def test_the_last_reply_to_each_command_is_kept_in_their_order() -> None:
    history = CommandHistory()
    history.add_reply(Command.PID, SuccessReply(b"pid=1"), ended=1.0, seconds=0.0)
    for number in range(2, 20):
        load = SuccessReply(b"nclients=%d" % number)
        history.add_reply(Command.LOAD_STATS, load, ended=number, seconds=0.0)
    history.add_timeout(Command.PID, ended=20.0, seconds=10.0)
    assert [(entry.command, entry.lines) for entry in history.entries] == [
        (Command.LOAD_STATS, [b"SUCCESS: nclients=19"]),
        (Command.PID, []),
    ]


@pytest.mark.parametrize("command", [Command.STATUS_3, Command.STATE_ALL, Command.VERSION])
def test_a_daemon_with_private_clients_has_no_reply_shown(command: Command) -> None:
    daemon = new_daemon()
    daemon.privacy = NoClientsPrivacy()
    history = CommandHistory()
    history.add_reply(command, MultilineReply(STATUS_3[:-1]), ended=8.0, seconds=0.25)
    text = render_debug(daemon, history, ClientsConfig(), now=10.0)
    assert text.endswith(f"< ({len(STATUS_3) - 1} more lines)\n  (7 lines in 0.250 s)\n")
    assert "alice" not in text


def test_keywords_of_messages_are_limited() -> None:
    history = CommandHistory()
    for number in range(MAX_KEYWORDS + 10):
        history.count_notification(f"K{number}")
    history.count_notification("K0")
    assert (history.notification_counts["K0"], history.notification_counts["…"]) == (2, 10)
    text = render_debug(new_daemon(), history, ClientsConfig(), now=0.0)
    assert "K0 2" in text


def test_the_down_reason_is_shown() -> None:
    daemon = new_daemon()
    daemon.on_down(ConnectionRefused("127.0.0.1:1: connection refused"))
    text = render_debug(daemon, CommandHistory(), ClientsConfig(), now=0.0)
    assert "down: refused: 127.0.0.1:1: connection refused" in text
    assert "No command was sent in this session yet." in text


def test_a_daemon_without_a_management_interface_has_no_commands() -> None:
    daemon = DaemonState(Target(DaemonConfig(name="office", status_file=Path("/x"))))
    text = render_debug(daemon, CommandHistory(), ClientsConfig(), now=10.0)
    assert text.endswith("only a status file.\n")
