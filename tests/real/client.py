"""A real OpenVPN client: complete handshake and tunnel, but no tun device."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.real.daemon import INITIALISED, UTC, Daemon, running
from tests.real.lab import Lab
from tests.real.management import LOOPBACK, Management
from tests.real.pki import Authority
from tests.real.server import Server


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password."""

    name: str
    password: str = "good"

    def options(self, lab: Lab) -> list[str]:
        """Return the OpenVPN options."""
        return ["--auth-user-pass", str(lab.file(f"{self.name}\n{self.password}\n"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A running client."""

    daemon: Daemon
    common_name: str
    management: Management


@asynccontextmanager
async def client(
    server: Server,
    common_name: str,
    *options: str,
    user: Credentials | None = None,
    signer: Authority | None = None,
    management: Management | None = None,
    ready: str = INITIALISED,
    zone: str = UTC,
    pull: bool = True,
) -> AsyncIterator[Client]:
    """Run a client of ``server`` until the block ends.

    ``options`` come last and override the defaults. ``signer`` defaults to the server's authority,
    ``management`` to a port of its own. ``ready`` is the text of the log line to wait for; a
    client that is rejected needs another text than the default. ``zone`` is a value of ``TZ``.
    Without ``pull`` it asks for no options.
    """
    lab = server.lab
    management = management or lab.tcp()
    certificate = (signer or lab.authority).issue(common_name, trusts=lab.authority)
    defaults = [
        *(
            "--client" if pull else "--tls-client",
            "--dev",
            "null",
            "--ifconfig-noexec",
            "--route-noexec",
            "--disable-dco",
        ),
        *("--proto", server.transport.value),
        *(() if "--remote" in options else ("--remote", LOOPBACK, str(server.port))),
        *(() if "--local" in options else ("--nobind",)),
        *("--connect-retry", "1", "--verb", "3"),
        *certificate.options(),
        *(user.options(lab) if user else []),
        *management.options(),
    ]
    name = f"client-{lab.next_number()}"
    async with running(
        name, [*defaults, *options], directory=lab.directory, ready=ready, zone=zone
    ) as daemon:
        yield Client(daemon=daemon, common_name=common_name, management=management)
