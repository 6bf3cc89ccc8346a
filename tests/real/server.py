"""A real OpenVPN server, with a real tun device in the network namespace of the tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from tests.real.daemon import INITIALISED, UTC, Daemon, running
from tests.real.lab import Lab
from tests.real.management import LOOPBACK, Management

ACCEPT_ALL = Path("/bin/true")
# A lost peer is detected soon, but a machine that is busy for seconds loses none.
KEEPALIVE = ("--keepalive", "2", "12")


class Transport(Enum):
    """The transport protocol; the value is OpenVPN's name for it."""

    UDP = "udp4"
    TCP = "tcp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, and what its clients need to know."""

    lab: Lab
    daemon: Daemon
    management: Management
    transport: Transport
    port: int
    network: IPv4Network
    network6: IPv6Network


@asynccontextmanager
async def server(
    lab: Lab,
    *options: str,
    management: Management | None = None,
    transport: Transport = Transport.UDP,
    ready: str = INITIALISED,
    zone: str = UTC,
) -> AsyncIterator[Server]:
    """Run a server for dual-stack tunnels until the block ends.

    ``options`` come last and override the defaults (``"--duplicate-cn"``, ``"--verb", "4"``, …).
    ``management`` defaults to a port of its own. ``ready`` is the text of the log line to wait
    for: ``HELD`` with ``"--management-hold"``. ``zone`` is a value of ``TZ``.
    """
    management = management or lab.tcp()
    port = lab.port()
    network, network6 = lab.networks()
    defaults = [
        *("--server", str(network.network_address), str(network.netmask)),
        *("--server-ipv6", str(network6)),
        *("--topology", "subnet", "--dev", "tun", "--disable-dco"),
        *("--proto", transport.value, "--port", str(port)),
        *(() if "--local" in options else ("--local", LOOPBACK)),  # 2.7 listens on each of several
        *("--dh", "none", *lab.authority.issue("server").options()),
        *KEEPALIVE,
        *("--verb", "3", *management.options()),
    ]
    name = f"server-{lab.next_number()}"
    async with running(
        name, [*defaults, *options], directory=lab.directory, ready=ready, zone=zone
    ) as daemon:
        yield Server(
            lab=lab,
            daemon=daemon,
            management=management,
            transport=transport,
            port=port,
            network=network,
            network6=network6,
        )


def user_password_options(script: Path = ACCEPT_ALL) -> tuple[str, ...]:
    """Return the options of a server that checks user names and passwords with ``script``.

    The script reads a file with a line for each, and accepts with exit code 0. While it runs, the
    daemon does nothing else, management included.
    """
    return ("--script-security", "2", "--auth-user-pass-verify", str(script), "via-file")
