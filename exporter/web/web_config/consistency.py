"""Whether the keys of the web configuration fit each other; what they say alone is checked by then.

Where Go's exporters let one key silently outdo another, both are named here.
"""

from collections.abc import Iterator

from exporter.web.web_config.fault import Fault
from exporter.web.web_config.schema import ClientAuth, RateLimitConfig, TlsConfig, TlsVersion


def check_tls(tls: TlsConfig) -> Iterator[Fault]:
    """Tell what is wrong with a TLS section that is there."""
    yield from _credentials(tls)
    yield from _clients(tls)
    if tls.min_version is TlsVersion.TLS13 and tls.max_version is TlsVersion.TLS12:
        yield Fault("min_version", "is newer than max_version: write TLS12, or a newer maximum")


def _credentials(tls: TlsConfig) -> Iterator[Fault]:
    for name in ("cert", "key", "client_ca"):
        inline, file = getattr(tls, name), getattr(tls, f"{name}_file")
        if inline is not None and file is not None:
            yield Fault(name, f"stands here beside {name}_file: keep one of them")
        elif inline is None and file is None and name != "client_ca":
            yield Fault("", f"{name}_file is missing: add it, or {name}")


def _clients(tls: TlsConfig) -> Iterator[Fault]:
    has_authority = tls.client_ca is not None or tls.client_ca_file is not None
    if has_authority and tls.client_auth_type is ClientAuth.NONE:
        name = "client_ca" if tls.client_ca is not None else "client_ca_file"
        text = "has no use without client_auth_type: write RequireAndVerifyClientCert there"
        yield Fault(name, text)
    if not has_authority and tls.client_auth_type is not ClientAuth.NONE:
        text = "needs client_ca_file: name the authority of your clients' certificates"
        yield Fault("client_auth_type", text)
    if tls.client_allowed_sans is not None:
        yield from _names(tls.client_allowed_sans, tls.client_auth_type)


def _names(names: tuple[str, ...], auth: ClientAuth) -> Iterator[Fault]:
    if not names:
        text = "is empty, which lets in nobody: name somebody, or remove the key"
        yield Fault("client_allowed_sans", text)
    elif auth is not ClientAuth.REQUIRED:
        text = "needs client_auth_type RequireAndVerifyClientCert: others come without a name"
        yield Fault("client_allowed_sans", text)


def check_rate(rate: RateLimitConfig) -> Iterator[Fault]:
    """Tell what is wrong with a rate limit."""
    if rate.interval and rate.burst is None:
        yield Fault("interval", "needs burst: say how many requests may come at once, such as 20")
