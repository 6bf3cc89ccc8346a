from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator.daemon.server import ServerDaemon, ServerSettings
from exporter.simulator.management.session import Session
from exporter.simulator.population.identity import make_identities
from exporter.simulator.population.profile import ChurnProfile
from tests.simulator.manual_clock import ManualClock

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
PROMPT = b"ENTER PASSWORD:"
UNKNOWN = b"ERROR: unknown command, enter 'help' for more options\r\n"
PID = b"SUCCESS: pid=4242\r\n"


def server(*, hold: bool = False) -> ServerDaemon:
    now = ManualClock()()
    rng = Random(1)
    return ServerDaemon(
        ServerSettings(hold=hold),
        make_identities(2, rng=rng),
        ChurnProfile(churn=False),
        rng=rng,
        start=now - 100,
        now=now,
    )


def session(*, password: str | None = None, hold: bool = False) -> Session:
    return Session(server(hold=hold), clock=ManualClock(), password=password)


def said(session: Session, data: bytes) -> bytes:
    session.receive(data)
    return session.output()


def test_the_greeting_comes_unasked() -> None:
    assert session().output() == GREETING


def test_the_password_is_asked_for_without_a_line_end() -> None:
    assert session(password="s3cret").output() == PROMPT


def test_the_right_password_opens_and_may_come_with_commands() -> None:
    it = session(password="s3cret")
    it.output()
    reply = said(it, b"s3cret\r\npid\n")
    assert reply == b"SUCCESS: password is correct\r\n" + GREETING + PID


@pytest.mark.parametrize("wrong", [b"wrong\n", b"\n", b"s3cret \n", b" s3cret\n"])
def test_a_wrong_password_brings_nothing_but_the_prompt_and_the_third_closes(wrong: bytes) -> None:
    it = session(password="s3cret")
    it.output()
    assert said(it, wrong) == PROMPT
    assert said(it, wrong) == PROMPT
    assert not it.closed
    assert said(it, wrong + b"s3cret\n") == b""
    assert it.closed


def test_two_wrong_passwords_are_forgiven() -> None:
    it = session(password="s3cret")
    it.output()
    it.receive(b"a\nb\n")
    it.output()
    assert said(it, b"s3cret\npid\n").endswith(GREETING + PID)


def test_control_characters_are_dropped_and_a_line_may_come_in_pieces() -> None:
    it = session()
    it.output()
    assert said(it, b"pi\0d") == b""
    assert said(it, b"\r") == b""
    assert said(it, b"\n") == PID
    assert said(it, b"status\t2\n") == UNKNOWN


def test_blank_lines_and_comments_have_no_reply() -> None:
    it = session()
    it.output()
    assert said(it, b"\n   \n# pid\n; pid\n") == b""


@pytest.mark.parametrize(
    ("length", "reply"),
    [
        (250, UNKNOWN),
        (256, UNKNOWN),
        (257, b"ERROR: Options error: Parameter at TCP:0 is too long (256 chars max): "),
        (1023, b"ERROR: Options error: Parameter at TCP:0 is too long (256 chars max): "),
        (1025, b""),
        (1030, UNKNOWN),
        (2000, b"ERROR: Options error: Parameter at TCP:0 is too long (256 chars max): "),
    ],
)
def test_the_byte_after_1024_is_lost_and_empties_the_line(length: int, reply: bytes) -> None:
    it = session()
    it.output()
    output = said(it, b"x" * length + b"\n")
    assert output.startswith(reply)
    assert output.count(b"\r\n") == bool(reply)
    assert said(it, b"pid\n") == PID


def test_a_line_of_1024_letters_swallows_its_own_end() -> None:
    it = session()
    it.output()
    assert said(it, b"x" * 1024 + b"\n") == b""
    assert said(it, b"pid\n") == PID


def test_quit_discards_the_replies_that_were_not_sent_yet() -> None:
    it = session()
    it.output()
    assert said(it, b"pid\nstatus 2\nquit\n") == b""
    assert it.closed


def test_a_waiting_daemon_sends_at_once_so_quit_discards_nothing() -> None:
    it = session(hold=True)
    it.output()
    assert said(it, b"pid\nquit\n") == PID
    assert it.closed


def test_what_was_sent_before_quit_arrives() -> None:
    it = session()
    it.output()
    assert said(it, b"pid\n") == PID
    assert said(it, b"exit\n") == b""
    assert it.closed


def test_what_was_sent_rounds_before_quit_arrives_although_it_came_in_one_piece() -> None:
    it = session()
    it.output()
    output = said(it, b"pid\n" * 100 + b"quit\n")
    assert output == PID * 64  # 256 bytes a round; the last 36 replies were still to be sent


def test_the_switches_of_a_client_end_with_it() -> None:
    daemon, clock = server(), ManualClock()
    first = Session(daemon, clock=clock)
    first.receive(b"log on\nstate on\n")
    first.detach()
    second = Session(daemon, clock=clock)
    second.output()
    assert said(second, b"pid\n") == PID


_WORDS = st.sampled_from(
    [b"status", b"kill", b"hold", b"log", b"client-auth", b"all", b"3", b"-1", b'"', b"\\", b"\n"]
)


@given(st.lists(st.one_of(_WORDS, st.binary(max_size=8)), max_size=40))
def test_whatever_is_sent_is_answered_in_whole_lines(pieces: list[bytes]) -> None:
    it = session()
    heard = it.output()
    for piece in pieces:
        it.receive(piece + b" ")
        heard += it.output()
    assert heard.endswith(b"\r\n")
    assert heard.count(b"\n") == heard.count(b"\r\n")
    if not it.closed:
        assert said(it, b"\nEND\npid\n").endswith(PID)
