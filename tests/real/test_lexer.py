"""Our lexer against the one inside a real daemon, which repeats the word that it has read."""

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

# What follows 'signal' and is no signal's name.
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

Answers = Mapping[str, str]


async def ask(lab: Lab) -> Answers:
    """Let a daemon read everything after 'signal'."""
    rests = [*LINES, *map(lexer.quote, WORDS)]
    async with (
        server(lab, "--management-hold", ready=HELD) as office,
        raw_session.connect(office.management.address) as session,
    ):
        await session.notification()
        return {rest: await session.request(f"signal {rest}") for rest in rests}


@pytest.fixture(scope="module")
def answers(lab: Lab) -> Answers:
    return asyncio.run(ask(lab))


def reply_to(line: str) -> str | re.Pattern[str]:
    """Foretell the reply to a line by our lexer."""
    try:
        words = lexer.split(line)
    except LexerError:
        return REFUSED
    return not_known(words[1]) if len(words) > 1 else ONE_WORD_MISSING


def not_known(word: str) -> str:
    return f"ERROR: signal '{word}' is not a known signal type"


@pytest.mark.parametrize("word", WORDS)
def test_the_daemon_reads_the_word_that_was_quoted(answers: Answers, word: str) -> None:
    assert answers[lexer.quote(word)] == not_known(word)


@pytest.mark.parametrize("rest", LINES)
def test_the_daemon_reads_a_line_as_we_do(answers: Answers, rest: str) -> None:
    match reply_to(f"signal {rest}"):
        case re.Pattern() as refused:
            assert refused.match(answers[rest])
        case text:
            assert answers[rest] == text
