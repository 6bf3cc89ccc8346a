"""The size of a server's address pool, compared with the size that a real daemon prints."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from exporter.config.loader import load
from tests.real.daemon import INITIALISED, running
from tests.real.lab import Lab
from tests.real.scraping import scraping

PRINTED = re.compile(r"IFCONFIG POOL IPv[46]: base=\S+ size=(\d+)")
NET28 = "server {network} 255.255.255.240"
TUN = "dev null\ndev-type tun\n"
POOL = """\
mode server
tls-server
ifconfig {first} 255.255.255.0
ifconfig-pool {first} {last} 255.255.255.0"""
TAP = "dev null\ndev-type tap\n"


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (f"{TUN}topology net30\n{NET28}", 2),
        (f"{TUN}topology subnet\n{NET28}", 13),
        (f"{TUN}{NET28}", None),
        (f"{TUN}topology p2p\n{NET28}", 8),
        (f"{TUN}topology subnet\n{NET28}\nserver-ipv6 fd00:9::/124", None),
        (f"{TUN}topology subnet\nserver {{network}} 255.255.255.0\nserver-ipv6 fd00:9::/124", 14),
        (f"{TUN}topology subnet\nserver {{network}} 255.255.255.0\nserver-ipv6 fd00:9::/112", 253),
        (f"{TUN}server-ipv6 fd00:9::/120", 254),
        (f"{TAP}{NET28}", 13),
        (f"{TAP}server-bridge {{first}} 255.255.255.0 {{first}} {{last}}", 50),
        (f"{TUN}topology subnet\n{POOL}", 50),
    ],
)
async def test_size_is_the_one_that_the_daemon_prints(
    lab: Lab, tmp_path: Path, options: str, size: int | None
) -> None:
    network, _ = lab.networks()
    text = options.format(network=network.network_address, first=network[1], last=network[50])
    write(lab, tmp_path, text)
    daemons = load(tmp_path / "config.yaml").daemons
    async with (
        running(
            "office", ["--config", "office.conf"], directory=tmp_path, ready=INITIALISED
        ) as vpn,
        scraping(*daemons) as scraper,
    ):
        page = await scraper.wait_up()
    printed = min(map(int, PRINTED.findall(vpn.log)))
    assert page.value("openvpn_server_address_pool_size") == printed
    assert printed == size or size is None


def write(lab: Lab, directory: Path, options: str) -> None:
    words: Sequence[str] = lab.authority.issue("server").options()
    pairs = zip(words[::2], words[1::2], strict=True)
    lines = [f"{name.removeprefix('--')} {value}" for name, value in pairs]
    text = "\n".join(lines)
    (directory / "office.conf").write_text(
        f"{options}\n{text}\ndh none\ndisable-dco\nverb 4\nport {lab.port()}\n"
        "ifconfig-noexec\nroute-noexec\nmanagement office.sock unix\n"
    )
    (directory / "config.yaml").write_text("discover: ['*.conf']\n")
