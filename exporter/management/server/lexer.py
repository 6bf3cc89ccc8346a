"""OpenVPN's lexer of command lines, with its error texts: `parse_line()` of options.c.

The client side doesn't share it: tests compare the two.
"""

from enum import Enum, auto

WORD_LIMIT = 256
"""Bytes of one word, OPTION_PARM_SIZE."""

WORDS_LIMIT = 16
"""Words of one line, MAX_PARMS; OpenVPN doesn't read what follows them."""

_BLANKS = " \t\n\v\f\r\0"
_ESCAPABLE = '\\"' + _BLANKS
_BACKSLASH_ADVICE = (
    "remember that backslashes are treated as shell-escapes and if you need to pass backslash "
    "characters as part of a Windows filename, you should use double backslashes such as "
    '"c:\\\\openvpn\\\\static.key"'
)


class InvalidLine(ValueError):
    """A line that OpenVPN refuses; `str()` is its text after `ERROR: `."""


class _LexerState(Enum):
    BETWEEN = auto()
    PLAIN = auto()
    DOUBLE = auto()
    SINGLE = auto()


_UNFINISHED = {
    _LexerState.PLAIN: "Residual parse state (2)",  # a backslash at the end
    _LexerState.DOUBLE: 'No closing quotation (")',
    _LexerState.SINGLE: "No closing single quotation (')",
}


class _CommandLexer:
    """The state of `parse_line()` within one line."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._word = ""
        self._state = _LexerState.BETWEEN

    def read(self, line: str) -> list[str]:
        escaped = False
        for char in line + "\0":
            if char == "\\" and not escaped and self._state is not _LexerState.SINGLE:
                escaped = True
                continue
            if self._state is _LexerState.BETWEEN and char in "#;":
                return self.words
            self._feed(char, escaped=escaped)
            escaped = False
            if len(self.words) == WORDS_LIMIT:
                return self.words
        if self._state in _UNFINISHED:
            raise InvalidLine(f"Options error: {_UNFINISHED[self._state]} in TCP:0")
        return self.words

    def _feed(self, char: str, *, escaped: bool) -> None:
        if self._state is _LexerState.BETWEEN:
            self._start_word(char, escaped=escaped)
        elif self._ends_word(char, escaped=escaped):
            self.words.append(self._word)
            self._word = ""
            self._state = _LexerState.BETWEEN
        else:
            self._store(char, escaped=escaped)

    def _start_word(self, char: str, *, escaped: bool) -> None:
        if char in _BLANKS:
            return
        if char == '"' and not escaped:
            self._state = _LexerState.DOUBLE
        elif char == "'" and not escaped:
            self._state = _LexerState.SINGLE
        else:
            self._state = _LexerState.PLAIN
            self._store(char, escaped=escaped)

    def _ends_word(self, char: str, *, escaped: bool) -> bool:
        match self._state:
            case _LexerState.PLAIN:
                return not escaped and char in _BLANKS
            case _LexerState.DOUBLE:
                return not escaped and char == '"'
            case _:
                return char == "'"

    def _store(self, char: str, *, escaped: bool) -> None:
        if char == "\0":
            return
        if escaped and char not in _ESCAPABLE:
            raise InvalidLine(
                f"Options warning: Bad backslash ('\\') usage in TCP:0: {_BACKSLASH_ADVICE}"
            )
        if len(self._word) == WORD_LIMIT:
            raise InvalidLine(
                f"Options error: Parameter at TCP:0 is too long ({WORD_LIMIT} chars max): "
                f"{self._word[: WORD_LIMIT - 1]}"
            )
        self._word += char


def split(line: bytes) -> list[str]:
    """Split a command line into words; bytes that aren't UTF-8 become surrogate escapes.

    Raises:
        InvalidLine: OpenVPN answers `ERROR: ` and this text, in the bytes of the line.
    """
    try:
        words = _CommandLexer().read(line.decode("latin-1"))
    except InvalidLine as error:
        raise InvalidLine(_from_latin_1(str(error))) from None
    return [_from_latin_1(word) for word in words]


def _from_latin_1(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "surrogateescape")
