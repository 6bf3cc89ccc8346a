"""OpenVPN's lexer for command and configuration lines, in both directions.

The rules are those of `parse_line()` in OpenVPN's options.c, which reads management commands and
configuration files alike:

- blanks separate words; a NUL or the end of the line ends the last one;
- `"` quotes, a backslash inside escapes; `'` quotes, a backslash inside means itself;
- outside single quotes a backslash takes the next character as it is, which may only be a
  backslash, a double quote or a blank;
- `#` and `;` begin a comment where a word could begin;
- a closing quote ends its word, so `"a"b` is two words.
"""

import enum
import re
from collections.abc import Iterable

WORD_LIMIT = 256
"""Bytes of one word: OPTION_PARM_SIZE."""

WORDS_LIMIT = 16
"""Words of one line, MAX_PARMS; OpenVPN doesn't read what follows them."""

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
    """One line under way."""

    def __init__(self) -> None:
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
            self._take(char, escaped=escaped)
            escaped = False
            if len(self.words) == WORDS_LIMIT:
                return self.words
        if escaped and self._state is _State.PLAIN:
            raise LexerError("a backslash at the end of the line")
        if self._state in (_State.DOUBLE, _State.SINGLE):
            raise LexerError("no closing quotation mark")
        if self._state is _State.PLAIN:
            self._finish()
        return self.words

    def _take(self, char: str, *, escaped: bool) -> None:
        match self._state:
            case _State.BETWEEN:
                self._begin(char, escaped=escaped)
            case _State.PLAIN if not escaped and char in _BLANKS:
                self._finish()
            case _State.DOUBLE if not escaped and char == '"':
                self._finish()
            case _State.SINGLE if char == "'":
                self._finish()
            case _:
                self._word.append(char)

    def _begin(self, char: str, *, escaped: bool) -> None:
        if char in _BLANKS:  # an escaped one, too: OpenVPN skips it before a word
            return
        if not escaped and char == '"':
            self._state = _State.DOUBLE
        elif not escaped and char == "'":
            self._state = _State.SINGLE
        else:
            self._state = _State.PLAIN
            self._word.append(char)

    def _finish(self) -> None:
        word = "".join(self._word)
        _check_length(word)
        self.words.append(word)
        self._word.clear()
        self._state = _State.BETWEEN


def _check_length(word: str) -> None:
    # Bytes that were no UTF-8 are lone surrogates here, and one character each.
    if len(word.encode(errors="replace")) > WORD_LIMIT:
        raise LexerError(f"a word of more than {WORD_LIMIT} bytes")


def split(line: str) -> list[str]:
    """Split one line into words as OpenVPN would.

    Raises:
        LexerError: OpenVPN would refuse the line, too.
    """
    line = line.partition("\0")[0]
    if _SPECIAL.search(line):
        return _Lexer().run(line)
    words = _WORD.findall(line)[:WORDS_LIMIT]  # nearly all lines of a configuration
    for word in words:
        _check_length(word)
    return words


def quote(word: str) -> str:
    r"""Write one word so that `split` gives it back: `a b` becomes `"a b"`.

    Raises:
        LexerError: the word can't be said: it is too long, or holds a control character, which
            the daemon would take out of what it reads, and so read another word.
    """
    if _CONTROL.search(word):
        raise LexerError("a word with a control character can't be sent")
    _check_length(word)
    if word and not any(char in word for char in " \"'\\#;"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def join(words: Iterable[str]) -> str:
    """Write words as one line: the reverse of `split`."""
    return " ".join(quote(word) for word in words)
