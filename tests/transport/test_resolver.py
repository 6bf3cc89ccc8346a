"""Host names are resolved, and a resolver that hangs blocks no other task."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from exporter.transport.connector import ResolvedAddress, Resolver
from tests.fake_daemon import TEST_TIMEOUT
from tests.interpreter import run_program

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]


class HangingResolver:
    """A resolver that hangs until it is released."""

    def __init__(self) -> None:
        self.lookups = 0
        self.released = threading.Event()

    def getaddrinfo(self, *_: object, **__: object) -> list[object]:
        self.lookups += 1
        assert self.released.wait(TEST_TIMEOUT)
        return list(FOUND)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingResolver]:
    resolver = HangingResolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    yield resolver
    resolver.released.set()


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("127.0.0.1", socket.AF_INET),
        ("::1", socket.AF_INET6),
        ("fe80::1%lo", socket.AF_INET6),
    ],
)
async def test_an_address_needs_no_lookup(
    hanging: HangingResolver, host: str, family: socket.AddressFamily
) -> None:
    assert await Resolver(host).addresses() == [ResolvedAddress(family, host)]
    assert hanging.lookups == 0


async def test_a_name_is_looked_up_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["192.0.2.7", "192.0.2.8"])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 0))],
    )
    resolver = Resolver("vpn.example.org")
    assert [address.host for address in await resolver.addresses()] == ["192.0.2.7"]
    assert [address.host for address in await resolver.addresses()] == ["192.0.2.8"]


@pytest.mark.parametrize("host", ["a" * 64, "no-such-host.invalid"])
async def test_an_invalid_name_is_an_error_of_the_resolver(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    def refuse(name: str, *_: object, **__: object) -> None:
        name.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(socket.gaierror):
        await Resolver(host).addresses()


async def test_further_calls_share_the_lookup_of_a_hanging_resolver(
    hanging: HangingResolver,
) -> None:
    resolver = Resolver("vpn.example.org")
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await resolver.addresses()
    assert hanging.lookups == 1
    hanging.released.set()
    assert await resolver.addresses() == [ResolvedAddress(socket.AF_INET, "192.0.2.7")]
    assert hanging.lookups == 1


def test_a_hanging_resolver_does_not_delay_the_end_of_the_process() -> None:
    program = """
import asyncio, socket, time
from exporter.transport.connector import Resolver

async def give_up():
    try:
        async with asyncio.timeout(0.01):
            await Resolver("vpn.example.org").addresses()
    except TimeoutError:
        print("gave up")

socket.getaddrinfo = lambda *_, **__: time.sleep(3600)
asyncio.run(give_up())
"""
    assert run_program(program) == "gave up\n"
