import enum
import re
from pathlib import Path

import msgspec
import pytest

from exporter.config.keys import key_specs
from exporter.web.listener.connection import (
    HEADER_TIMEOUT,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    WRITE_TIMEOUT,
)
from exporter.web.listener.listener import MAX_CONNECTIONS, TLS_HANDSHAKE_TIMEOUT
from exporter.web.web_config import Rate
from exporter.web.web_config.loader import load
from exporter.web.web_config.schema import (
    MAX_COST,
    ClientAuth,
    Curve,
    HeadersConfig,
    HttpConfig,
    RateLimitConfig,
    TlsConfig,
    TlsVersion,
    WebConfig,
)
from tests.web.certificates import Authority

PAGE = (Path(__file__).parents[3] / "docs" / "web-configuration.md").read_text()
(EXAMPLE,) = re.findall(r"```yaml\n(tls_server_config:.*?)```", PAGE, re.DOTALL)


def test_the_example_has_the_documented_policy(tmp_path: Path) -> None:
    authority = Authority()
    authority.write(tmp_path, "exporter", "localhost")
    (tmp_path / "clients.crt").write_text(authority.pem)
    (tmp_path / "web.yaml").write_text(EXAMPLE)
    policy = load(tmp_path / "web.yaml")
    assert policy.tls is not None
    assert policy.allowed_sans == {"prometheus.example.org"}
    assert policy.users.keys() == {"prometheus"}
    assert policy.headers == {"Strict-Transport-Security": "max-age=63072000"}
    assert policy.rate == Rate(interval=0.1, burst=50)
    assert len(policy.files) == 4


@pytest.mark.parametrize(
    "section", [WebConfig, TlsConfig, HttpConfig, HeadersConfig, RateLimitConfig]
)
def test_the_page_names_every_key(section: type[msgspec.Struct]) -> None:
    assert [key.name for key in key_specs(section) if f"`{key.name}`" not in PAGE] == []


def test_the_page_has_the_limits_in_force() -> None:
    for limit in (
        f"{TLS_HANDSHAKE_TIMEOUT:.0f} seconds for a TLS handshake",
        f"{HEADER_TIMEOUT:.0f} for the headers of a request",
        f"{WRITE_TIMEOUT:.0f} to read a response",
        f"at most {MAX_LINE_BYTES} bytes; a request has at most {MAX_HEADERS} headers",
        f"{MAX_CONNECTIONS} at most",
        f"maximum cost is {MAX_COST}",
    ):
        assert limit in PAGE


@pytest.mark.parametrize("names", [ClientAuth, Curve, TlsVersion])
def test_the_page_names_every_choice(names: type[enum.StrEnum]) -> None:
    assert [name for name in names if f"`{name}`" not in PAGE] == []
