from hypothesis import given
from hypothesis import strategies as st

from exporter.openvpn_config.lines import LINE_LIMIT, Line, Lines


def lines(content: bytes) -> list[bytes]:
    return [line.content for line in Lines(content)]


def test_a_line_keeps_its_end_and_its_number() -> None:
    assert list(Lines(b"a\r\n\nb")) == [Line(b"a\r\n", 1), Line(b"\n", 2), Line(b"b", 3)]


def test_an_empty_file_has_no_line() -> None:
    assert lines(b"") == []


def test_a_line_ends_at_a_nul_and_the_next_begins_after_its_line_end() -> None:
    assert lines(b"a\0b\nc\n") == [b"a", b"c\n"]


def test_a_line_is_too_long_at_256_bytes_line_end_included() -> None:
    fits, exceeds = Lines(b"x" * 254 + b"\n"), Lines(b"x" * 255 + b"\n")
    assert [line.too_long for line in fits] == [False]
    assert [line.too_long for line in exceeds] == [True]


def test_a_block_ends_with_the_line_that_begins_with_its_end_after_blanks() -> None:
    read = Lines(b"1\n a</ca>\n \t</ca> and more\nafter\n")
    assert read.read_block(b"</ca>") == b"1\n a</ca>\n"
    assert list(read) == [Line(b"after\n", 4)]


def test_a_block_without_its_end_takes_all_and_is_none() -> None:
    read = Lines(b"1\n</cert>\n")
    assert read.read_block(b"</ca>") is None
    assert list(read) == []


def test_a_block_may_end_in_the_middle_of_a_line_that_openvpn_reads_in_parts() -> None:
    read = Lines(b"x" * 255 + b"</ca>\nafter\n")
    assert read.read_block(b"</ca>") == b"x" * 255
    assert list(read) == [Line(b"after\n", 2)]


@given(st.lists(st.binary(max_size=300)).map(b"\n".join))
def test_no_byte_but_those_after_a_nul_is_lost(content: bytes) -> None:
    read = lines(content)
    assert all(0 <= len(line) <= LINE_LIMIT for line in read)
    if b"\0" not in content:
        assert b"".join(read) == content
