import asyncio
import base64
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import bcrypt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.web.auth import PolicyFile, protect
from exporter.web.auth.check_queue import TooManyPending
from exporter.web.auth.middleware import TokenBucket, _peer
from exporter.web.auth.passwords import PasswordChecker
from exporter.web.routes import application
from exporter.web.web_config import Rate
from tests.fake_daemon import TEST_TIMEOUT
from tests.web.certificates import HASH, PASSWORD

Client = TestClient[web.Request, web.Application]
Serve = Callable[[str], Awaitable[Client]]

PATHS = ["/metrics", "/", "/-/healthy", "/-/ready", "/nowhere"]
USERS = f"basic_auth_users: {{alice: {HASH}}}\n"


@pytest.fixture
def serve(tmp_path: Path, aiohttp_client: Callable[..., Awaitable[Client]]) -> Serve:
    async def serve(text: str) -> Client:
        file = tmp_path / "web.yaml"
        file.write_text(text)
        served = application(
            list, Exposition(FAMILIES, SelfMetrics().registry), telemetry_path="/metrics"
        )
        protect(served, await asyncio.to_thread(PolicyFile, file))
        return await aiohttp_client(served)

    return serve


def basic(user: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


class TestAuthentication:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    async def test_is_required_for_every_path(self, serve: Serve, path: str, method: str) -> None:
        client = await serve(USERS)
        response = await client.request(method, path)
        assert response.status == 401
        challenge = response.headers["WWW-Authenticate"]
        assert challenge == 'Basic realm="openvpn-exporter", charset="UTF-8"'

    async def test_succeeds_with_user_and_password(self, serve: Serve) -> None:
        client = await serve(USERS)
        for path in ("/metrics", "/", "/-/healthy"):
            response = await client.get(path, headers=basic("alice", PASSWORD))
            assert response.status == 200
        assert (await client.get("/nowhere", headers=basic("alice", PASSWORD))).status == 404

    @pytest.mark.parametrize(
        "headers",
        [
            basic("alice", "wrong"),
            basic("bob", PASSWORD),
            basic("", ""),
            {"Authorization": "Basic"},
            {"Authorization": "Bearer x"},
            {"Authorization": "Basic \u00ff"},
        ],
    )
    async def test_fails_with_any_other_header(self, serve: Serve, headers: dict[str, str]) -> None:
        client = await serve(USERS)
        response = await client.get("/metrics", headers=headers)
        assert response.status == 401
        assert "openvpn_up" not in await response.text()

    async def test_too_many_pending_checks_get_503(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refuse(*_: object, **__: object) -> bool:
            raise TooManyPending

        client = await serve(USERS)
        monkeypatch.setattr(PasswordChecker, "verify", refuse)
        response = await client.get("/metrics", headers=basic("alice", PASSWORD))
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert await response.text() == "Too many pending password checks.\n"

    async def test_a_check_knows_the_peer_and_whether_its_request_is_abandoned(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checks = asyncio.Queue[tuple[str, Callable[[], bool]]]()

        async def verify(*_: object, peer: str, is_abandoned: Callable[[], bool]) -> bool:
            checks.put_nowait((peer, is_abandoned))
            await asyncio.Event().wait()
            return False

        client = await serve(USERS)
        monkeypatch.setattr(PasswordChecker, "verify", verify)
        request = asyncio.create_task(client.get("/metrics", headers=basic("alice", PASSWORD)))
        peer, is_abandoned = await checks.get()
        assert (peer, is_abandoned()) == ("127.0.0.1", False)
        request.cancel()
        async with asyncio.timeout(TEST_TIMEOUT):
            while not is_abandoned():  # noqa: ASYNC110 -- no event is set
                await asyncio.sleep(0)

    async def test_no_check_starts_after_the_shutdown(self, serve: Serve) -> None:
        client = await serve(USERS)
        await client.app.shutdown()
        response = await client.get("/metrics", headers=basic("alice", PASSWORD))
        assert response.status == 503

    async def test_a_flood_of_wrong_passwords_keeps_the_right_one_out_no_longer_than_it_takes(
        self, serve: Serve
    ) -> None:
        hashed = await asyncio.to_thread(bcrypt.hashpw, b"right", bcrypt.gensalt(6))
        client = await serve(f"basic_auth_users: {{alice: {hashed.decode()}}}\n")

        async def guess(number: int) -> None:
            for attempt in itertools.count():
                headers = basic("alice", f"{number} {attempt}")
                async with client.get("/metrics", headers=headers) as response:
                    assert response.status in {401, 503}

        guessing = [asyncio.create_task(guess(number)) for number in range(60)]
        await asyncio.wait(guessing, timeout=0.5)
        statuses = [
            (await client.get("/metrics", headers=basic("alice", "right"))).status
            for _ in range(20)
        ]
        for task in guessing:
            assert not task.done(), task
            task.cancel()
        await asyncio.gather(*guessing, return_exceptions=True)
        assert statuses == [200] * 20


class TestHeaders:
    @pytest.mark.parametrize("path", PATHS)
    async def test_are_on_every_response(self, serve: Serve, path: str) -> None:
        text = f"{USERS}http_server_config: {{headers: {{X-Frame-Options: deny}}}}\n"
        client = await serve(text)
        for headers in ({}, basic("alice", PASSWORD)):
            response = await client.get(path, headers=headers)
            assert response.headers["X-Frame-Options"] == "deny"

    async def test_of_the_policy_replace_those_of_the_endpoint(self, serve: Serve) -> None:
        policy = "default-src 'self'"
        client = await serve(
            f'http_server_config: {{headers: {{Content-Security-Policy: "{policy}"}}}}\n'
        )
        response = await client.get("/")
        assert response.headers.getall("Content-Security-Policy") == [policy]


class TestRateLimit:
    async def test_counts_requests_before_authentication(self, serve: Serve) -> None:
        client = await serve(f"{USERS}rate_limit: {{interval: 1h, burst: 2}}\n")
        statuses = [(await client.get("/metrics")).status for _ in range(3)]
        assert statuses == [401, 401, 429]
        response = await client.get("/-/healthy", headers=basic("alice", PASSWORD))
        assert (response.status, response.headers["Retry-After"]) == (429, "1")


RATE = Rate(interval=2.0, burst=3)


def acquired(bucket: TokenBucket, rate: Rate | None, now: float) -> int:
    """Take tokens until there is none, ten at most; return how many."""
    return next((count for count in range(10) if not bucket.try_acquire(rate, now)), 10)


def test_a_burst_is_allowed_and_then_one_request_an_interval() -> None:
    bucket = TokenBucket()
    assert acquired(bucket, RATE, 100.0) == 3
    assert acquired(bucket, RATE, 101.9) == 0
    assert acquired(bucket, RATE, 102.0) == 1
    assert acquired(bucket, RATE, 106.5) == 2
    assert acquired(bucket, RATE, 108.0) == 1


def test_a_long_pause_refills_no_more_than_a_burst() -> None:
    bucket = TokenBucket()
    assert acquired(bucket, RATE, 0.0) == 3
    assert acquired(bucket, RATE, 1e9) == 3


def test_no_rate_is_no_limit_and_a_changed_one_starts_with_a_full_bucket() -> None:
    bucket = TokenBucket()
    assert acquired(bucket, RATE, 0.0) == 3
    assert acquired(bucket, None, 0.0) == 10
    assert acquired(bucket, Rate(interval=2.0, burst=5), 0.0) == 5


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("/run/web.sock", ""),
    ],
)
def test_a_peer_is_an_address_or_the_network_of_a_site(address: str, peer: str) -> None:
    assert _peer(address) == peer
