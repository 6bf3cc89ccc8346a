"""Random keys for the control channel, made by OpenVPN, with the options of both sides."""

import asyncio
from asyncio.subprocess import DEVNULL
from dataclasses import dataclass
from pathlib import Path

from exporter.port_probe.keys import parse_client_key, parse_server_key, parse_static_key
from exporter.port_probe.wrapping import (
    PlainWrapping,
    TlsAuthWrapping,
    TlsCryptV2Wrapping,
    TlsCryptWrapping,
    Wrapping,
    make_client_key,
)
from tests.real.daemon import OPENVPN
from tests.real.lab import Lab

MODES = (
    "plain",
    "tls-auth",
    "tls-auth-direction-0",
    "tls-auth-direction-1",
    "tls-auth-sha256",
    "tls-crypt",
    "tls-crypt-v2",
    "tls-crypt-v2-made-here",
)


@dataclass(frozen=True, slots=True)
class TlsKeys:
    """The options of a server and of its clients, and the wrapping of the clients' packets."""

    server: tuple[str, ...]
    client: tuple[str, ...]
    wrapping: Wrapping


async def tls_keys(lab: Lab, mode: str) -> TlsKeys:
    """Make random keys for one of ``MODES``; directions are those of the client."""
    match mode:
        case "plain":
            return TlsKeys((), (), PlainWrapping())
        case "tls-crypt":
            file = await _generate(lab, "secret")
            options = ("--tls-crypt", str(file))
            key = parse_static_key(file.read_bytes())
            return TlsKeys(options, options, TlsCryptWrapping(key))
        case "tls-crypt-v2" | "tls-crypt-v2-made-here":
            return await _tls_crypt_v2(lab, made_here=mode.endswith("made-here"))
        case _:
            return await _tls_auth(lab, mode)


async def _tls_auth(lab: Lab, mode: str) -> TlsKeys:
    file = await _generate(lab, "secret")
    digest = "SHA256" if mode.endswith("sha256") else "SHA1"
    direction = int(mode[-1]) if "direction" in mode else None
    server_direction = () if direction is None else (str(1 - direction),)
    client_direction = () if direction is None else (str(direction),)
    options = ("--auth", digest, "--tls-auth", str(file))
    return TlsKeys(
        (*options, *server_direction),
        (*options, *client_direction),
        TlsAuthWrapping(parse_static_key(file.read_bytes()), direction, digest),
    )


async def _tls_crypt_v2(lab: Lab, *, made_here: bool) -> TlsKeys:
    server = await _generate(lab, "tls-crypt-v2-server")
    client = await _generate(lab, "tls-crypt-v2-client", "--tls-crypt-v2", str(server))
    key = parse_client_key(client.read_bytes())
    if made_here:
        key = make_client_key(parse_server_key(server.read_bytes()), b"r" * 256, 0)
    return TlsKeys(
        ("--tls-crypt-v2", str(server)),
        ("--tls-crypt-v2", str(client)),
        TlsCryptV2Wrapping(key),
    )


async def _generate(lab: Lab, kind: str, *options: str) -> Path:
    file = lab.directory / f"key-{lab.next_number()}"
    process = await asyncio.create_subprocess_exec(
        *(OPENVPN, *options, "--genkey", kind, str(file)), stdout=DEVNULL
    )
    assert await process.wait() == 0
    return file
