import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.server.protocol import (
    INPUT_LIMIT,
    Event,
    Ignored,
    LoggedIn,
    LoginFailed,
    Quit,
    Request,
    ServerProtocol,
)

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
PROMPT = b"ENTER PASSWORD:"
TOO_LONG = b"ERROR: Options error: Parameter at TCP:0 is too long (256 chars max): "


def started(password: bytes | None = None) -> ServerProtocol:
    """Return a session whose first output was sent: the greeting, or the prompt."""
    protocol = ServerProtocol(management_version=5, password=password)
    if password is None:
        assert protocol.next_event() == LoggedIn()
    protocol.output()
    return protocol


def talk(protocol: ServerProtocol, data: bytes = b"") -> bytes:
    """Give bytes to a session; answer each request with its words; return what is sent."""
    protocol.receive(data)
    while (event := protocol.next_event()) is not None:
        if isinstance(event, Request):
            protocol.reply(echo(event))
    return protocol.output()


def echo(request: Request) -> bytes:
    return "|".join(request.words).encode("utf-8", "surrogateescape") + b"\r\n"


def is_closed(protocol: ServerProtocol) -> bool:
    return protocol.closed


def is_paused(protocol: ServerProtocol) -> bool:
    return protocol.paused


def events(protocol: ServerProtocol, data: bytes) -> list[Event]:
    protocol.receive(data)
    found = []
    while (event := protocol.next_event()) is not None:
        found.append(event)
        if isinstance(event, Request):
            protocol.reply(b"")
    return found


class TestLogin:
    @pytest.mark.parametrize("version", [1, 3, 4, 5, 6])
    def test_the_greeting_has_the_version_of_the_interface(self, version: int) -> None:
        protocol = ServerProtocol(management_version=version)
        assert protocol.next_event() == LoggedIn()
        assert protocol.next_event() is None
        assert protocol.output() == GREETING.replace(b"5", b"%d" % version)

    def test_the_prompt_has_no_line_end(self) -> None:
        protocol = ServerProtocol(management_version=5, password=b"s3cret")
        assert protocol.next_event() is None
        assert protocol.output() == PROMPT
        assert protocol.output() == b""

    def test_the_right_password_opens_and_may_come_with_commands(self) -> None:
        protocol = started(b"s3cret")
        protocol.receive(b"s3cret\r\npid\n")
        assert protocol.next_event() == LoggedIn()
        assert protocol.next_event() == Request(("pid",), "pid")
        protocol.reply(b"SUCCESS: pid=1\r\n")
        assert protocol.output() == (
            b"SUCCESS: password is correct\r\n" + GREETING + b"SUCCESS: pid=1\r\n"
        )

    @pytest.mark.parametrize("wrong", [b"wrong\n", b"\n", b"s3cret \n", b" s3cret\n", b"s3cre\n"])
    def test_a_wrong_password_gets_the_prompt_and_the_third_closes(self, wrong: bytes) -> None:
        protocol = started(b"s3cret")
        assert events(protocol, wrong) == []
        assert protocol.output() == PROMPT
        assert events(protocol, wrong) == []
        assert protocol.output() == PROMPT
        assert not is_closed(protocol)
        assert events(protocol, wrong + b"s3cret\n") == [LoginFailed()]
        assert protocol.output() == b""
        assert is_closed(protocol)

    def test_two_wrong_passwords_in_one_read_get_one_prompt(self) -> None:
        protocol = started(b"s3cret")
        assert talk(protocol, b"a\nb\n") == PROMPT
        assert talk(protocol, b"s3cret\n").endswith(GREETING)

    def test_nothing_is_a_command_before_the_login(self) -> None:
        protocol = started(b"s3cret")
        assert events(protocol, b"quit\n") == []
        assert not is_closed(protocol)

    def test_real_time_lines_are_dropped_before_the_login(self) -> None:
        protocol = started(b"s3cret")
        protocol.notify(b">STATE:early\r\n")
        assert protocol.output() == b""
        assert b">STATE" not in talk(protocol, b"s3cret\n")
        protocol.notify(b">STATE:late\r\n")
        assert protocol.output() == b">STATE:late\r\n"


class TestLines:
    def test_control_characters_are_dropped_and_a_line_may_come_in_pieces(self) -> None:
        protocol = started()
        assert talk(protocol, b"pi\0d") == b""
        assert talk(protocol, b"\r\x7f") == b""
        assert talk(protocol, b"\n") == b"pid\r\n"
        assert talk(protocol, b"status\t2\n") == b"status2\r\n"

    def test_bytes_that_are_no_utf_8_come_back_as_they_were(self) -> None:
        assert talk(started(), b"kill \xff\xfe\n") == b"kill|\xff\xfe\r\n"
        assert events(started(), b"kill \xff\n") == [Request(("kill", "\udcff"), "kill \udcff")]

    @pytest.mark.parametrize("line", ["", "   ", "# pid", "; pid"])
    def test_a_line_without_a_command_has_no_reply(self, line: str) -> None:
        protocol = started()
        assert events(protocol, f"{line}\n".encode()) == [Ignored(line)]
        assert protocol.output() == b""

    def test_a_line_that_the_lexer_refuses_is_answered(self) -> None:
        protocol = started()
        assert events(protocol, b'echo "a\n') == [Ignored('echo "a')]
        complaint = b'ERROR: Options error: No closing quotation (") in TCP:0\r\n'
        assert protocol.output() == complaint

    @pytest.mark.parametrize(
        ("length", "reply"),
        [
            (250, b"x" * 250),
            (256, b"x" * 256),
            (257, TOO_LONG),
            (1023, TOO_LONG),
            (1024, b""),
            (1025, b""),
            (1026, b"x"),
            (1030, b"x" * 5),
            (2000, TOO_LONG),
            (2049, b""),
            (2051, b"x"),
        ],
    )
    def test_the_byte_after_1024_is_lost_and_empties_the_line(
        self, length: int, reply: bytes
    ) -> None:
        protocol = started()
        output = talk(protocol, b"x" * length + b"\n")
        assert output.startswith(reply)
        assert output.count(b"\r\n") == (reply != b"")
        if reply != TOO_LONG:
            assert output.rstrip(b"\r\n") == reply
        assert talk(protocol, b"pid\n") == b"pid\r\n"

    @given(st.binary(max_size=3000), st.lists(st.integers(1, 700), max_size=9))
    def test_a_line_is_the_same_however_it_is_cut(self, data: bytes, sizes: list[int]) -> None:
        whole, cut = started(), started()
        found = events(whole, data)
        pieces, rest = [], data
        for size in sizes:
            pieces.append(rest[:size])
            rest = rest[size:]
        assert [event for piece in (*pieces, rest) for event in events(cut, piece)] == found


class TestReplies:
    def test_commands_are_answered_one_after_the_other(self) -> None:
        protocol = started()
        protocol.receive(b"pid\nverb\n")
        assert protocol.next_event() == Request(("pid",), "pid")
        assert protocol.next_event() is None
        assert is_paused(protocol)
        protocol.reply(b"1\r\n")
        assert not is_paused(protocol)
        assert protocol.next_event() == Request(("verb",), "verb")
        assert protocol.output() == b"1\r\n"
        protocol.reply(b"2\r\n")
        assert protocol.next_event() is None
        assert protocol.output() == b"2\r\n"

    def test_a_reply_without_a_request_is_a_mistake(self) -> None:
        protocol = started()
        with pytest.raises(RuntimeError, match="no request"):
            protocol.reply(b"1\r\n")
        protocol.receive(b"pid\n")
        protocol.next_event()
        protocol.reply(b"1\r\n")
        with pytest.raises(RuntimeError, match="no request"):
            protocol.reply(b"1\r\n")

    def test_a_real_time_line_comes_before_a_reply_that_is_due_or_after_it(self) -> None:
        protocol = started()
        protocol.receive(b"status 3\n")
        protocol.next_event()
        protocol.notify(b">STATE:1\r\n")
        assert protocol.output() == b">STATE:1\r\n"
        protocol.reply(b"TITLE\r\nEND\r\n")
        protocol.notify(b">STATE:2\r\n")
        assert protocol.output() == b"TITLE\r\nEND\r\n>STATE:2\r\n"

    def test_output_of_one_read_is_sent_after_the_read(self) -> None:
        protocol = started()
        protocol.receive(b"pid\nverb\n")
        protocol.next_event()
        protocol.notify(b">STATE:1\r\n")
        protocol.reply(b"1\r\n")
        protocol.next_event()
        assert protocol.output() == b">STATE:1\r\n1\r\n"

    def test_a_request_hides_its_words(self) -> None:
        for event in events(started(), b'password "Auth" s3cret\n# s3cret\n'):
            assert "s3cret" not in repr(event)


class TestEnd:
    @pytest.mark.parametrize("command", ["quit", "exit", "exit now", "'quit'"])
    def test_quit_and_exit_close_and_discard_the_replies_of_their_read(self, command: str) -> None:
        protocol = started()
        assert talk(protocol, f"pid\nstatus 2\n{command}\npid\n".encode()) == b""
        assert is_closed(protocol)
        assert protocol.next_event() is None

    def test_a_reply_within_the_read_of_a_quit_is_never_sent(self) -> None:
        protocol = started()
        protocol.receive(b"pid\nquit\n")
        protocol.next_event()
        protocol.reply(b"1\r\n")
        assert protocol.output() == b""
        assert protocol.next_event() == Quit("quit")
        assert protocol.output() == b""
        assert is_paused(protocol)

    def test_what_comes_after_the_end_is_dropped(self) -> None:
        protocol = started()
        protocol.receive(b"pid\n")
        protocol.next_event()
        protocol.close()
        protocol.reply(b"1\r\n")
        protocol.notify(b">STATE:late\r\n")
        assert protocol.output() == b""

    def test_a_quit_has_its_line(self) -> None:
        assert events(started(), b"exit now\n") == [Quit("exit now")]

    def test_replies_of_earlier_reads_are_sent_before_quit(self) -> None:
        protocol = started()
        assert talk(protocol, b"pid\n") == b"pid\r\n"
        assert talk(protocol, b"quit\n") == b""
        assert talk(started(), b"pid\n" * 100 + b"quit\n") == b"pid\r\n" * 64

    def test_a_real_time_line_that_came_before_the_read_of_a_quit_is_sent(self) -> None:
        protocol = started()
        protocol.notify(b">STATE:1\r\n")
        assert talk(protocol, b"pid\nquit\n") == b">STATE:1\r\n"

    def test_flushed_replies_survive_a_quit(self) -> None:
        protocol = started()
        protocol.receive(b"pid\nquit\n")
        protocol.next_event()
        protocol.reply(b"1\r\n")
        protocol.flush()
        assert protocol.next_event() == Quit("quit")
        assert protocol.output() == b"1\r\n"

    def test_after_a_half_close_the_replies_come_and_then_the_end(self) -> None:
        protocol = started()
        protocol.receive(b"pid\nverb\nstat")
        protocol.receive_eof()
        assert protocol.next_event() == Request(("pid",), "pid")
        protocol.reply(b"1\r\n")
        assert protocol.next_event() == Request(("verb",), "verb")
        assert protocol.next_event() is None
        assert not is_closed(protocol)
        protocol.reply(b"2\r\n")
        assert protocol.next_event() is None
        assert is_closed(protocol)
        assert protocol.output() == b"1\r\n2\r\n"

    def test_a_half_close_ends_a_login(self) -> None:
        protocol = started(b"s3cret")
        protocol.receive_eof()
        assert protocol.next_event() is None
        assert is_closed(protocol)

    def test_a_closed_session_sends_its_output_and_takes_no_more(self) -> None:
        protocol = started()
        protocol.receive(b"pid\nverb\n")
        protocol.next_event()
        protocol.notify(b">FATAL:gone\r\n")
        protocol.close()
        protocol.notify(b">STATE:late\r\n")
        assert is_paused(protocol)
        assert events(protocol, b"pid\n") == []
        assert protocol.output() == b">FATAL:gone\r\n"

    def test_a_session_closed_before_its_first_event_has_none(self) -> None:
        protocol = ServerProtocol(management_version=5)
        protocol.close()
        assert protocol.next_event() is None
        assert protocol.output() == b""

    def test_input_that_waits_has_a_limit(self) -> None:
        protocol = started()
        protocol.receive(b"pid\n")
        protocol.next_event()
        protocol.receive(b"\n" * INPUT_LIMIT)
        assert not is_closed(protocol)
        protocol.receive(b"\n")
        assert is_closed(protocol)

    def test_a_full_read_of_the_socket_is_within_the_limit(self) -> None:
        protocol, full = started(), 256 * 1024
        assert len(events(protocol, b"\n" * full)) == full
        assert not is_closed(protocol)


_WORDS = st.sampled_from(
    [b"status", b"kill", b"hold", b"log", b"client-auth", b"all", b"3", b"-1", b'"', b"\\", b"\n"]
)


@given(st.lists(st.one_of(_WORDS, st.binary(max_size=8)), max_size=40))
def test_any_input_is_answered_in_whole_lines(pieces: list[bytes]) -> None:
    protocol = started()
    output = b"".join(talk(protocol, piece + b" ") for piece in pieces)
    assert output.count(b"\n") == output.count(b"\r\n")
    assert output.endswith(b"\r\n") or not output
    if not protocol.closed:
        assert talk(protocol, b"\nEND\npid\n").endswith(b"pid\r\n")
