import socket

import pytest

from exporter.web.listener import BoundAddress, bind, parse_listen_address


def close(*places: BoundAddress) -> None:
    for place in places:
        for listening in place.sockets:
            listening.close()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1:0", "127.0.0.1"),
        ("[::1]:0", "[::1]"),
        ("localhost:0", "localhost"),
        (":0", "localhost"),
    ],
)
async def test_a_place_has_a_url_with_its_real_port(address: str, host: str) -> None:
    (place,) = await bind([parse_listen_address(address)])
    port = place.sockets[0].getsockname()[1]
    assert place.url(encrypted=False) == f"http://{host}:{port}"
    assert place.url(encrypted=True) == f"https://{host}:{port}"
    close(place)


async def test_where_one_address_is_taken_none_is_listened_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        addresses = [parse_listen_address(f"127.0.0.{host}:{port}") for host in (2, 1)]
        with pytest.raises(OSError, match=str(port)):
            await bind(addresses)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port))


async def test_an_unknown_host_is_named() -> None:
    with pytest.raises(OSError, match=r"no\.such\.host\.invalid"):
        await bind([parse_listen_address("no.such.host.invalid:80")])
