"""OpenVPN's command lexer with OpenVPN's own complaints: `parse_line()` of options.c.

The exporter has a lexer of its own. This one is separate on purpose: a stand-in that shared the
exporter's reading of the rules would share its mistakes.
"""

from enum import Enum, auto

WORD_LIMIT = 256
"""Bytes of one word, OPTION_PARM_SIZE."""

WORDS_LIMIT = 16
"""Words of one line, MAX_PARMS; what follows them isn't read."""

_BLANKS = " \t\n\v\f\r\0"
_ESCAPABLE = '\\"' + _BLANKS
_BACKSLASH_ADVICE = (
    "remember that backslashes are treated as shell-escapes and if you need to pass backslash "
    "characters as part of a Windows filename, you should use double backslashes such as "
    '"c:\\\\openvpn\\\\static.key"'
)


class BadLine(ValueError):
    """A line OpenVPN refuses; `str()` is what it answers after `ERROR: `."""


class _State(Enum):
    BETWEEN = auto()
    PLAIN = auto()
    DOUBLE = auto()
    SINGLE = auto()


_UNFINISHED = {
    _State.PLAIN: "Residual parse state (2)",  # a backslash at the end
    _State.DOUBLE: 'No closing quotation (")',
    _State.SINGLE: "No closing single quotation (')",
}


class _Line:
    def __init__(self) -> None:
        self.words: list[str] = []
        self._word = ""
        self._state = _State.BETWEEN

    def read(self, line: str) -> list[str]:
        escaped = False
        for char in line + "\0":
            if char == "\\" and not escaped and self._state is not _State.SINGLE:
                escaped = True
                continue
            if self._state is _State.BETWEEN and char in "#;":
                return self.words
            self._take(char, escaped=escaped)
            escaped = False
            if len(self.words) == WORDS_LIMIT:
                return self.words
        self._check_end()
        return self.words

    def _take(self, char: str, *, escaped: bool) -> None:
        if self._state is _State.BETWEEN:
            self._start_word(char, escaped=escaped)
        elif self._ends_word(char, escaped=escaped):
            self.words.append(self._word)
            self._word = ""
            self._state = _State.BETWEEN
        else:
            self._store(char, escaped=escaped)

    def _start_word(self, char: str, *, escaped: bool) -> None:
        if char in _BLANKS:
            return
        if char == '"' and not escaped:
            self._state = _State.DOUBLE
        elif char == "'" and not escaped:
            self._state = _State.SINGLE
        else:
            self._state = _State.PLAIN
            self._store(char, escaped=escaped)

    def _ends_word(self, char: str, *, escaped: bool) -> bool:
        match self._state:
            case _State.PLAIN:
                return not escaped and char in _BLANKS
            case _State.DOUBLE:
                return not escaped and char == '"'
            case _:
                return char == "'"

    def _store(self, char: str, *, escaped: bool) -> None:
        if char == "\0":
            return
        if escaped and char not in _ESCAPABLE:
            raise BadLine(
                f"Options warning: Bad backslash ('\\') usage in TCP:0: {_BACKSLASH_ADVICE}"
            )
        if len(self._word) == WORD_LIMIT:
            raise BadLine(
                f"Options error: Parameter at TCP:0 is too long ({WORD_LIMIT} chars max): "
                f"{self._word[: WORD_LIMIT - 1]}"
            )
        self._word += char

    def _check_end(self) -> None:
        if self._state in _UNFINISHED:
            raise BadLine(f"Options error: {_UNFINISHED[self._state]} in TCP:0")


def split(line: bytes) -> list[str]:
    """Split a command line into words; bytes that aren't UTF-8 come as surrogate escapes.

    Raises:
        BadLine: OpenVPN answers `ERROR: ` and the text, in the bytes of the line.
    """
    try:
        words = _Line().read(line.decode("latin-1"))
    except BadLine as error:
        raise BadLine(_as_text(str(error))) from None
    return [_as_text(word) for word in words]


def _as_text(latin: str) -> str:
    return latin.encode("latin-1").decode("utf-8", "surrogateescape")
