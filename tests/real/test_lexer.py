"""The lexer, compared with that of a real daemon, which repeats the word that it has read."""

import asyncio
import re
from collections.abc import Mapping

import pytest

from exporter.openvpn_config import lexer
from exporter.openvpn_config.lexer import LexerError
from tests.real import raw_session
from tests.real.daemon import HELD
from tests.real.lab import Lab
from tests.real.server import server

# Arguments of 'signal' that are no signal names.
WORDS = [
    "",
    "alice",
    "Doe, John",
    'Doe, Zoë "x"',
    "o'neil",
    '"',
    "'",
    "\\",
    "\\\\",
    'a\\"b',
    r"C:\Program Files\x",
    "# no comment",
    "; no comment",
    "a#b;c",
    "  blanks  ",
    "127.0.0.1:1194",
    "日本 語",
    "\u00a0",
    "one\u2028two",
    "x" * lexer.WORD_LIMIT,
    "ü" * (lexer.WORD_LIMIT // 2),
]
LINES = [
    "",
    "   ",
    "a",
    "  a  ",
    "a b",
    '"a b" c',
    "'a b'",
    "'a\\b'",
    r"a\ b",
    r"a\\b",
    r"\"a\"",
    r"\ a",
    r"\# a",
    r"\\# a",
    r'"a\ b"',
    r'"a\\\"b"',
    'a""',
    "o'neil",
    '""',
    "''",
    '"a"b',
    "'a''b'",
    "'a'\"b\"",
    "# a",
    "; a",
    "a # b",
    "a#b",
    "a;b",
    '"#a" b',
    "\u00a0 a",
    '"a',
    "'a",
    '"a\\"',
    '"a\\',
    r"a\b",
    r"\'a",
    r'"\n"',
    "a\\",
    "\\",
    "x" * lexer.WORD_LIMIT,
    "x" * (lexer.WORD_LIMIT + 1),
    "ü" * (lexer.WORD_LIMIT // 2) + "x",
    " ".join("a" * lexer.WORDS_LIMIT) + ' "not closed',
    " ".join("a" * (lexer.WORDS_LIMIT - 1)) + ' "not closed',
    " ".join("a" * (lexer.WORDS_LIMIT - 2)) + ' "not closed',
]
ONE_WORD_MISSING = "ERROR: the 'signal' command requires 1 parameter"
REFUSED = re.compile(
    r"ERROR: Options (?:error: No closing (?:single )?quotation"
    r"|error: Residual parse state"
    r"|error: Parameter at TCP:0 is too long"
    r"|warning: Bad backslash)"
)

Replies = Mapping[str, str]


async def send_all(lab: Lab) -> Replies:
    """Send each line and each quoted word as the arguments of 'signal'; return the replies."""
    arguments = [*LINES, *map(lexer.quote, WORDS)]
    async with (
        server(lab, "--management-hold", ready=HELD) as office,
        raw_session.connect(office.management.address) as session,
    ):
        await session.notification()
        return {argument: await session.request(f"signal {argument}") for argument in arguments}


@pytest.fixture(scope="module")
def replies(lab: Lab) -> Replies:
    return asyncio.run(send_all(lab))


def expected_reply(line: str) -> str | re.Pattern[str]:
    """Return the reply to a line, according to the lexer."""
    try:
        words = lexer.split(line)
    except LexerError:
        return REFUSED
    return unknown_signal(words[1]) if len(words) > 1 else ONE_WORD_MISSING


def unknown_signal(word: str) -> str:
    return f"ERROR: signal '{word}' is not a known signal type"


@pytest.mark.parametrize("word", WORDS)
def test_daemon_reads_a_quoted_word_unchanged(replies: Replies, word: str) -> None:
    assert replies[lexer.quote(word)] == unknown_signal(word)


@pytest.mark.parametrize("argument", LINES)
def test_lexer_splits_a_line_as_the_daemon_does(replies: Replies, argument: str) -> None:
    match expected_reply(f"signal {argument}"):
        case re.Pattern() as refused:
            assert refused.match(replies[argument])
        case text:
            assert replies[argument] == text
