import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.port_probe import wrapping
from exporter.port_probe.keys import (
    parse_client_key,
    parse_server_key,
    parse_static_key,
    static_key,
)
from exporter.port_probe.wrapping import TlsCryptWrapping, make_client_key
from tests.port_probe.vectors import CLIENT_KEY, DATA, SERVER_KEY, STATIC_KEY

STATIC = (DATA / "static.key").read_bytes()
CLIENT = (DATA / "client.key").read_bytes()
SERVER = (DATA / "server.key").read_bytes()


def test_a_static_key_has_four_parts_in_order() -> None:
    raw = b"".join(
        part.reveal()
        for slot in (STATIC_KEY.first, STATIC_KEY.second)
        for part in (slot.cipher, slot.hmac)
    )
    assert raw == bytes.fromhex(b"".join(STATIC.splitlines()[4:-1]).decode())


@pytest.mark.parametrize("around", [b"", b"text before\n"])
def test_a_key_may_have_comments_blanks_and_line_ends_of_windows(around: bytes) -> None:
    content = around + STATIC.replace(b"\n", b"\r\n").replace(b"ef0a94f5", b" ef0a 94f5")
    assert parse_static_key(content) == STATIC_KEY


def test_a_client_key_made_for_a_server_is_like_one_of_openvpn() -> None:
    raw = b"".join(
        part.reveal()
        for slot in (CLIENT_KEY.key.first, CLIENT_KEY.key.second)
        for part in (slot.cipher, slot.hmac)
    )
    time = wrapped_time()
    assert make_client_key(SERVER_KEY, raw, time) == CLIENT_KEY


def wrapped_time() -> int:
    """Return the time that OpenVPN wrote into the client key of the test data."""
    content = CLIENT_KEY.wrapped.reveal()
    tag, encrypted = content[:32], content[32:-2]
    plain = wrapping._aes_ctr(SERVER_KEY, tag, encrypted)
    assert plain[256] == 1
    return int.from_bytes(plain[257:], "big")


@pytest.mark.parametrize(
    ("parse", "content", "problem"),
    [
        (parse_static_key, b"", "has no static key"),
        (parse_static_key, CLIENT, "has a tls-crypt-v2 client key, not a static key"),
        (parse_static_key, SERVER, "has a tls-crypt-v2 server key, not a static key"),
        (parse_static_key, STATIC.replace(b"ef0a", b"zz0a"), "hexadecimal digits"),
        (parse_static_key, STATIC.replace(b"ef0a", b"ef0"), "hexadecimal digits"),
        (parse_static_key, STATIC.replace(b"ef0a", b""), "has a static key of 254 bytes, not 256"),
        (parse_client_key, STATIC, "has a static key"),
        (parse_client_key, CLIENT.replace(b"Ib7W", b"Ib7"), "is not base64"),
        (parse_client_key, CLIENT.replace(b"Ib7W", b""), "wrong length"),
        (parse_client_key, SERVER.replace(b"server", b"client"), "wrong length"),
        (parse_server_key, CLIENT, "has a tls-crypt-v2 client key, not a tls-crypt-v2 server key"),
        (parse_server_key, CLIENT.replace(b"client", b"server"), "wrong length"),
    ],
)
def test_a_wrong_key_is_named_without_its_content(
    parse: Callable[[bytes], object], content: bytes, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        parse(content)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


PARSERS: list[Callable[[bytes], object]] = [parse_static_key, parse_client_key, parse_server_key]


@given(
    parse=st.sampled_from(PARSERS),
    content=st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda file, start, more: file[:start] + more + file[start + len(more) :],
            st.sampled_from([STATIC, CLIENT, SERVER]),
            st.integers(0, 900),
            st.binary(max_size=40),
        ),
    ),
)
def test_any_file_is_a_key_or_has_a_problem(
    parse: Callable[[bytes], object], content: bytes
) -> None:
    key, problem = None, ""
    try:
        key = parse(content)
    except ValueError as error:
        problem = str(error)
    assert problem.startswith("has ") or "SecretBytes(***)" in repr(key)


@pytest.mark.parametrize("key", [STATIC_KEY, CLIENT_KEY, SERVER_KEY, TlsCryptWrapping(STATIC_KEY)])
def test_no_key_is_printed(key: object) -> None:
    text = f"{key} {key!r}"
    assert "SecretBytes(***)" in text
    assert text.count("\\x") == 0
    assert "ef0a" not in text


def test_keys_are_equal_by_their_bytes() -> None:
    assert static_key(bytes(256)) == static_key(bytes(256))
    assert static_key(bytes(256)) != static_key(bytes(255) + b"\1")
    assert len({static_key(bytes(256)), static_key(bytes(256))}) == 1


def test_tls_crypt_without_the_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "exporter.port_probe.aes", None)
    with pytest.raises(ValueError, match="pip install cryptography"):
        TlsCryptWrapping(STATIC_KEY)
