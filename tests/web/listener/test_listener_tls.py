"""The listener with TLS."""

import logging
import ssl
from pathlib import Path

import pytest

from exporter.web.listener import listener
from tests.web.certificates import Authority
from tests.web.listener.harness import RawClient, raw_client, running_server, tls_policy, write

CLIENTS = ", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert"


class TestTls:
    async def test_connects_with_a_client_that_trusts_the_ca(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            running_server(await tls_policy(tmp_path)) as server,
            raw_client(server.port, authority.client()) as client,
        ):
            await client.get()
            assert await client.read_status() == 200

    async def test_rejects_plain_http_without_a_log_line(
        self, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with (
            running_server(await tls_policy(tmp_path)) as server,
            raw_client(server.port) as client,
        ):
            await client.get()
            assert await client.is_closed()
        assert caplog.messages == []

    async def test_rejects_a_client_without_a_certificate_without_a_log_line(
        self, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with running_server(await tls_policy(tmp_path, CLIENTS)) as server:
            async with raw_client(server.port, authority.client()) as unauthorized:
                assert await unauthorized.is_rejected()
            async with raw_client(server.port, authority.client("prometheus")) as client:
                await client.get()
                assert await client.read_status() == 200
        assert caplog.messages == []

    async def test_rejects_a_certificate_of_another_ca(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        foreign = Authority().client("prometheus")
        foreign.load_verify_locations(cadata=authority.pem)
        async with (
            running_server(await tls_policy(tmp_path, CLIENTS)) as server,
            raw_client(server.port, foreign) as unauthorized,
        ):
            assert await unauthorized.is_rejected()

    async def test_accepts_an_intermediate_ca_as_trust_anchor(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        between = Authority(authority)
        (tmp_path / "ca.crt").write_text(between.pem)
        client = between.client("prometheus")
        client.load_verify_locations(cadata=authority.pem)
        async with (
            running_server(await tls_policy(tmp_path, CLIENTS)) as server,
            raw_client(server.port, client) as authorized,
        ):
            await authorized.get()
            assert await authorized.read_status() == 200

    async def test_accepts_only_certificates_with_an_allowed_san(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        names = f"{CLIENTS}, client_allowed_sans: [prometheus, 10.1.2.3]"
        async with running_server(await tls_policy(tmp_path, names)) as server:
            for identity in ("prometheus", "10.1.2.3"):
                async with raw_client(server.port, authority.client(identity)) as client:
                    await client.get()
                    assert await client.read_status() == 200
            async with raw_client(server.port, authority.client("other")) as unauthorized:
                assert await unauthorized.is_rejected()

    async def test_uses_a_renewed_certificate_for_new_connections_only(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            running_server(await tls_policy(tmp_path)) as server,
            raw_client(server.port, authority.client()) as early,
        ):
            before = server_certificate(early)
            authority.write(tmp_path, "web", "localhost", "renewed.example.org")
            async with raw_client(server.port, authority.client()) as late:
                assert server_certificate(late) != before
            await early.get()
            assert await early.read_status() == 200

    async def test_can_be_switched_on_while_serving(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        policy = await tls_policy(tmp_path)
        write(tmp_path / "web.yaml", "{}\n")
        async with running_server(policy) as server:
            async with raw_client(server.port) as client:
                await client.get()
                assert await client.read_status() == 200
            await tls_policy(tmp_path)
            async with raw_client(server.port, authority.client()) as client:
                await client.get()
                assert await client.read_status() == 200

    async def test_a_stalled_handshake_is_closed(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listener, "TLS_HANDSHAKE_TIMEOUT", 0.01)
        async with (
            running_server(await tls_policy(tmp_path)) as server,
            raw_client(server.port) as client,
        ):
            await client.send(b"\x16\x03\x01")
            assert await client.is_closed()


def server_certificate(client: RawClient) -> object:
    tls: ssl.SSLObject = client.writer.get_extra_info("ssl_object")
    return tls.getpeercert(binary_form=True)
