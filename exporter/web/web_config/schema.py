"""Every key of the web configuration file, in the format of Prometheus' exporter-toolkit."""

import enum
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from exporter.config.keys import KeySpec
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
    """Which client certificates the TLS handshake requires."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


class TlsVersion(enum.StrEnum):
    """A version of TLS."""

    TLS12 = "TLS12"
    TLS13 = "TLS13"


class Curve(enum.StrEnum):
    """A curve of the key exchange, by its name in Go."""

    P256 = "CurveP256"
    P384 = "CurveP384"
    P521 = "CurveP521"
    X25519 = "X25519"


class CipherSuite(enum.StrEnum):
    """A cipher suite, by its name in the standards and in Go."""

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


_UNVERIFIED = "does not verify the certificate and is not supported"
_NO_SUCH_AUTH = {
    "RequestClientCert": f"{_UNVERIFIED}: write NoClientCert or VerifyClientCertIfGiven",
    "RequireAnyClientCert": f"{_UNVERIFIED}: write RequireAndVerifyClientCert",
    "RequireClientCert": f"{_UNVERIFIED}: write RequireAndVerifyClientCert",
}
_OLD_VERSION = "is deprecated (RFC 8996) and not supported: write TLS12 or TLS13"
_NO_SUCH_VERSION = {"TLS10": _OLD_VERSION, "TLS11": _OLD_VERSION}


class UserName(msgspec.Struct, frozen=True):
    """A user name that HTTP basic authentication allows."""

    hint: str = "user"

    def read(self, scalar: Scalar) -> str:
        """Return the value; raises ValueError."""
        if not scalar.text or ":" in scalar.text or not scalar.text.isprintable():
            raise ValueError("is not a valid user name: remove colons and control characters")
        return scalar.text


class BcryptHash(msgspec.Struct, frozen=True):
    """The bcrypt hash of a password, as `htpasswd -B` writes it."""

    hint: str = "bcrypt hash"

    def read(self, scalar: Scalar) -> Secret:
        """Return the value; raises ValueError, which never shows the text."""
        import bcrypt  # noqa: PLC0415 -- half a MiB, for configurations with users

        match = _HASH.fullmatch(scalar.text)
        if match is None:
            raise ValueError("is not a bcrypt hash, $2y$10$…: make one with htpasswd -nBC 10 NAME")
        if not _is_cost(int(match[1])):
            raise ValueError(f"has a cost of {match[1]}: use a cost of 10, at most {MAX_COST}")
        try:
            bcrypt.hashpw(b"", f"{_CHEAPEST}{match[2]}".encode())
        except ValueError:
            raise ValueError("is a damaged bcrypt hash: make a new one") from None
        return Secret(scalar.text)


def _is_cost(cost: int) -> bool:
    return 4 <= cost <= MAX_COST  # noqa: PLR2004 -- bcrypt's minimum


class HeaderValue(msgspec.Struct, frozen=True):
    """The value of an HTTP header, one of `allowed` if there are any; "" omits the header."""

    allowed: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """What may be written, for documentation and errors."""
        return " or ".join(self.allowed) or "text"

    def read(self, scalar: Scalar) -> str | None:
        """Return the value; raises ValueError."""
        if self.allowed and scalar.text not in self.allowed:
            raise ValueError(f"{scalar.text!r} is not known: write {self.hint}")
        if not scalar.text.isascii() or (scalar.text and not scalar.text.isprintable()):
            raise ValueError(f"{scalar.text!r} is not a header value: write printable ASCII")
        return scalar.text or None


class IntervalOrZero(Duration, frozen=True):
    """A duration, or `0` without a unit."""

    def read(self, scalar: Scalar) -> float:
        """Return the value; raises ValueError."""
        return 0.0 if scalar.text == "0" else super().read(scalar)


class TlsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """TLS of the server, and the certificates that it requires of clients."""

    cert: Annotated[
        Secret | None, KeySpec(PemText(), "The certificate and its chain, as PEM in this file.")
    ] = None
    key: Annotated[Secret | None, KeySpec(PemText(), "The private key, as PEM in this file.")] = (
        None
    )
    client_ca: Annotated[
        Secret | None, KeySpec(PemText(), "CA certificates for clients, as PEM in this file.")
    ] = None
    cert_file: Annotated[
        Path | None,
        KeySpec(FilePath(readable=True), "File with the certificate and its chain, as PEM."),
    ] = None
    key_file: Annotated[
        Path | None,
        KeySpec(FilePath(readable=True), "File with the private key, as PEM and not encrypted."),
    ] = None
    client_auth_type: Annotated[
        ClientAuth,
        KeySpec(Choice(ClientAuth, _NO_SUCH_AUTH), "Whether clients must have a certificate."),
    ] = ClientAuth.NONE
    client_ca_file: Annotated[
        Path | None,
        KeySpec(FilePath(readable=True), "File with the CA certificates for clients, as PEM."),
    ] = None
    client_allowed_sans: Annotated[
        tuple[str, ...] | None,
        KeySpec(
            ListOf(Label(512)),
            "A client's certificate must have one of these subject alternative names: "
            "DNS names, IP addresses, email addresses or URIs.",
        ),
    ] = None
    min_version: Annotated[
        TlsVersion, KeySpec(Choice(TlsVersion, _NO_SUCH_VERSION), "Minimum TLS version.")
    ] = TlsVersion.TLS12
    max_version: Annotated[
        TlsVersion, KeySpec(Choice(TlsVersion, _NO_SUCH_VERSION), "Maximum TLS version.")
    ] = TlsVersion.TLS13
    cipher_suites: Annotated[
        tuple[CipherSuite, ...],
        KeySpec(ListOf(Choice(CipherSuite)), "Cipher suites of TLS 1.2; empty: OpenSSL's default."),
    ] = ()
    prefer_server_cipher_suites: Annotated[
        bool, KeySpec(Boolean(), "Prefer the server's order of suites to the client's.")
    ] = True
    curve_preferences: Annotated[
        tuple[Curve, ...],
        KeySpec(
            ListOf(Choice(Curve)),
            "Curve of the key exchange, one at most; empty: OpenSSL's default.",
        ),
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
    """Headers of every response; None omits one."""

    content_security_policy: Annotated[
        str | None, KeySpec(HeaderValue(), "Content-Security-Policy: what a page may load and run.")
    ] = None
    x_frame_options: Annotated[
        str | None,
        KeySpec(
            HeaderValue(("deny", "sameorigin")), "Whether other pages may show a page in a frame."
        ),
    ] = None
    x_content_type_options: Annotated[
        str | None,
        KeySpec(HeaderValue(("nosniff",)), "Forbids browsers to guess the content type."),
    ] = None
    x_xss_protection: Annotated[str | None, KeySpec(HeaderValue(), "For old browsers.")] = None
    strict_transport_security: Annotated[
        str | None, KeySpec(HeaderValue(), "Makes browsers use HTTPS only.")
    ] = None


class HttpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of HTTP."""

    http2: Annotated[
        bool,
        KeySpec(Boolean(), "Accepted without effect: the exporter serves HTTP/1.1 only."),
    ] = True
    headers: Annotated[
        HeadersConfig, KeySpec(Section(HeadersConfig), "Headers of every response.")
    ] = HeadersConfig()


class RateLimitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rate limit of all requests together."""

    interval: Annotated[
        float, KeySpec(IntervalOrZero("0s", "1h"), "Time between two requests; 0: no limit.")
    ] = 0.0
    burst: Annotated[
        int | None, KeySpec(Integer(1_000_000), "Requests allowed at once after a pause.")
    ] = None


class WebConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The web configuration file; durations are in seconds."""

    tls_server_config: Annotated[TlsConfig, KeySpec(Section(TlsConfig), "TLS.")] = TlsConfig()
    http_server_config: Annotated[HttpConfig, KeySpec(Section(HttpConfig), "Options of HTTP.")] = (
        HttpConfig()
    )
    basic_auth_users: Annotated[
        Mapping[str, Secret] | None,
        KeySpec(MapOf(UserName(), BcryptHash()), "Users and the bcrypt hashes of their passwords."),
    ] = None
    rate_limit: Annotated[
        RateLimitConfig, KeySpec(Section(RateLimitConfig), "Rate limit of all requests together.")
    ] = RateLimitConfig()
