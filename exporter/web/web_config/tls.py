"""The TLS section of the web configuration -> a context of Python's `ssl`.

Keys go from the file to OpenSSL; the exporter keeps no copy.
"""

import contextlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from exporter.config.errors import Problem
from exporter.files import read_regular
from exporter.secret import Secret
from exporter.web.web_config.schema import CipherSuite, ClientAuth, Curve, TlsConfig, TlsVersion

MAX_BYTES = 1 << 20
"""Largest certificate or key file."""

_VERSIONS = {
    TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3,
}
_VERIFY_MODES = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}
_CURVES = {
    Curve.P256: "prime256v1",
    Curve.P384: "secp384r1",
    Curve.P521: "secp521r1",
    Curve.X25519: "X25519",
}
# Suites of TLS 1.3 are always enabled, in OpenSSL as in Go.
_SUITES = {
    CipherSuite.ECDSA_AES_128_CBC: "ECDHE-ECDSA-AES128-SHA",
    CipherSuite.ECDSA_AES_256_CBC: "ECDHE-ECDSA-AES256-SHA",
    CipherSuite.RSA_AES_128_CBC: "ECDHE-RSA-AES128-SHA",
    CipherSuite.RSA_AES_256_CBC: "ECDHE-RSA-AES256-SHA",
    CipherSuite.ECDSA_AES_128_GCM: "ECDHE-ECDSA-AES128-GCM-SHA256",
    CipherSuite.ECDSA_AES_256_GCM: "ECDHE-ECDSA-AES256-GCM-SHA384",
    CipherSuite.RSA_AES_128_GCM: "ECDHE-RSA-AES128-GCM-SHA256",
    CipherSuite.RSA_AES_256_GCM: "ECDHE-RSA-AES256-GCM-SHA384",
    CipherSuite.RSA_CHACHA20: "ECDHE-RSA-CHACHA20-POLY1305",
    CipherSuite.ECDSA_CHACHA20: "ECDHE-ECDSA-CHACHA20-POLY1305",
}


class TlsConfigError(Exception):
    """The TLS section is invalid; `problem` has the key and the reason."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(key=key, text=text)


def check_tls(tls: TlsConfig) -> Iterator[Problem]:
    """Yield the contradictions between the keys of a TLS section.

    Go's exporters ignore one of two keys that contradict each other; here it is a problem.
    """
    yield from _check_key_pair(tls)
    yield from _check_client_auth(tls)
    if tls.min_version is TlsVersion.TLS13 and tls.max_version is TlsVersion.TLS12:
        yield Problem(
            key="min_version", text="is newer than max_version: write TLS12, or a newer maximum"
        )


def _check_key_pair(tls: TlsConfig) -> Iterator[Problem]:
    for name in ("cert", "key", "client_ca"):
        inline, file = getattr(tls, name), getattr(tls, f"{name}_file")
        if inline is not None and file is not None:
            yield Problem(key=name, text=f"is set together with {name}_file: keep one of them")
        elif inline is None and file is None and name != "client_ca":
            yield Problem(key="", text=f"{name}_file is missing: add it, or {name}")


def _check_client_auth(tls: TlsConfig) -> Iterator[Problem]:
    has_ca = tls.client_ca is not None or tls.client_ca_file is not None
    if has_ca and tls.client_auth_type is ClientAuth.NONE:
        name = "client_ca" if tls.client_ca is not None else "client_ca_file"
        text = "has no effect without client_auth_type: set it to RequireAndVerifyClientCert"
        yield Problem(key=name, text=text)
    if not has_ca and tls.client_auth_type is not ClientAuth.NONE:
        text = "needs client_ca_file: set the CA of the clients' certificates"
        yield Problem(key="client_auth_type", text=text)
    if tls.client_allowed_sans is not None:
        yield from _check_sans(tls.client_allowed_sans, tls.client_auth_type)


def _check_sans(sans: tuple[str, ...], auth: ClientAuth) -> Iterator[Problem]:
    if not sans:
        text = "is empty, so that no client is accepted: add a name, or remove the key"
        yield Problem(key="client_allowed_sans", text=text)
    elif auth is not ClientAuth.REQUIRED:
        text = "needs client_auth_type RequireAndVerifyClientCert: else a certificate is optional"
        yield Problem(key="client_allowed_sans", text=text)


def server_context(tls: TlsConfig) -> tuple[ssl.SSLContext, tuple[Problem, ...]]:
    """Return the context and the problems; with a problem, the context must not be used.

    Reads files, so it blocks. `tls` has passed `check_tls`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    problems = []
    steps = (_set_versions, _set_suites, _set_curve, _load_certificate, _load_client_ca)
    for step in steps:
        try:
            step(context, tls)
        except TlsConfigError as error:
            problems.append(error.problem)
    return context, tuple(problems)


def _set_versions(context: ssl.SSLContext, tls: TlsConfig) -> None:
    context.minimum_version = _VERSIONS[tls.min_version]
    context.maximum_version = _VERSIONS[tls.max_version]


def _set_suites(context: ssl.SSLContext, tls: TlsConfig) -> None:
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if not tls.cipher_suites:
        return
    names = [_SUITES[suite] for suite in tls.cipher_suites if suite in _SUITES]
    if names:
        context.set_ciphers(":".join(names))
    elif tls.max_version is TlsVersion.TLS13:
        # Only suites of TLS 1.3 are configured: TLS 1.2 has none.
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    else:
        raise TlsConfigError(
            "cipher_suites", "has no suite for TLS12, the max_version: add one, or allow TLS13"
        )


def _set_curve(context: ssl.SSLContext, tls: TlsConfig) -> None:
    if len(tls.curve_preferences) > 1:
        raise TlsConfigError("curve_preferences", "supports one curve: keep the first, or none")
    for curve in tls.curve_preferences:
        try:
            context.set_ecdh_curve(_CURVES[curve])
        except (ssl.SSLError, ValueError):
            # Python 3.11.2 supports the NIST curves only.
            text = f"{curve} is not supported by this Python: set another curve, or none"
            raise TlsConfigError("curve_preferences", text) from None


def _load_certificate(context: ssl.SSLContext, tls: TlsConfig) -> None:
    cert = "cert_file" if tls.cert is None else "cert"
    key = "key_file" if tls.key is None else "key"
    if "-----BEGIN CERTIFICATE-----" not in _content(cert, tls.cert_file, tls.cert):
        raise TlsConfigError(
            cert, "has no certificate: write one as PEM, -----BEGIN CERTIFICATE-----"
        )
    key_content = _content(key, tls.key_file, tls.key)
    if "PRIVATE KEY-----" not in key_content:
        raise TlsConfigError(
            key, "has no private key: write one as PEM, -----BEGIN PRIVATE KEY-----"
        )
    if "ENCRYPTED" in key_content:
        raise TlsConfigError(
            key, "is encrypted, and the exporter cannot ask for its passphrase: decrypt it"
        )
    with _as_path(tls.cert_file, tls.cert) as cert_path, _as_path(tls.key_file, tls.key) as path:
        try:
            context.load_cert_chain(cert_path, path)
        except (OSError, ValueError) as error:
            mismatch = getattr(error, "reason", None) == "KEY_VALUES_MISMATCH"
            text = f"is not the key of {cert}: set a matching pair"
            damaged = f"cannot be used with {key}: one of them is damaged, or too weak for OpenSSL"
            raise (
                TlsConfigError(key, text) if mismatch else TlsConfigError(cert, damaged)
            ) from None


def _load_client_ca(context: ssl.SSLContext, tls: TlsConfig) -> None:
    context.verify_mode = _VERIFY_MODES[tls.client_auth_type]
    if tls.client_auth_type is ClientAuth.NONE:
        return
    # As in Go, an intermediate CA is a trust anchor, too.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    name = "client_ca_file" if tls.client_ca is None else "client_ca"
    content = _content(name, tls.client_ca_file, tls.client_ca)
    # Bundles have the names of CAs between the certificates; Python refuses all but ASCII.
    pem = content.encode("ascii", errors="replace").decode()
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        text = "has no CA certificate: write it as PEM, -----BEGIN CERTIFICATE-----"
        raise TlsConfigError(name, text) from None


def _content(key: str, path: Path | None, inline: Secret | None) -> str:
    if inline is not None:
        return inline.reveal()
    assert path is not None  # noqa: S101 -- check_tls: one of both is set
    try:
        return read_regular(path, MAX_BYTES).decode(errors="replace")
    except OSError as error:
        raise TlsConfigError(key, f"cannot read {path}: {error.strerror}") from None


@contextlib.contextmanager
def _as_path(path: Path | None, inline: Secret | None) -> Iterator[str | Path]:
    """Yield a path for OpenSSL, which reads keys from files only."""
    if inline is None:
        assert path is not None  # noqa: S101 -- check_tls: one of both is set
        yield path
        return
    # In memory: the key is never written to disk.
    descriptor = os.memfd_create("tls")
    with os.fdopen(descriptor, "wb") as file:
        file.write(inline.reveal().encode())
        file.flush()
        yield f"/proc/self/fd/{descriptor}"
