from hypothesis import given
from hypothesis import strategies as st

from exporter.openvpn_config.lines import LINE_LIMIT, Line, Lines


def lines(content: bytes) -> list[bytes]:
    return [line.content for line in Lines(content)]


def test_line_has_its_end_and_its_number() -> None:
    assert list(Lines(b"a\r\n\nb")) == [Line(b"a\r\n", 1), Line(b"\n", 2), Line(b"b", 3)]


def test_empty_file_has_no_line() -> None:
    assert lines(b"") == []


def test_line_ends_at_a_nul_and_the_next_starts_after_the_line_end() -> None:
    assert lines(b"a\0b\nc\n") == [b"a", b"c\n"]


def test_line_of_256_bytes_with_its_end_is_too_long() -> None:
    fits, exceeds = Lines(b"x" * 254 + b"\n"), Lines(b"x" * 255 + b"\n")
    assert [line.too_long for line in fits] == [False]
    assert [line.too_long for line in exceeds] == [True]


def test_block_ends_at_the_line_that_starts_with_its_end() -> None:
    read = Lines(b"1\n a</ca>\n \t</ca> and more\nafter\n")
    assert read.read_block(b"</ca>") == b"1\n a</ca>\n"
    assert list(read) == [Line(b"after\n", 4)]


def test_block_without_end_is_none_and_reads_all_lines() -> None:
    read = Lines(b"1\n</cert>\n")
    assert read.read_block(b"</ca>") is None
    assert list(read) == []


def test_block_may_end_inside_a_long_line() -> None:
    read = Lines(b"x" * 255 + b"</ca>\nafter\n")
    assert read.read_block(b"</ca>") == b"x" * 255
    assert list(read) == [Line(b"after\n", 2)]


@given(st.lists(st.binary(max_size=300)).map(b"\n".join))
def test_only_bytes_after_a_nul_are_dropped(content: bytes) -> None:
    read = lines(content)
    assert all(0 <= len(line) <= LINE_LIMIT for line in read)
    if b"\0" not in content:
        assert b"".join(read) == content
