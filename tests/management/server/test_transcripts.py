"""Byte for byte what OpenVPN 2.6.14 sent, apart from numbers such as times and process ids."""

import pytest

from exporter.management.server.commands import OPENVPN_2_6
from exporter.management.server.history import Show, history_actions, history_reply
from exporter.management.server.protocol import Request, ServerProtocol
from exporter.management.server.replies import encode_lines
from tests.management.server.transcripts import numberless, received, sent, serve


def protocol(password: bytes | None = None) -> ServerProtocol:
    return ServerProtocol(management_version=5, password=password)


def test_the_greeting() -> None:
    assert serve(protocol()) == received("server-0-clients/00-greeting")


@pytest.mark.parametrize(
    "name",
    [
        "correct",
        "crlf-line-endings",
        "empty-and-padded",
        "three-wrong",
        "two-wrong-then-right",
    ],
)
def test_a_login_line_by_line(name: str) -> None:
    lines = sent(f"password/{name}").splitlines(keepends=True)
    output = serve(protocol(b"s3cret"), lines)
    assert numberless(output) == numberless(received(f"password/{name}"))


@pytest.mark.parametrize(
    "name",
    ["pipelined", "three-wrong-in-one-write", "two-wrong-and-right-in-one-write"],
)
def test_a_login_in_one_write(name: str) -> None:
    output = serve(protocol(b"s3cret"), [sent(f"password/{name}")])
    assert numberless(output) == numberless(received(f"password/{name}"))


@pytest.mark.parametrize(
    "name",
    [
        "command-before-greeting-read",
        "half-close",
        "half-close-within-a-line",
        "long-commands",
        "one-hundred-commands-and-quit",
        "partial-and-cr",
        "pipelined-three-commands",
        "pipelined-with-quit",
        "quoting-and-bytes",
    ],
)
def test_commands_in_one_write(name: str) -> None:
    it = protocol()
    output = serve(it, [sent(f"framing/{name}")], eof=True)
    assert numberless(output) == numberless(received(f"framing/{name}"))
    assert it.closed


def test_missing_parameters() -> None:
    output = serve(protocol(), [sent("framing/missing-parameters")])
    assert output == received("framing/missing-parameters")


def test_a_whole_session_line_by_line() -> None:
    name = "server-0-clients/99-whole-session"
    it = protocol()
    output = serve(it, sent(name).splitlines(keepends=True))
    assert output == received(name)
    assert it.closed


def test_lines_without_a_command_are_logged_and_not_answered() -> None:
    name = "framing/lines-without-a-command"
    it, logging = protocol(), False
    output = serve(it)
    for line in sent(name).splitlines(keepends=True):
        it.receive(line)
        while (event := it.next_event()) is not None:
            assert not hasattr(event, "reply")
            text = getattr(event, "line", None)
            if logging and text is not None:
                it.notify(encode_lines([f">LOG:1,D,MANAGEMENT: CMD '{text}'"]))
            if isinstance(event, Request) and event.name == "log":
                (action,) = history_actions(event.words)
                logging = event.words[1] == "on"
                it.reply(history_reply("log", action, ()))
            elif isinstance(event, Request):
                it.reply(b"SUCCESS: pid=1\r\n")
        output += it.output()
    assert numberless(output) == numberless(received(name))


def test_a_daemon_that_waits_sends_each_reply_at_once() -> None:
    name = "hold/pipelined-with-quit"
    it = protocol()
    assert it.next_event() is not None
    it.notify(b">HOLD:Waiting for hold release:0\r\n")
    it.receive(sent(name))
    while (event := it.next_event()) is not None:
        if isinstance(event, Request):
            it.reply(
                b"SUCCESS: pid=1\r\n"
                if event.name == "pid"
                else b"1795406176,CONNECTING,,,,,,\r\nEND\r\n"
            )
            it.flush()
    assert numberless(it.output()) == numberless(received(name))


@pytest.mark.parametrize("name", ["server-0-clients/13-help", "client-mode/22-help"])
def test_the_help(name: str) -> None:
    title = received(name).split(b"\r\n")[0].decode().removeprefix("Management Interface for ")
    assert encode_lines((*OPENVPN_2_6.help(title), "END")) == received(name)


def test_the_parameters_of_state_and_log() -> None:
    it = protocol()
    output = serve(it)
    it.receive(sent("framing/history-parameters"))
    entry = b"1795621881,CONNECTED,SUCCESS,10.8.7.1,,,127.0.0.1,20006,fd00:8:0:7::1"
    while (event := it.next_event()) is not None:
        if isinstance(event, Request):
            actions = history_actions(event.words)
            it.reply(b"".join(history_reply(event.name, action, (entry,)) for action in actions))
    assert output + it.output() == received("framing/history-parameters")


def test_state_alone_shows_the_newest_entry() -> None:
    assert list(history_actions(["state"])) == [Show(1)]


def test_more_entries_are_asked_for_than_there_are() -> None:
    lines = received("server-0-clients/log-cache-5").split(b"\r\n")
    start = lines.index(b"END", lines.index(b"END") + 1) + 1  # the reply to `log 99`
    entries = lines[start : start + 5]
    reply = b"\r\n".join([*entries, b"END", b""])
    assert history_reply("log", Show(99), entries) == reply
    assert history_reply("log", Show(2), entries) == b"\r\n".join([*entries[-2:], b"END", b""])
    assert lines[start + 5] == b"END"
