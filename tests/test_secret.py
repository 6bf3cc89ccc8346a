import pprint
from collections.abc import Callable

import pytest

from exporter.management.endpoint import parse_endpoint
from exporter.secret import Secret
from exporter.web.listener import parse_listen_address
from exporter.web.service_discovery import parse_external_url

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


@pytest.mark.parametrize("parse", [parse_endpoint, parse_listen_address, parse_external_url])
@pytest.mark.parametrize(
    "address",
    ["alice:hunter2@vpn.example.org:7505", "https://:hunter2@[::1]:1/", "listen:hunter2@x:1"],
)
def test_a_password_in_an_address_is_not_repeated(
    parse: Callable[[str], object], address: str
) -> None:
    with pytest.raises(ValueError, match=r"\*\*\*@") as raised:
        parse(address)
    assert "hunter2" not in str(raised.value)
