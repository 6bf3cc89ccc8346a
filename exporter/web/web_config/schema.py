"""Every key of the web configuration file, in the format of Prometheus' exporter-toolkit."""

import enum
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import bcrypt
import msgspec

from exporter.config.schema import KeySpec
from exporter.config.types import (
    Boolean,
    Choice,
    Duration,
    FilePath,
    Integer,
    Label,
    ListOf,
    MapOf,
    PemText,
    Scalar,
    Section,
)
from exporter.secret import Secret

MAX_COST = 16
"""Highest cost of a hash: a check takes about 4 seconds, and each further 1 doubles it."""

_HASH = re.compile(r"\$2[aby]\$([0-9]{2})\$([./A-Za-z0-9]{22})[./A-Za-z0-9]{31}")
_CHEAPEST = "$2b$04$"


class ClientAuth(enum.StrEnum):
    """What is asked of clients in the TLS handshake."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


class TlsVersion(enum.StrEnum):
    """A version of TLS."""

    TLS12 = "TLS12"
    TLS13 = "TLS13"


class Curve(enum.StrEnum):
    """A group for the key exchange, by Go's name."""

    P256 = "CurveP256"
    P384 = "CurveP384"
    P521 = "CurveP521"
    X25519 = "X25519"


class CipherSuite(enum.StrEnum):
    """A cipher suite by the name that it has in the standards and in Go."""

    ECDSA_AES_128_CBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
    ECDSA_AES_256_CBC = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
    RSA_AES_128_CBC = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
    RSA_AES_256_CBC = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
    ECDSA_AES_128_GCM = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    ECDSA_AES_256_GCM = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    RSA_AES_128_GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    RSA_AES_256_GCM = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    RSA_CHACHA20 = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
    ECDSA_CHACHA20 = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
    TLS13_AES_128_GCM = "TLS_AES_128_GCM_SHA256"
    TLS13_AES_256_GCM = "TLS_AES_256_GCM_SHA384"
    TLS13_CHACHA20 = "TLS_CHACHA20_POLY1305_SHA256"


_UNVERIFIED = (
    "asks for a certificate and never verifies it, which protects nothing and cannot be had here"
)
_NO_SUCH_AUTH = {
    "RequestClientCert": f"{_UNVERIFIED}: write NoClientCert or VerifyClientCertIfGiven",
    "RequireAnyClientCert": f"{_UNVERIFIED}: write RequireAndVerifyClientCert",
    "RequireClientCert": f"{_UNVERIFIED}: write RequireAndVerifyClientCert",
}
_OLD_VERSION = "is broken (RFC 8996) and not offered: write TLS12 or TLS13"
_NO_SUCH_VERSION = {"TLS10": _OLD_VERSION, "TLS11": _OLD_VERSION}


class UserName(msgspec.Struct, frozen=True):
    """A user name that HTTP basic authentication allows."""

    hint: str = "user"

    def read(self, scalar: Scalar) -> str:
        """Return the value; raises ValueError."""
        if not scalar.text or ":" in scalar.text or not scalar.text.isprintable():
            raise ValueError("no user can have this name: leave out colons and control characters")
        return scalar.text


class BcryptHash(msgspec.Struct, frozen=True):
    """The bcrypt hash of a password, as `htpasswd -B` writes it."""

    hint: str = "bcrypt hash"

    def read(self, scalar: Scalar) -> Secret:
        """Return the value; raises ValueError, which never shows the text."""
        match = _HASH.fullmatch(scalar.text)
        if match is None:
            raise ValueError("is no bcrypt hash, $2y$10$…: make one with htpasswd -nBC 10 NAME")
        if not _is_cost(int(match[1])):
            raise ValueError(
                f"has a cost of {match[1]}: hash the password at 10, at most {MAX_COST}"
            )
        try:
            bcrypt.hashpw(b"", f"{_CHEAPEST}{match[2]}".encode())
        except ValueError:
            raise ValueError("is a damaged bcrypt hash: hash the password anew") from None
        return Secret(scalar.text)


def _is_cost(cost: int) -> bool:
    return 4 <= cost <= MAX_COST  # noqa: PLR2004 -- bcrypt's minimum


class HeaderValue(msgspec.Struct, frozen=True):
    """The value of an HTTP header, one of `allowed` if there are any; "" omits the header."""

    allowed: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """The allowed values, for people."""
        return " or ".join(self.allowed) or "text"

    def read(self, scalar: Scalar) -> str | None:
        """Return the value; raises ValueError."""
        if self.allowed and scalar.text not in self.allowed:
            raise ValueError(f"{scalar.text!r} is not known: write {self.hint}")
        if not scalar.text.isascii() or (scalar.text and not scalar.text.isprintable()):
            raise ValueError(f"{scalar.text!r} is no header: write printable ASCII")
        return scalar.text or None


class IntervalOrZero(Duration, frozen=True):
    """A duration, or `0` without a unit."""

    def read(self, scalar: Scalar) -> float:
        """Return the value; raises ValueError."""
        return 0.0 if scalar.text == "0" else super().read(scalar)


class TlsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How connections are encrypted, and which clients may make one."""

    cert: Annotated[
        Secret | None, KeySpec(PemText(), "The certificate and its chain, as PEM in this file.")
    ] = None
    key: Annotated[Secret | None, KeySpec(PemText(), "The key, as PEM in this file.")] = None
    client_ca: Annotated[
        Secret | None, KeySpec(PemText(), "Authorities of clients' certificates, as PEM.")
    ] = None
    cert_file: Annotated[
        Path | None,
        KeySpec(FilePath(readable=True), "File with the certificate and its chain, as PEM."),
    ] = None
    key_file: Annotated[
        Path | None,
        KeySpec(FilePath(readable=True), "File with the key, as PEM and not encrypted."),
    ] = None
    client_auth_type: Annotated[
        ClientAuth,
        KeySpec(Choice(ClientAuth, _NO_SUCH_AUTH), "Which clients must show a certificate."),
    ] = ClientAuth.NONE
    client_ca_file: Annotated[
        Path | None,
        KeySpec(FilePath(readable=True), "File with the authorities of clients, as PEM."),
    ] = None
    client_allowed_sans: Annotated[
        tuple[str, ...] | None,
        KeySpec(
            ListOf(Label(512)),
            "Clients are let in only with one of these in their certificate: "
            "a DNS name, an IP address, a mail address or a URI.",
        ),
    ] = None
    min_version: Annotated[
        TlsVersion, KeySpec(Choice(TlsVersion, _NO_SUCH_VERSION), "Oldest version of TLS.")
    ] = TlsVersion.TLS12
    max_version: Annotated[
        TlsVersion, KeySpec(Choice(TlsVersion, _NO_SUCH_VERSION), "Newest version of TLS.")
    ] = TlsVersion.TLS13
    cipher_suites: Annotated[
        tuple[CipherSuite, ...],
        KeySpec(ListOf(Choice(CipherSuite)), "Cipher suites of TLS 1.2, OpenSSL's by default."),
    ] = ()
    prefer_server_cipher_suites: Annotated[
        bool, KeySpec(Boolean(), "Whether the order of the suites here counts, or the client's.")
    ] = True
    curve_preferences: Annotated[
        tuple[Curve, ...],
        KeySpec(ListOf(Choice(Curve)), "The group of the key exchange: one, or OpenSSL's choice."),
    ] = ()


class HeadersConfig(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={
        "content_security_policy": "Content-Security-Policy",
        "x_frame_options": "X-Frame-Options",
        "x_content_type_options": "X-Content-Type-Options",
        "x_xss_protection": "X-XSS-Protection",
        "strict_transport_security": "Strict-Transport-Security",
    },
):
    """Headers that every answer has; None leaves one out."""

    content_security_policy: Annotated[
        str | None, KeySpec(HeaderValue(), "What a page may load and run.")
    ] = None
    x_frame_options: Annotated[
        str | None, KeySpec(HeaderValue(("deny", "sameorigin")), "Who may show a page in a frame.")
    ] = None
    x_content_type_options: Annotated[
        str | None, KeySpec(HeaderValue(("nosniff",)), "That the content type is meant.")
    ] = None
    x_xss_protection: Annotated[str | None, KeySpec(HeaderValue(), "For browsers of the past.")] = (
        None
    )
    strict_transport_security: Annotated[
        str | None, KeySpec(HeaderValue(), "That browsers come by HTTPS alone from now on.")
    ] = None


class HttpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How HTTP is spoken."""

    http2: Annotated[
        bool,
        KeySpec(Boolean(), "Read and without effect: HTTP/1.1 is spoken, which clients agree to."),
    ] = True
    headers: Annotated[
        HeadersConfig, KeySpec(Section(HeadersConfig), "Headers that every answer has.")
    ] = HeadersConfig()


class RateLimitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many requests are answered, whoever sends them."""

    interval: Annotated[
        float, KeySpec(IntervalOrZero("0s", "1h"), "Time between two requests; 0 sets no limit.")
    ] = 0.0
    burst: Annotated[
        int | None, KeySpec(Integer(1_000_000), "How many may come at once after a pause.")
    ] = None


class WebConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the web configuration file says; durations are in seconds."""

    tls_server_config: Annotated[TlsConfig, KeySpec(Section(TlsConfig), "TLS.")] = TlsConfig()
    http_server_config: Annotated[
        HttpConfig, KeySpec(Section(HttpConfig), "How HTTP is spoken.")
    ] = HttpConfig()
    basic_auth_users: Annotated[
        Mapping[str, Secret] | None,
        KeySpec(MapOf(UserName(), BcryptHash()), "Users and the bcrypt hashes of their passwords."),
    ] = None
    rate_limit: Annotated[
        RateLimitConfig, KeySpec(Section(RateLimitConfig), "How many requests are answered.")
    ] = RateLimitConfig()
