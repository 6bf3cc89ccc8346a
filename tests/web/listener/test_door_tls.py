"""Who comes in where TLS is spoken."""

import logging
import ssl
from pathlib import Path

import pytest

from exporter.web.listener import listener
from tests.web.certificates import Authority
from tests.web.listener.harness import Caller, caller, house, rules, write

CLIENTS = ", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert"


class TestTls:
    async def test_is_spoken_with_whom_trusts_the_authority(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            house(await rules(tmp_path)) as served,
            caller(served.port, authority.client()) as client,
        ):
            await client.ask()
            assert await client.status() == 200

    async def test_plain_requests_are_refused_and_no_line_is_logged(
        self, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with house(await rules(tmp_path)) as served, caller(served.port) as client:
            await client.ask()
            assert await client.is_cut_off()
        assert caplog.messages == []

    async def test_clients_without_a_certificate_are_refused_and_no_line_is_logged(
        self, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with house(await rules(tmp_path, CLIENTS)) as served:
            async with caller(served.port, authority.client()) as stranger:
                assert await stranger.is_refused()
            async with caller(served.port, authority.client("prometheus")) as client:
                await client.ask()
                assert await client.status() == 200
        assert caplog.messages == []

    async def test_a_certificate_of_another_authority_is_refused(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        foreign = Authority().client("prometheus")
        foreign.load_verify_locations(cadata=authority.pem)
        async with (
            house(await rules(tmp_path, CLIENTS)) as served,
            caller(served.port, foreign) as stranger,
        ):
            assert await stranger.is_refused()

    async def test_an_authority_in_between_is_enough(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        between = Authority(authority)
        (tmp_path / "ca.crt").write_text(between.pem)
        client = between.client("prometheus")
        client.load_verify_locations(cadata=authority.pem)
        async with (
            house(await rules(tmp_path, CLIENTS)) as served,
            caller(served.port, client) as known,
        ):
            await known.ask()
            assert await known.status() == 200

    async def test_only_allowed_names_come_in(self, tmp_path: Path, authority: Authority) -> None:
        names = f"{CLIENTS}, client_allowed_sans: [prometheus, 10.1.2.3]"
        async with house(await rules(tmp_path, names)) as served:
            for identity in ("prometheus", "10.1.2.3"):
                async with caller(served.port, authority.client(identity)) as client:
                    await client.ask()
                    assert await client.status() == 200
            async with caller(served.port, authority.client("other")) as stranger:
                assert await stranger.is_refused()

    async def test_a_renewed_certificate_is_shown_to_the_next_connection_alone(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            house(await rules(tmp_path)) as served,
            caller(served.port, authority.client()) as early,
        ):
            before = shown(early)
            authority.write(tmp_path, "web", "localhost", "renewed.example.org")
            async with caller(served.port, authority.client()) as late:
                assert shown(late) != before
            await early.ask()
            assert await early.status() == 200

    async def test_can_be_switched_on_while_it_is_served(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        following = await rules(tmp_path)
        write(tmp_path / "web.yaml", "{}\n")
        async with house(following) as served:
            async with caller(served.port) as client:
                await client.ask()
                assert await client.status() == 200
            await rules(tmp_path)
            async with caller(served.port, authority.client()) as client:
                await client.ask()
                assert await client.status() == 200

    async def test_a_handshake_that_stands_still_is_cut_off(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listener, "TLS_HANDSHAKE_TIMEOUT", 0.01)
        async with house(await rules(tmp_path)) as served, caller(served.port) as client:
            await client.say(b"\x16\x03\x01")
            assert await client.is_cut_off()


def shown(client: Caller) -> object:
    tls: ssl.SSLObject = client.writer.get_extra_info("ssl_object")
    return tls.getpeercert(binary_form=True)
