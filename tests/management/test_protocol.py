"""Framing: received bytes become messages."""

from collections.abc import Callable

import pytest

from exporter.management.errors import ProtocolError
from exporter.management.messages import (
    ErrorReply,
    Message,
    MultilineReply,
    Notification,
    PasswordPrompt,
    SuccessReply,
    Truncated,
    UnexpectedLine,
)
from exporter.management.protocol import (
    ENV_LIMIT,
    ENV_SIZE_LIMIT,
    LINE_COST,
    LINE_LIMIT,
    LOGIN_LINE_LIMIT,
    PASSWORD_PROMPT,
    ManagementProtocol,
)
from exporter.secret import Secret
from tests.management.buffered import buffered
from tests.steps import assert_linear

GREETING_TEXT = b"OpenVPN Management Interface Version 5 -- type 'help' for more info"
GREETING = b">INFO:" + GREETING_TEXT + b"\r\n"
FORMAT_1 = (
    b"OpenVPN CLIENT LIST",
    b"Updated,2026-11-23 03:53:03",
    b"Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
)


def greeted(*, reply_limit: int = 1024 * 1024) -> ManagementProtocol:
    protocol = ManagementProtocol(reply_limit=reply_limit)
    protocol.receive_data(GREETING)
    return protocol


def messages_of(*lines: bytes, end: bytes = b"\r\n") -> list[Message]:
    return greeted().receive_data(b"".join(line + end for line in lines))


def log(text: bytes) -> Notification:
    return Notification("LOG", b"1795404638,," + text)


def test_a_session_begins_with_the_greeting() -> None:
    protocol = ManagementProtocol()
    assert not protocol.greeted
    assert protocol.receive_data(GREETING) == [Notification("INFO", GREETING_TEXT)]
    assert protocol.greeted


def test_a_hold_prompt_comes_after_the_greeting() -> None:
    messages = ManagementProtocol().receive_data(GREETING + b">HOLD:Waiting for hold release:0\r\n")
    assert messages[1:] == [Notification("HOLD", b"Waiting for hold release:0")]


def test_the_password_prompt_has_no_line_end() -> None:
    protocol = ManagementProtocol()
    assert protocol.receive_data(b"ENTER PASSWORD") == []
    assert protocol.receive_data(b":") == [PasswordPrompt()]
    assert not protocol.greeted


def test_a_wrong_password_is_answered_by_the_prompt_again() -> None:
    protocol = ManagementProtocol()
    assert protocol.receive_data(b"ENTER PASSWORD:" * 2) == [PasswordPrompt(), PasswordPrompt()]
    assert protocol.receive_data(b"ENTER PASSWORD:") == [PasswordPrompt()]


def test_the_right_password_leads_to_the_greeting() -> None:
    protocol = ManagementProtocol()
    messages = protocol.receive_data(b"ENTER PASSWORD:SUCCESS: password is correct\r\n" + GREETING)
    assert messages == [
        PasswordPrompt(),
        SuccessReply(b"password is correct"),
        Notification("INFO", GREETING_TEXT),
    ]
    assert protocol.greeted


def test_a_password_is_sent_as_one_line() -> None:
    assert ManagementProtocol().send_password(Secret("s3cret ü")) == "s3cret ü\n".encode()


def test_a_password_cannot_contain_a_command() -> None:
    with pytest.raises(ValueError, match="one line"):
        ManagementProtocol().send_password(Secret("s3cret\nsignal SIGTERM"))


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_lines_end_with_or_without_a_carriage_return(end: bytes) -> None:
    assert messages_of(b"SUCCESS: pid=1", b">STATE:x", b"a,b", b"END", end=end) == [
        SuccessReply(b"pid=1"),
        Notification("STATE", b"x"),
        MultilineReply((b"a,b",)),
    ]


def test_only_one_carriage_return_is_part_of_the_line_end() -> None:
    assert messages_of(b"a\r", b"END") == [MultilineReply((b"a\r",))]


def test_a_one_line_reply_is_a_success_or_an_error() -> None:
    assert messages_of(b"SUCCESS: pid=17954", b"ERROR: unknown command", b"SUCCESS:") == [
        SuccessReply(b"pid=17954"),
        ErrorReply(b"unknown command"),
        SuccessReply(b""),
    ]


def test_a_multiline_reply_ends_only_at_a_line_that_is_end() -> None:
    lines = (b"END,127.0.0.1:1,2", b"ENDING", b" END", b"END ", b"end", b"a END")
    assert messages_of(*lines, b"END") == [MultilineReply(lines)]


def test_a_multiline_reply_may_be_empty() -> None:
    assert messages_of(b"END", b"END") == [MultilineReply(()), MultilineReply(())]


def test_an_empty_line_within_a_multiline_reply_is_part_of_it() -> None:
    assert messages_of(b"a", b"", b"b", b"END") == [MultilineReply((b"a", b"", b"b"))]


def test_an_empty_line_outside_a_reply_is_unexpected() -> None:
    assert messages_of(b"") == [UnexpectedLine(b"")]


def test_notifications_may_come_before_within_and_after_a_reply() -> None:
    lines = (b"a,1", b"b,2")
    messages = messages_of(
        b">LOG:1795404638,,before",
        b"a,1",
        b">LOG:1795404638,,inside",
        b"b,2",
        b"END",
        b">LOG:1795404638,,after",
        b"SUCCESS: x",
    )
    assert messages == [
        log(b"before"),
        log(b"inside"),
        MultilineReply(lines),
        log(b"after"),
        SuccessReply(b"x"),
    ]


def test_the_text_of_a_log_line_is_not_framed() -> None:
    text = b"MANAGEMENT: >STATE:1795404638,CONNECTED,SUCCESS,,,,,"
    assert messages_of(b">LOG:1795404638,," + text) == [log(text)]


def test_an_env_block_is_part_of_one_notification() -> None:
    messages = messages_of(
        b">CLIENT:ESTABLISHED,0",
        b">CLIENT:ENV,n_clients=1",
        b">CLIENT:ENV,common_name=Doe, John",
        b">CLIENT:ENV,END",
    )
    variables = (b"n_clients=1", b"common_name=Doe, John")
    assert messages == [Notification("CLIENT", b"ESTABLISHED,0", variables)]


@pytest.mark.parametrize(
    ("keyword", "payload"),
    [
        (b"CLIENT", b"CONNECT,0,1"),
        (b"CLIENT", b"REAUTH,0,1"),
        (b"CLIENT", b"DISCONNECT,0"),
        (b"CLIENT", b"CR_RESPONSE,0,1,U0VDUkVU"),
        (b"UPDOWN", b"UP"),
        (b"UPDOWN", b"DOWN"),
    ],
)
def test_each_env_event_waits_for_its_block(keyword: bytes, payload: bytes) -> None:
    opener = b">" + keyword + b":" + payload
    [message] = messages_of(opener, b">" + keyword + b":ENV,a=b", b">" + keyword + b":ENV,END")
    assert message == Notification(keyword.decode(), payload, (b"a=b",))


def test_client_address_has_no_env_block() -> None:
    payload = b"ADDRESS,0,10.8.0.2,1"
    assert messages_of(b">CLIENT:" + payload) == [Notification("CLIENT", payload)]


def test_another_notification_may_come_within_an_env_block() -> None:
    messages = messages_of(
        b">CLIENT:ESTABLISHED,0",
        b">LOG:1795404638,,invalid peer info",
        b">CLIENT:ENV,a=b",
        b"SUCCESS: pid=1",
        b">CLIENT:ENV,END",
    )
    assert messages == [
        log(b"invalid peer info"),
        SuccessReply(b"pid=1"),
        Notification("CLIENT", b"ESTABLISHED,0", (b"a=b",)),
    ]


def test_passwords_in_an_env_block_are_dropped() -> None:
    [message] = messages_of(
        b">CLIENT:CONNECT,0,1",
        b">CLIENT:ENV,username=alice",
        b">CLIENT:ENV,password=s3cret",
        b">CLIENT:ENV,auth_token=t0ken",
        b">CLIENT:ENV,END",
    )
    assert message == Notification("CLIENT", b"CONNECT,0,1", (b"username=alice",))


def test_an_env_block_interrupted_by_another_is_truncated() -> None:
    messages = messages_of(
        b">CLIENT:ESTABLISHED,0",
        b">CLIENT:ENV,a=b",
        b">CLIENT:ESTABLISHED,1",
        b">CLIENT:ENV,END",
    )
    assert messages == [Truncated(2), Notification("CLIENT", b"ESTABLISHED,1")]


@pytest.mark.parametrize("line", [b">CLIENT:ENV,a=b", b">CLIENT:ENV,END", b">UPDOWN:ENV,a=b"])
def test_an_env_line_without_its_event_is_unexpected(line: bytes) -> None:
    assert messages_of(line) == [UnexpectedLine(line)]


def test_an_env_line_of_another_keyword_is_unexpected() -> None:
    messages = messages_of(b">CLIENT:ESTABLISHED,0", b">UPDOWN:ENV,a=b", b">CLIENT:ENV,END")
    assert messages == [
        UnexpectedLine(b">UPDOWN:ENV,a=b"),
        Notification("CLIENT", b"ESTABLISHED,0"),
    ]


@pytest.mark.parametrize("line", [b">", b">lower:x", b">NO COLON", b"> INFO:x", b">:x"])
def test_a_line_with_an_invalid_keyword_is_unexpected(line: bytes) -> None:
    assert messages_of(line) == [UnexpectedLine(line)]


@pytest.mark.parametrize("line", [b"SUCCESS: pid=1", b"ERROR: no"])
def test_a_multiline_reply_without_end_is_dropped_at_the_next_reply(line: bytes) -> None:
    messages = messages_of(b"TITLE\tOpenVPN 2.6.14", b"TIME\t2026-11-23 03:53:03\t1795405983", line)
    assert messages[0] == Truncated(2)
    assert len(messages) == 2


def test_the_multiline_reply_after_one_without_end_is_complete() -> None:
    messages = messages_of(b"TITLE\tx", b"SUCCESS: pid=1", b"TITLE\ty", b"END")
    assert messages == [Truncated(1), SuccessReply(b"pid=1"), MultilineReply((b"TITLE\ty",))]


@pytest.mark.parametrize(
    "name", [b">FATAL:not really", b"SUCCESS: x", b"ERROR: x", b"END", b"ENTER PASSWORD:", b">a,b"]
)
@pytest.mark.parametrize("date", [b"2026-11-23 03:53:03", b"Mon Nov 23 03:43:31 2026"])
def test_a_row_of_format_1_may_begin_like_a_message(name: bytes, date: bytes) -> None:
    row = name + b",127.0.0.1:60465,2985,3082," + date
    assert messages_of(*FORMAT_1, row, b"END") == [MultilineReply((*FORMAT_1, row))]


def test_a_message_within_a_status_of_format_1_is_a_message() -> None:
    messages = messages_of(*FORMAT_1, b">FATAL:out of memory, really", b"SUCCESS: pid=1")
    assert messages == [
        Notification("FATAL", b"out of memory, really"),
        Truncated(3),
        SuccessReply(b"pid=1"),
    ]


def test_a_line_like_a_row_outside_a_status_of_format_1_is_a_message() -> None:
    row = b">FATAL:x,127.0.0.1:60465,2985,3082,2026-11-23 03:53:03"
    assert messages_of(row, b"TITLE\tx", row)[0] == Notification(
        "FATAL", row.removeprefix(b">FATAL:")
    )
    assert len(messages_of(b"TITLE\tx", row)) == 1


@pytest.mark.parametrize(
    "first",
    [
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"220 mail.example ESMTP\r\n",
        b"ERROR: not a daemon\r\n",
        b">hello\r\n",
        b"END\r\n",
        b"\x15\x03\x01\x00\x02\x02\x0a\n",
    ],
)
def test_a_peer_that_is_not_openvpn_is_a_protocol_error(first: bytes) -> None:
    protocol = ManagementProtocol()
    with pytest.raises(ProtocolError, match="OpenVPN's management protocol"):
        protocol.receive_data(first)
    assert not protocol.greeted


def test_an_empty_line_after_a_real_time_message_is_its_end() -> None:
    state = b">STATE:1,WAIT,,,,,"
    assert messages_of(state, b"", b"SUCCESS: pid=1", state, b"SUCCESS: pid=2", b"", b"") == [
        Notification("STATE", state.removeprefix(b">STATE:")),
        SuccessReply(b"pid=1"),
        Notification("STATE", state.removeprefix(b">STATE:")),
        SuccessReply(b"pid=2"),
        UnexpectedLine(b""),
    ]


def test_the_protocol_error_shows_the_first_bytes_cleaned_and_bounded() -> None:
    with pytest.raises(ProtocolError) as refused:
        ManagementProtocol().receive_data(b"\x1b[31m" + b"x" * 1000 + b"\n")
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_failed_session_stays_failed() -> None:
    protocol = ManagementProtocol()
    with pytest.raises(ProtocolError):
        protocol.receive_data(b"SSH-2.0\n")
    with pytest.raises(ProtocolError):
        protocol.receive_data(GREETING)
    assert protocol.receive_eof() == []


def test_a_line_may_be_as_long_as_the_limit() -> None:
    line = b">LOG:" + b"x" * (LINE_LIMIT - 5)
    assert len(messages_of(line, end=b"\n")) == 1


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_beyond_the_limit_fails_the_session(end: bytes) -> None:
    with pytest.raises(ProtocolError, match="a line of more than"):
        messages_of(b">LOG:" + b"x" * (LINE_LIMIT - 4), end=end)


def test_a_line_before_the_greeting_has_the_same_limit() -> None:
    with pytest.raises(ProtocolError, match="a line of more than"):
        ManagementProtocol().receive_data(b"x" * (LINE_LIMIT + 1))


@pytest.mark.parametrize("line", [b"x" * 100, b"x", b""])
def test_a_multiline_reply_beyond_the_limit_fails_the_session(line: bytes) -> None:
    protocol = greeted(reply_limit=100 * 1024)
    protocol.receive_data(b"TITLE\tx\r\n")
    fitting = (100 * 1024 - LINE_COST - 9) // (len(line) + 1 + LINE_COST)
    assert protocol.receive_data((line + b"\n") * fitting) == []
    with pytest.raises(ProtocolError, match="without END"):
        protocol.receive_data(line + b"\n")
    assert buffered(protocol) == 0


def test_a_multiline_reply_may_be_as_large_as_the_limit() -> None:
    protocol = greeted(reply_limit=2 * (LINE_COST + 3))
    assert protocol.receive_data(b"x\r\nx\r\nEND\r\n") == [MultilineReply((b"x", b"x"))]


def test_the_size_of_one_reply_does_not_count_for_the_next() -> None:
    protocol = greeted(reply_limit=10_000)
    for _ in range(3):
        [message] = protocol.receive_data(b"x,y\n" * 100 + b"END\n")
        assert message == MultilineReply((b"x,y",) * 100)
        assert buffered(protocol) == 0


def test_an_env_block_keeps_variables_up_to_its_limit() -> None:
    protocol = greeted()
    protocol.receive_data(b">CLIENT:ESTABLISHED,0\n" + b">CLIENT:ENV,a=b\n" * ENV_LIMIT)
    full = buffered(protocol)
    assert protocol.receive_data(b">CLIENT:ENV,a=b\n" * 5000) == []
    assert buffered(protocol) == full
    assert protocol.receive_data(b">CLIENT:ENV,END\n") == [
        Truncated(5000),
        Notification("CLIENT", b"ESTABLISHED,0", (b"a=b",) * ENV_LIMIT),
    ]


def test_an_env_block_keeps_variables_up_to_its_size_limit() -> None:
    opener, name = b">CLIENT:ESTABLISHED,0\n", b">CLIENT:ENV,"
    long = b"a=" + b"x" * (LINE_LIMIT - len(name) - 2)
    fitting = (ENV_SIZE_LIMIT - len(opener) - LINE_COST) // (len(long) + LINE_COST)
    protocol = greeted()
    protocol.receive_data(opener + (name + long + b"\n") * fitting)
    full = buffered(protocol)
    assert full <= ENV_SIZE_LIMIT
    assert protocol.receive_data((name + long + b"\n") * 100) == []
    assert buffered(protocol) == full
    # A shorter variable still fits after a dropped one.
    assert protocol.receive_data(name + b"a=b\n" + name + b"END\n") == [
        Truncated(100),
        Notification("CLIENT", b"ESTABLISHED,0", (*(long,) * fitting, b"a=b")),
    ]
    assert buffered(protocol) == 0


def test_an_env_block_may_be_as_large_as_its_size_limit() -> None:
    payload, name = b"ESTABLISHED,0", b">CLIENT:ENV,"
    room = ENV_SIZE_LIMIT - len(payload) - LINE_COST
    half = b"x" * (LINE_LIMIT // 2)
    halves, rest = divmod(room, len(half) + LINE_COST)
    last = b"x" * (rest - LINE_COST)
    protocol = greeted()
    block = b"".join(name + variable + b"\n" for variable in [*[half] * halves, last])
    protocol.receive_data(b">CLIENT:" + payload + b"\n" + block)
    assert buffered(protocol) == ENV_SIZE_LIMIT
    assert protocol.receive_data(name + b"END\n") == [
        Notification("CLIENT", payload, (*(half,) * halves, last))
    ]


def test_passwords_beyond_the_limits_of_an_env_block_are_not_counted() -> None:
    messages = messages_of(
        b">CLIENT:CONNECT,0,1",
        *[b">CLIENT:ENV,a=b"] * ENV_LIMIT,
        b">CLIENT:ENV,password=s3cret",
        b">CLIENT:ENV,END",
    )
    assert messages == [Notification("CLIENT", b"CONNECT,0,1", (b"a=b",) * ENV_LIMIT)]


def test_only_incomplete_messages_are_buffered() -> None:
    protocol = greeted()
    protocol.receive_data(b"abc")
    assert buffered(protocol) == 3
    protocol.receive_data(b"def\nx")
    assert buffered(protocol) == 6 + LINE_COST + 1
    protocol.receive_data(b"\nEND\n")
    assert buffered(protocol) == 0


def test_the_end_of_the_stream_between_messages_truncates_nothing() -> None:
    assert greeted().receive_eof() == []
    assert ManagementProtocol().receive_eof() == []


@pytest.mark.parametrize(
    ("half", "cut"),
    [
        (b"ENTER PASS", [Truncated(1)]),
        (GREETING + b"SUCCESS: pi", [Truncated(1)]),
        (GREETING + b"a\nb\n", [Truncated(2)]),
        (GREETING + b"a\nb\nEN", [Truncated(2), Truncated(1)]),
        (GREETING + b">CLIENT:ESTABLISHED,0\n", [Truncated(1)]),
        (GREETING + b">CLIENT:ESTABLISHED,0\n>CLIENT:ENV,a=b\na\n", [Truncated(2), Truncated(1)]),
    ],
)
def test_the_end_of_the_stream_truncates_incomplete_messages(
    half: bytes, cut: list[Message]
) -> None:
    protocol = ManagementProtocol()
    protocol.receive_data(half)
    assert protocol.receive_eof() == cut
    assert protocol.receive_eof() == []
    assert buffered(protocol) == 0


def test_data_after_the_end_of_the_stream_is_an_error() -> None:
    protocol = greeted()
    protocol.receive_eof()
    assert not protocol.greeted
    with pytest.raises(ProtocolError):
        protocol.receive_data(b"SUCCESS: pid=1\r\n")


def test_prompts_without_end_are_taken_in_linear_time() -> None:
    def call(size: int) -> Callable[[], object]:
        return lambda: ManagementProtocol().receive_data(PASSWORD_PROMPT * size)

    assert_linear(call, 100)
    assert len(ManagementProtocol().receive_data(PASSWORD_PROMPT * 20_000)) == 20_000


def test_lines_without_a_greeting_end_the_session() -> None:
    protocol = ManagementProtocol()
    protocol.receive_data(b"\n" * LOGIN_LINE_LIMIT)
    with pytest.raises(ProtocolError, match="before the greeting"):
        protocol.receive_data(b"\n")


def test_a_reply_of_too_many_lines_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.management.protocol.REPLY_LINE_LIMIT", 10)
    protocol = ManagementProtocol()
    protocol.receive_data(GREETING)
    protocol.receive_data(b"row\n" * 10)
    with pytest.raises(ProtocolError, match="more than 10 lines"):
        protocol.receive_data(b"row\n")
