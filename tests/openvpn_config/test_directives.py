from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.openvpn_config.directives import Directive, parse
from exporter.openvpn_config.errors import Location, SyntaxProblem

FILE = Path("office.conf")


def words(content: bytes) -> list[tuple[str, ...]]:
    return [(directive.name, *directive.arguments) for directive in parse(content, FILE)]


def refusal(content: bytes) -> SyntaxProblem:
    with pytest.raises(SyntaxProblem) as caught:
        list(parse(content, FILE))
    return caught.value


def test_a_directive_knows_its_place() -> None:
    assert list(parse(b"# one\n\nverb 3 # three\n", FILE)) == [
        Directive("verb", ("3",), Location(FILE, 3))
    ]


def test_quotes_and_backslashes_are_openvpns() -> None:
    content = rb"""status "a b" 'c\d' e\ f g\\h"""
    assert words(content) == [("status", "a b", r"c\d", "e f", r"g\h")]


def test_a_backslash_before_the_line_end_makes_it_part_of_the_word() -> None:
    assert words(b"verb 3\\\n") == [("verb", "3\n")]


def test_two_dashes_may_stand_before_a_name() -> None:
    assert words(b"--verb 3\n-verb\n--\n") == [("verb", "3"), ("-verb",), ("--",)]


def test_a_byte_order_mark_is_no_part_of_the_first_name_but_of_any_other() -> None:
    assert words(b"\xef\xbb\xbfverb\r\n\xef\xbb\xbfverb\r\n") == [("verb",), ("\ufeffverb",)]


def test_bytes_that_are_no_text_are_kept() -> None:
    assert words(b"status \xff") == [("status", "\udcff")]


def test_a_block_belongs_to_its_directive_and_is_not_read_as_directives() -> None:
    content = b"<ca>\nverb 5\n</ca>\nverb 3\n"
    block, after = parse(content, FILE)
    assert block == Directive("ca", (), Location(FILE, 1), inline=b"verb 5\n")
    assert after.location.line == 4


def test_a_block_with_an_argument_is_none() -> None:
    assert words(b"<ca> x\nverb 3\n") == [("<ca>", "x"), ("verb", "3")]


def test_a_block_that_is_not_closed_is_refused_where_it_begins() -> None:
    assert str(refusal(b"verb 3\n<ca>\nx\n")) == (
        "office.conf:2: <ca> is not closed: add a line </ca>"
    )


def test_a_line_that_is_too_long_is_refused() -> None:
    assert refusal(b"#" * 256).text.startswith("the line has 256 bytes or more")


def test_what_the_lexer_refuses_is_refused_without_showing_the_line() -> None:
    error = refusal(b'askpass "hunter2\n')
    assert str(error) == "office.conf:1: OpenVPN refuses this line: no closing quotation mark"


@given(st.binary())
def test_any_bytes_give_directives_or_a_refusal(content: bytes) -> None:
    assert refused(content) in {None, "printable"}


def refused(content: bytes) -> str | None:
    """Read all; tell how it was refused, if it was."""
    try:
        words(content)
    except SyntaxProblem as error:
        return "printable" if str(error).isprintable() else "unprintable"
    return None


@pytest.mark.parametrize("content", [b"<\xff>\n", b"<\x1b[31m>\n", b'"\xff', b"\\\x1b"])
def test_a_refusal_is_printable_whatever_the_file_holds(content: bytes) -> None:
    assert refused(content) == "printable"
