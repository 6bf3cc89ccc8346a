import ssl
from pathlib import Path

import msgspec
import pytest

from exporter.web.web_config.schema import CipherSuite, Curve, TlsConfig, TlsVersion
from exporter.web.web_config.tls import _CURVES, _SUITES, server_context
from tests.web.certificates import Authority


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def tls(tmp_path: Path, authority: Authority) -> TlsConfig:
    authority.write(tmp_path, "web", "localhost")
    return TlsConfig(cert_file=tmp_path / "web.crt", key_file=tmp_path / "web.key")


def context_of(tls: TlsConfig, **changes: object) -> ssl.SSLContext:
    context, problems = server_context(msgspec.structs.replace(tls, **changes))
    assert problems == ()
    return context


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Make a TLS handshake in memory; return the client's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    waiting = list(sides)
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return sides[0]


def test_the_default_is_the_newest_version(tls: TlsConfig, authority: Authority) -> None:
    assert handshake(context_of(tls), authority.client()).version() == "TLSv1.3"


def test_the_maximum_version_is_respected(tls: TlsConfig, authority: Authority) -> None:
    server = context_of(tls, max_version=TlsVersion.TLS12)
    assert handshake(server, authority.client()).version() == "TLSv1.2"


def test_the_minimum_version_refuses_older_ones(tls: TlsConfig, authority: Authority) -> None:
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(context_of(tls), client).version() == "TLSv1.2"
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        handshake(context_of(tls, min_version=TlsVersion.TLS13), client)


SUITES = (CipherSuite.ECDSA_AES_256_GCM, CipherSuite.ECDSA_AES_128_GCM)


@pytest.mark.parametrize(
    ("prefer_server", "chosen"),
    [(True, "ECDHE-ECDSA-AES256-GCM-SHA384"), (False, "ECDHE-ECDSA-AES128-GCM-SHA256")],
)
def test_the_preferred_suite_is_the_servers_or_the_clients(
    tls: TlsConfig, authority: Authority, *, prefer_server: bool, chosen: str
) -> None:
    server = context_of(
        tls,
        max_version=TlsVersion.TLS12,
        cipher_suites=SUITES,
        prefer_server_cipher_suites=prefer_server,
    )
    client = authority.client()
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384")
    cipher = handshake(server, client).cipher()
    assert cipher is not None
    assert cipher[0] == chosen


@pytest.mark.parametrize("suite", _SUITES)
def test_openssl_has_every_suite(tls: TlsConfig, suite: CipherSuite) -> None:
    ciphers = context_of(tls, cipher_suites=(suite,)).get_ciphers()
    assert _SUITES[suite] in {cipher["name"] for cipher in ciphers}


def test_suites_of_tls_1_3_only_disable_tls_1_2(tls: TlsConfig) -> None:
    context = context_of(tls, cipher_suites=(CipherSuite.TLS13_CHACHA20,))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3


NIST = {Curve.P256: "prime256v1", Curve.P384: "secp384r1", Curve.P521: "secp521r1"}


@pytest.mark.parametrize("curve", NIST)
def test_a_configured_curve_is_the_only_one(
    tls: TlsConfig, authority: Authority, curve: Curve
) -> None:
    server = context_of(tls, curve_preferences=(curve,))
    same, other = authority.client(), authority.client()
    same.set_ecdh_curve(NIST[curve])
    other.set_ecdh_curve("secp384r1" if curve is not Curve.P384 else "prime256v1")
    assert handshake(server, same).version() == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        handshake(server, other)


def test_a_curve_that_python_cannot_set_is_a_problem(
    tls: TlsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_CURVES, Curve.X25519, "unknown to openssl")
    _, (problem,) = server_context(msgspec.structs.replace(tls, curve_preferences=(Curve.X25519,)))
    assert problem.key == "curve_preferences"
    assert problem.text.startswith("X25519 is not supported by this Python")


def test_x25519_is_the_only_curve_if_python_can_set_it(
    tls: TlsConfig, authority: Authority
) -> None:
    server, problems = server_context(
        msgspec.structs.replace(tls, curve_preferences=(Curve.X25519,))
    )
    client = authority.client()
    assert [problem.key for problem in problems] in ([], ["curve_preferences"])
    client.set_ecdh_curve("prime256v1")
    if not problems:
        with pytest.raises(ssl.SSLError):
            handshake(server, client)
