"""From the web configuration file to the policy."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path

import msgspec

from exporter.config.decoder import Decoder, InvalidNode
from exporter.config.errors import ConfigError, Problem
from exporter.config.yaml_nodes import load_node
from exporter.files import FileStamp
from exporter.web.web_config.consistency import check_rate, check_tls
from exporter.web.web_config.policy import Policy, Rate
from exporter.web.web_config.schema import HeadersConfig, RateLimitConfig, TlsConfig, WebConfig
from exporter.web.web_config.tls import server_context

_TLS = "tls_server_config"
_RATE = "rate_limit"


def load(path: Path) -> Policy:
    """Return what the file at `path` says; paths in it are relative to its directory.

    Reads certificates and checks hashes, so it blocks for some milliseconds. Raises ConfigError
    with every problem, in the order of the file, and no secret in any.
    """
    stamp = FileStamp.read(path)  # first: what is written while it is read shall be noticed
    root = load_node(path, example="docs/web-configuration.md")
    reader = Decoder(source=str(path), directory=path.parent)
    try:
        config = reader.section(root, "", WebConfig)
    except InvalidNode:
        raise _error(reader.problems) from None
    return _policy(stamp, config, reader)


def _policy(stamp: FileStamp, config: WebConfig, reader: Decoder) -> Policy:
    tls = config.tls_server_config
    files = (stamp, *map(FileStamp.read, _files(tls)))
    encrypted = any(key.startswith(f"{_TLS}.") for key in reader.lines)
    problems = [
        *(_of_section(_TLS, check_tls(tls)) if encrypted else ()),
        *_of_section(_RATE, check_rate(config.rate_limit)),
    ]
    context = None
    if encrypted and not problems:
        context, failures = server_context(tls)
        problems += _of_section(_TLS, failures)
    if problems:
        raise _error(list(map(reader.locate, problems)))
    return Policy(
        tls=context,
        allowed_sans=frozenset(map(canonical_san, tls.client_allowed_sans or ())),
        users=config.basic_auth_users or {},
        headers=_headers(config.http_server_config.headers),
        rate=_rate(config.rate_limit),
        files=files,
    )


def canonical_san(name: str) -> str:
    """Return a name of a certificate in the one way to write it; only addresses have several."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _headers(headers: HeadersConfig) -> dict[str, str]:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(HeadersConfig)}
    written = msgspec.structs.asdict(headers).items()
    return {names[field]: value for field, value in written if value is not None}


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


def _error(problems: list[Problem]) -> ConfigError:
    return ConfigError(tuple(sorted(problems, key=lambda problem: problem.line or 0)))
