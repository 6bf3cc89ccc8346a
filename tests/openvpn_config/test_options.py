from pathlib import Path

import pytest

from exporter.openvpn_config.directives import Directive, parse
from exporter.openvpn_config.errors import SyntaxProblem
from exporter.openvpn_config.options import Options, select

FILE = Path("office.conf")


def options(text: str) -> Options:
    return select(parse(text.encode(), FILE))


def test_the_last_of_several_uses_counts_and_all_are_known() -> None:
    given = options("status a\nstatus b 5\n")
    assert given.argument("status") == "b"
    assert [use.arguments for use in given.all("status")] == [("a",), ("b", "5")]


def test_what_is_not_said_has_no_value() -> None:
    given = options("")
    assert given.argument("status") is None
    assert given.last("status") is None
    assert given.all("status") == ()
    assert "status" not in given


def test_nothing_else_is_kept() -> None:
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
def test_arguments_that_openvpn_refuses_are_refused(text: str) -> None:
    with pytest.raises(SyntaxProblem, match="has too few or too many arguments") as caught:
        options(f"verb 3\n{text}\n")
    assert caught.value.location.line == 2


@pytest.mark.parametrize("name", ["client", "--client"])
def test_they_are_ignored_where_the_file_asks_for_that(name: str) -> None:
    assert "client" not in options(f"ignore-unknown-option foo {name}\nclient 1\n")


def test_they_are_ignored_after_setenv_opt() -> None:
    (use,) = parse(b"status a 1 2", FILE)
    optional = Directive(use.name, use.arguments, use.location, optional=True)
    assert "status" not in select([optional])


def test_what_is_written_inline_has_no_argument() -> None:
    given = options("<ca>\nx\n</ca>\n")
    assert given.argument("ca") is None
    use = given.last("ca")
    assert use is not None
    assert use.inline == b"x\n"
