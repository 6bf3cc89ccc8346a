from pathlib import Path

import pytest

from exporter.openvpn_config.directives import Directive, parse
from exporter.openvpn_config.errors import SyntaxProblem
from exporter.openvpn_config.options import Options, select

FILE = Path("office.conf")


def options(text: str) -> Options:
    return select(parse(text.encode(), FILE))


def test_last_of_several_occurrences_counts() -> None:
    selected = options("status a\nstatus b 5\n")
    assert selected.argument("status") == "b"
    assert [occurrence.arguments for occurrence in selected.all("status")] == [("a",), ("b", "5")]


def test_missing_option_has_no_value() -> None:
    selected = options("")
    assert selected.argument("status") is None
    assert selected.last("status") is None
    assert selected.all("status") == ()
    assert "status" not in selected


def test_other_options_are_ignored() -> None:
    assert not options("auth-user-pass secret\n<key>\nsecret\n</key>\nnew-in-2.9 1\n").occurrences


@pytest.mark.parametrize(
    "text",
    [
        "status",
        "status a 1 2",
        "management a",
        "management a 1 b c",
        "client 1",
        "<status>\n</status>",
    ],
)
def test_invalid_arguments_are_refused(text: str) -> None:
    with pytest.raises(SyntaxProblem, match="has too few or too many arguments") as caught:
        options(f"verb 3\n{text}\n")
    assert caught.value.location.line == 2


@pytest.mark.parametrize("name", ["client", "--client"])
def test_invalid_arguments_are_ignored_after_ignore_unknown_option(name: str) -> None:
    assert "client" not in options(f"ignore-unknown-option foo {name}\nclient 1\n")


def test_invalid_arguments_are_ignored_after_setenv_opt() -> None:
    (occurrence,) = parse(b"status a 1 2", FILE)
    optional = Directive(occurrence.name, occurrence.arguments, occurrence.location, optional=True)
    assert "status" not in select([optional])


def test_inline_option_has_no_argument() -> None:
    selected = options("<ca>\nx\n</ca>\n")
    assert selected.argument("ca") is None
    occurrence = selected.last("ca")
    assert occurrence is not None
    assert occurrence.inline == b"x\n"
