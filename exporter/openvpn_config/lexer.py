"""OpenVPN's lexer of configuration lines: words from a line, and a line from words.

The rules are those of `parse_line()` in OpenVPN's options.c:

- blanks separate words; a NUL or the end of the line ends the last one;
- `"` quotes, a backslash inside escapes; `'` quotes, a backslash inside means itself;
- outside single quotes a backslash escapes the next character, which must be a backslash, a double
  quote or a blank;
- `#` and `;` start a comment where a word could start;
- a closing quote ends its word, so `"a"b` is two words.
"""

import enum
import re
from collections.abc import Iterable

WORD_LIMIT = 256
"""Bytes of one word: OPTION_PARM_SIZE."""

WORDS_LIMIT = 16
"""Words of one line, MAX_PARMS; OpenVPN ignores the rest of the line."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BLANKS = " \t\n\v\f\r"
_SPECIAL = re.compile(r"[\"'\\#;]")
_WORD = re.compile(f"[^{_BLANKS}]+")
_ESCAPABLE = '\\"' + _BLANKS


class LexerError(ValueError):
    """A line that OpenVPN's command lexer rejects; the text says where."""


class _State(enum.Enum):
    BETWEEN = enum.auto()
    PLAIN = enum.auto()
    DOUBLE = enum.auto()
    SINGLE = enum.auto()


class _Lexer:
    """The state of reading one line."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.words: list[str] = []
        self._word: list[str] = []
        self._state = _State.BETWEEN

    def run(self, line: str) -> list[str]:
        escaped = False
        for char in line:
            if char == "\\" and not escaped and self._state is not _State.SINGLE:
                escaped = True
                continue
            if self._state is _State.BETWEEN and char in "#;":
                return self.words
            if escaped and char not in _ESCAPABLE:
                raise LexerError(
                    f"a backslash before {char!r}: only a backslash, a double quote or a blank "
                    "can be escaped; write two backslashes for one"
                )
            self._feed(char, escaped=escaped)
            escaped = False
            if len(self.words) == self._limit:
                return self.words
        if escaped and self._state is _State.PLAIN:
            raise LexerError("a backslash at the end of the line")
        if self._state in (_State.DOUBLE, _State.SINGLE):
            raise LexerError("no closing quotation mark")
        if self._state is _State.PLAIN:
            self._end_word()
        return self.words

    def _feed(self, char: str, *, escaped: bool) -> None:
        match self._state:
            case _State.BETWEEN:
                self._start_word(char, escaped=escaped)
            case _State.PLAIN if not escaped and char in _BLANKS:
                self._end_word()
            case _State.DOUBLE if not escaped and char == '"':
                self._end_word()
            case _State.SINGLE if char == "'":
                self._end_word()
            case _:
                self._word.append(char)

    def _start_word(self, char: str, *, escaped: bool) -> None:
        if char in _BLANKS:  # OpenVPN also skips an escaped blank before a word
            return
        if not escaped and char == '"':
            self._state = _State.DOUBLE
        elif not escaped and char == "'":
            self._state = _State.SINGLE
        else:
            self._state = _State.PLAIN
            self._word.append(char)

    def _end_word(self) -> None:
        word = "".join(self._word)
        _check_length(word)
        self.words.append(word)
        self._word.clear()
        self._state = _State.BETWEEN


def _check_length(word: str) -> None:
    # Each byte that is not UTF-8 is one lone surrogate.
    if len(word.encode(errors="replace")) > WORD_LIMIT:
        raise LexerError(f"a word of more than {WORD_LIMIT} bytes")


def split(line: str, *, limit: int | None = WORDS_LIMIT) -> list[str]:
    """Split one line into words as OpenVPN does; a command line has no `limit` of words.

    Raises:
        LexerError: OpenVPN refuses the line.
    """
    line = line.partition("\0")[0]
    if _SPECIAL.search(line):
        return _Lexer(limit).run(line)
    words = _WORD.findall(line)[:limit]  # the fast path of nearly all lines
    for word in words:
        _check_length(word)
    return words


def quote(word: str) -> str:
    r"""Return one word so that `split` returns it unchanged: `a b` becomes `"a b"`.

    Raises:
        LexerError: the word is too long, or has a control character.
    """
    if _CONTROL.search(word):
        raise LexerError("a word with a control character can't be written")
    _check_length(word)
    if word and not any(char in word for char in " \"'\\#;"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def join(words: Iterable[str]) -> str:
    """Return words as one line: the reverse of `split`."""
    return " ".join(quote(word) for word in words)
