"""The web configuration file -> the policy, or every problem of the file."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from exporter.config.decoder import Decoder, InvalidNode
from exporter.config.errors import ConfigError, Problem
from exporter.config.yaml_nodes import load_node
from exporter.files import FileStamp
from exporter.web.web_config.policy import Policy, Rate, canonical_san
from exporter.web.web_config.schema import HeadersConfig, RateLimitConfig, TlsConfig, WebConfig
from exporter.web.web_config.tls import check_tls, server_context

_TLS = "tls_server_config"
_RATE = "rate_limit"


def load(path: Path, *, pipe_timeout: float | None = None) -> Policy:
    """Return the policy of the file at `path`; paths in it are relative to its directory.

    A pipe at `path` has `pipe_timeout` seconds to end.

    Reads certificates and checks hashes, so it blocks for some milliseconds. Raises ConfigError
    with every problem in the order of the file; none has a secret.
    """
    stamp = FileStamp.read(path)  # before reading: a later write is a change
    root = load_node(path, example="docs/web-configuration.md", pipe_timeout=pipe_timeout)
    decoder = Decoder(source=str(path), directory=path.parent)
    try:
        config = decoder.decode_section(root, "", WebConfig)
    except InvalidNode:
        raise ConfigError.by_line(decoder.problems) from None
    return _policy(stamp, config, decoder)


def _policy(stamp: FileStamp, config: WebConfig, decoder: Decoder) -> Policy:
    tls = config.tls_server_config
    files = (stamp, *map(FileStamp.read, _files(tls)))
    encrypted = any(key.startswith(f"{_TLS}.") for key in decoder.lines)
    problems = [
        *(_of_section(_TLS, check_tls(tls)) if encrypted else ()),
        *_of_section(_RATE, _check_rate(config.rate_limit)),
    ]
    context = None
    if encrypted and not problems:
        context, failures = server_context(tls)
        problems += _of_section(_TLS, failures)
    if problems:
        raise ConfigError.by_line(map(decoder.locate, problems))
    return Policy(
        tls=context,
        allowed_sans=frozenset(map(canonical_san, tls.client_allowed_sans or ())),
        users=config.basic_auth_users or {},
        headers=_headers(config.http_server_config.headers),
        rate=_rate(config.rate_limit),
        files=files,
    )


def _headers(headers: HeadersConfig) -> dict[str, str]:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(HeadersConfig)}
    values = msgspec.structs.asdict(headers).items()
    return {names[field]: value for field, value in values if value is not None}


def _check_rate(rate: RateLimitConfig) -> Iterator[Problem]:
    if rate.interval and rate.burst is None:
        yield Problem(
            key="interval",
            text="needs burst: set the number of requests allowed at once, such as 20",
        )


def _rate(rate: RateLimitConfig) -> Rate | None:
    if not rate.interval or rate.burst is None:
        return None
    return Rate(rate.interval, rate.burst)


def _files(tls: TlsConfig) -> tuple[Path, ...]:
    files = (tls.cert_file, tls.key_file, tls.client_ca_file)
    return tuple(file for file in files if file is not None)


def _of_section(section: str, problems: Iterable[Problem]) -> list[Problem]:
    return [
        msgspec.structs.replace(problem, key=f"{section}.{problem.key}".rstrip("."))
        for problem in problems
    ]
