"""Whether the keys of the web configuration fit each other; what they say alone is checked by then.

Where Go's exporters let one key silently outdo another, both are named here.
"""

from collections.abc import Iterator

from exporter.config.errors import Problem
from exporter.web.web_config.schema import ClientAuth, RateLimitConfig, TlsConfig, TlsVersion


def check_tls(tls: TlsConfig) -> Iterator[Problem]:
    """Tell what is wrong with a TLS section that is there."""
    yield from _credentials(tls)
    yield from _clients(tls)
    if tls.min_version is TlsVersion.TLS13 and tls.max_version is TlsVersion.TLS12:
        yield Problem(
            key="min_version", text="is newer than max_version: write TLS12, or a newer maximum"
        )


def _credentials(tls: TlsConfig) -> Iterator[Problem]:
    for name in ("cert", "key", "client_ca"):
        inline, file = getattr(tls, name), getattr(tls, f"{name}_file")
        if inline is not None and file is not None:
            yield Problem(key=name, text=f"stands here beside {name}_file: keep one of them")
        elif inline is None and file is None and name != "client_ca":
            yield Problem(key="", text=f"{name}_file is missing: add it, or {name}")


def _clients(tls: TlsConfig) -> Iterator[Problem]:
    has_authority = tls.client_ca is not None or tls.client_ca_file is not None
    if has_authority and tls.client_auth_type is ClientAuth.NONE:
        name = "client_ca" if tls.client_ca is not None else "client_ca_file"
        text = "has no use without client_auth_type: write RequireAndVerifyClientCert there"
        yield Problem(key=name, text=text)
    if not has_authority and tls.client_auth_type is not ClientAuth.NONE:
        text = "needs client_ca_file: name the authority of your clients' certificates"
        yield Problem(key="client_auth_type", text=text)
    if tls.client_allowed_sans is not None:
        yield from _names(tls.client_allowed_sans, tls.client_auth_type)


def _names(names: tuple[str, ...], auth: ClientAuth) -> Iterator[Problem]:
    if not names:
        text = "is empty, which lets in nobody: name somebody, or remove the key"
        yield Problem(key="client_allowed_sans", text=text)
    elif auth is not ClientAuth.REQUIRED:
        text = "needs client_auth_type RequireAndVerifyClientCert: others come without a name"
        yield Problem(key="client_allowed_sans", text=text)


def check_rate(rate: RateLimitConfig) -> Iterator[Problem]:
    """Tell what is wrong with a rate limit."""
    if rate.interval and rate.burst is None:
        yield Problem(
            key="interval", text="needs burst: say how many requests may come at once, such as 20"
        )
