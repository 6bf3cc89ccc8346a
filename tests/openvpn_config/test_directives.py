from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.openvpn_config.directives import Directive, parse
from exporter.openvpn_config.errors import Location, SyntaxProblem

FILE = Path("office.conf")


def words(content: bytes) -> list[tuple[str, ...]]:
    return [(directive.name, *directive.arguments) for directive in parse(content, FILE)]


def syntax_problem(content: bytes) -> SyntaxProblem:
    with pytest.raises(SyntaxProblem) as caught:
        list(parse(content, FILE))
    return caught.value


def test_directive_has_its_location() -> None:
    assert list(parse(b"# one\n\nverb 3 # three\n", FILE)) == [
        Directive("verb", ("3",), Location(FILE, 3))
    ]


def test_quotes_and_backslashes_are_read_as_by_openvpn() -> None:
    content = rb"""status "a b" 'c\d' e\ f g\\h"""
    assert words(content) == [("status", "a b", r"c\d", "e f", r"g\h")]


def test_backslash_before_the_line_end_escapes_it() -> None:
    assert words(b"verb 3\\\n") == [("verb", "3\n")]


def test_two_dashes_before_a_name_are_removed() -> None:
    assert words(b"--verb 3\n-verb\n--\n") == [("verb", "3"), ("-verb",), ("--",)]


def test_byte_order_mark_is_removed_from_the_first_name_only() -> None:
    assert words(b"\xef\xbb\xbfverb\r\n\xef\xbb\xbfverb\r\n") == [("verb",), ("\ufeffverb",)]


def test_bytes_that_are_not_utf_8_are_kept() -> None:
    assert words(b"status \xff") == [("status", "\udcff")]


def test_inline_block_belongs_to_its_directive() -> None:
    content = b"<ca>\nverb 5\n</ca>\nverb 3\n"
    block, after = parse(content, FILE)
    assert block == Directive("ca", (), Location(FILE, 1), inline=b"verb 5\n")
    assert after.location.line == 4


def test_tag_with_an_argument_is_no_inline_block() -> None:
    assert words(b"<ca> x\nverb 3\n") == [("<ca>", "x"), ("verb", "3")]


def test_word_with_one_bracket_is_no_inline_block() -> None:
    assert words(b"<ca\nca>\n") == [("<ca",), ("ca>",)]


def test_unclosed_inline_block_is_reported_at_its_first_line() -> None:
    assert str(syntax_problem(b"verb 3\n<ca>\nx\n")) == (
        "office.conf:2: <ca> is not closed: add a line </ca>"
    )


def test_line_that_is_too_long_is_refused() -> None:
    assert syntax_problem(b"#" * 256).text.startswith("the line has 256 bytes or more")


def test_line_that_the_lexer_refuses_is_not_quoted() -> None:
    error = syntax_problem(b'askpass "hunter2\n')
    assert str(error) == "office.conf:1: OpenVPN refuses this line: no closing quotation mark"


@given(st.binary())
def test_any_bytes_give_directives_or_a_syntax_problem(content: bytes) -> None:
    assert outcome(content) in {None, "printable"}


def outcome(content: bytes) -> str | None:
    """Return how the content was refused, None if it was not."""
    try:
        words(content)
    except SyntaxProblem as error:
        return "printable" if str(error).isprintable() else "unprintable"
    return None


@pytest.mark.parametrize("content", [b"<\xff>\n", b"<\x1b[31m>\n", b'"\xff', b"\\\x1b"])
def test_syntax_problem_is_printable_with_any_content(content: bytes) -> None:
    assert outcome(content) == "printable"
