"""The rules of OpenVPN's lexer, and quoting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.openvpn_config.lexer import WORD_LIMIT, WORDS_LIMIT, LexerError, join, quote, split

CONTROL = "".join(map(chr, [*range(0x20), 0x7F]))
WRITABLE = st.text(st.characters(exclude_characters=CONTROL, codec="utf-8"), max_size=60)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   \t ", []),
        ("status 3", ["status", "3"]),
        ("  status \t 3  ", ["status", "3"]),
        ('kill "Doe, John"', ["kill", "Doe, John"]),
        ("kill 'Doe, John'", ["kill", "Doe, John"]),
        (r'kill "dave \"the\\rat\" o' + "'" + r'neil"', ["kill", 'dave "the\\rat" o\'neil']),
        (r"kill 'a\b'", ["kill", r"a\b"]),
        (r"kill a\ b", ["kill", "a b"]),
        (r"kill a\\b", ["kill", r"a\b"]),
        (r"kill \"a\"", ["kill", '"a"']),
        ('a""', ['a""']),
        ("o'neil", ["o'neil"]),
        ('""', [""]),
        ("''", [""]),
        ('"a"b', ["a", "b"]),
        ("'a''b'", ["a", "b"]),
        ("# all of it", []),
        ("; all of it", []),
        ("status # the rest", ["status"]),
        ("status;3", ["status;3"]),
        ("status#3", ["status#3"]),
        ('"#a" ";b"', ["#a", ";b"]),
        (r"\#a", []),
        (r"\ a", ["a"]),
        ("pid \\", ["pid"]),
        ("pid\0 signal SIGTERM", ["pid"]),
        ("日本 ü", ["日本", "ü"]),
        ("a\u00a0b", ["a\u00a0b"]),
        (f"{'a ' * WORDS_LIMIT}b", ["a"] * WORDS_LIMIT),
        (f"{'a ' * WORDS_LIMIT}{'b' * (WORD_LIMIT + 1)}", ["a"] * WORDS_LIMIT),
    ],
)
def test_line_is_split_as_by_openvpn(line: str, words: list[str]) -> None:
    assert split(line) == words


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('kill "a', "no closing quotation mark"),
        ("kill 'a", "no closing quotation mark"),
        ('kill "a\\"', "no closing quotation mark"),
        (r"kill a\b", "a backslash before 'b'"),
        (r"kill \'a", "a backslash before"),
        (r'kill "\n"', "a backslash before 'n'"),
        ("kill a\\", "a backslash at the end"),
        ('kill "a\\', "no closing quotation mark"),
        ("kill " + "x" * (WORD_LIMIT + 1), "a word of more than 256 bytes"),
        ("kill " + "ü" * (WORD_LIMIT // 2 + 1), "a word of more than 256 bytes"),
        ("kill " + "\udcff" * (WORD_LIMIT + 1), "a word of more than 256 bytes"),
    ],
)
def test_line_that_openvpn_refuses_is_an_error(line: str, message: str) -> None:
    with pytest.raises(LexerError, match=message):
        split(line)


def test_word_may_have_the_length_of_the_limit() -> None:
    assert split("x" * WORD_LIMIT) == ["x" * WORD_LIMIT]
    assert split("\udcff" * WORD_LIMIT) == ["\udcff" * WORD_LIMIT]


def test_words_beyond_the_limit_are_ignored() -> None:
    line = " ".join("w" * (WORDS_LIMIT + 3)) + ' "not closed'
    assert split(line) == ["w"] * WORDS_LIMIT


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("alice", "alice"),
        ("", '""'),
        ("a b", '"a b"'),
        ('a"b', r'"a\"b"'),
        (r"a\b", r'"a\\b"'),
        ("o'neil", '"o\'neil"'),
        ("#a", '"#a"'),
        (";a", '";a"'),
        ("日本", "日本"),
    ],
)
def test_word_is_quoted_only_if_necessary(word: str, quoted: str) -> None:
    assert quote(word) == quoted


@pytest.mark.parametrize("char", CONTROL)
def test_word_with_a_control_character_cannot_be_quoted(char: str) -> None:
    with pytest.raises(LexerError, match="control character"):
        quote(f"a{char}b")


def test_word_that_is_too_long_cannot_be_quoted() -> None:
    with pytest.raises(LexerError, match="256 bytes"):
        quote("ü" * (WORD_LIMIT // 2 + 1))
    assert quote("ü" * (WORD_LIMIT // 2))


@given(st.lists(WRITABLE, max_size=WORDS_LIMIT))
def test_joined_words_are_split_again(words: list[str]) -> None:
    assert split(join(words)) == words


@given(st.text(st.characters() | st.sampled_from(" \"'\\#;\t\0\udcff")))
def test_any_line_gives_words_or_a_lexer_error(line: str) -> None:
    try:
        words = split(line)
    except LexerError:
        return
    assert len(words) <= WORDS_LIMIT
