"""Two real OpenVPN daemons in point-to-point mode."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto

from tests.real.daemon import INITIALISED, Daemon, running, version
from tests.real.lab import Lab
from tests.real.management import LOOPBACK, Management

STATIC_KEY_BYTES = 256
LISTENING = "link remote: [AF_UNSPEC]"


class Security(Enum):
    """How the two peers authenticate each other."""

    TLS = auto()
    STATIC_KEY = auto()


@dataclass(frozen=True, slots=True)
class Peer:
    """One of the two daemons."""

    daemon: Daemon
    management: Management


@dataclass(frozen=True, slots=True)
class Pair:
    """Both peers: the listener has a port, the initiator connects to it."""

    listener: Peer
    initiator: Peer


@asynccontextmanager
async def pair(lab: Lab, *options: str, security: Security = Security.TLS) -> AsyncIterator[Pair]:
    """Run two connected peers with these options."""
    port = str(lab.port())
    first, second = _credentials(lab, security)
    listening = [*first, "--local", LOOPBACK, "--lport", port, *options]
    connecting = [*second, "--remote", LOOPBACK, port, "--nobind", *options]
    async with (
        _peer(lab, listening, ready=LISTENING) as listener,
        _peer(lab, connecting, ready=INITIALISED) as initiator,
    ):
        await listener.daemon.wait_for_log(INITIALISED)
        yield Pair(listener, initiator)


@asynccontextmanager
async def _peer(lab: Lab, options: list[str], *, ready: str) -> AsyncIterator[Peer]:
    management = lab.tcp()
    # A ping each second: without TLS a peer is detected only by its packets.
    defaults = ["--dev", "null", "--proto", "udp4", "--ping", "1", "--verb", "3", "--disable-dco"]
    everything = [*defaults, *management.options(), *options]
    name = f"peer-{lab.next_number()}"
    async with running(name, everything, directory=lab.directory, ready=ready) as daemon:
        yield Peer(daemon, management)


def _credentials(lab: Lab, security: Security) -> tuple[list[str], list[str]]:
    if security is Security.STATIC_KEY:
        both = ["--secret", str(lab.file(_static_key())), "--cipher", "AES-256-CBC"]
        if version() >= (2, 7):
            both.append("--allow-deprecated-insecure-static-crypto")
        return both, both
    return (
        ["--tls-server", "--dh", "none", *lab.authority.issue("listener").options()],
        ["--tls-client", *lab.authority.issue("initiator").options()],
    )


def _static_key() -> str:
    digits = secrets.token_hex(STATIC_KEY_BYTES)
    lines = [digits[start : start + 32] for start in range(0, len(digits), 32)]
    begin, end = "-----BEGIN OpenVPN Static key V1-----", "-----END OpenVPN Static key V1-----"
    return "\n".join([begin, *lines, end, ""])
