import pprint

import pytest

from exporter.secret import Secret

SECRET = Secret("hunter2")


def test_reveal_returns_the_text() -> None:
    assert SECRET.reveal() == "hunter2"


@pytest.mark.parametrize(
    "shown",
    [
        str(SECRET),
        repr(SECRET),
        f"{SECRET}",
        f"{SECRET!r}",
        "%s" % SECRET,  # noqa: UP031
        repr([SECRET]),
        pprint.pformat({"password": SECRET}),
    ],
)
def test_representations_hide_the_text(shown: str) -> None:
    assert "hunter2" not in shown
    assert "***" in shown
