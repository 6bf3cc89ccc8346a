import base64

import pytest

from exporter.web.auth.credentials import Credentials, read_credentials


def basic(content: bytes) -> str:
    return f"Basic {base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("content", "credentials"),
    [
        (b"alice:secret", Credentials("alice", b"secret")),
        (b"alice:a:b", Credentials("alice", b"a:b")),
        (b":", Credentials("", b"")),
        ("jürgen:ü".encode(), Credentials("jürgen", "ü".encode())),
        (b"alice:\xff", Credentials("alice", b"\xff")),
    ],
)
def test_a_user_and_a_password_are_read(content: bytes, credentials: Credentials) -> None:
    assert read_credentials([basic(content)]) == credentials


def test_the_scheme_may_be_written_in_any_case() -> None:
    header = basic(b"alice:secret").replace("Basic ", " bASIC  ")
    assert read_credentials([header]) == Credentials("alice", b"secret")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["Basic"],
        ["Basic !!!!"],
        ["Basic YWxpY2U6c2VjcmV0ü"],
        [basic(b"alice")],
        [basic(b"\xff:secret")],
        [basic(b"alice:secret").replace("Basic", "Bearer")],
        [basic(b"alice:secret"), basic(b"bob:secret")],
    ],
)
def test_anything_else_is_nobody(headers: list[str]) -> None:
    assert read_credentials(headers) is None


def test_nothing_of_them_is_shown() -> None:
    assert f"{Credentials('alice', b'secret')!r}" == "Credentials(***)"
