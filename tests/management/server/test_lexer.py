import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exporter.management.server.lexer import InvalidLine, split
from exporter.openvpn_config import lexer
from exporter.openvpn_config.lexer import LexerError


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"status 3", ["status", "3"]),
        (b"  pid  ", ["pid"]),
        (b"\"status\" '2'", ["status", "2"]),
        (b'password "Auth" "a b"', ["password", "Auth", "a b"]),
        (b'"a"b', ["a", "b"]),
        (b"a\\ b", ["a b"]),
        (b"'a\\b'", ["a\\b"]),
        (b"pid # comment", ["pid"]),
        (b"pid#1", ["pid#1"]),
        (b"; pid", []),
        (b"", []),
        ("kill zoë".encode(), ["kill", "zoë"]),
        (b"kill \xff\xfe", ["kill", "\udcff\udcfe"]),
        (b"x" * 256, ["x" * 256]),
        (b" ".join([b"w"] * 20), ["w"] * 16),
    ],
)
def test_a_line_is_split_as_openvpn_does(line: bytes, words: list[str]) -> None:
    assert split(line) == words


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'echo "unbalanced', 'Options error: No closing quotation (") in TCP:0'),
        (b"echo 'unbalanced", "Options error: No closing single quotation (') in TCP:0"),
        (b"pid\\", "Options error: Residual parse state (2) in TCP:0"),
        (
            b"y" * 257,
            f"Options error: Parameter at TCP:0 is too long (256 chars max): {'y' * 255}",
        ),
    ],
)
def test_a_bad_line_is_refused_in_openvpns_words(line: bytes, complaint: str) -> None:
    with pytest.raises(InvalidLine) as error:
        split(line)
    assert str(error.value) == complaint


def test_a_backslash_before_a_letter_is_refused() -> None:
    with pytest.raises(
        InvalidLine, match=r"^Options warning: Bad backslash \('\\'\) usage in TCP:0"
    ):
        split(b"kill c:\\temp")


@given(st.text(alphabet=st.sampled_from("ab\"'\\#; \té"), max_size=30))
def test_it_agrees_with_the_client_sides_lexer_on_every_line(line: str) -> None:
    # The exporter refuses a lone backslash at the very end, where OpenVPN sees nothing at all.
    assume(not line.endswith("\\"))
    try:
        theirs: list[str] | None = lexer.split(line)
    except LexerError:
        theirs = None
    try:
        ours: list[str] | None = split(line.encode())
    except InvalidLine:
        ours = None
    assert ours == theirs
