"""Published tools that read a daemon's management interface, in an environment of their own.

`make` installs it in ``.venv/tools``. openvpn-monitor serves a page; openvpn-api is a library.
"""

import asyncio
import re
from asyncio.subprocess import PIPE
from pathlib import Path

from tests.real.lab import Lab
from tests.real.management import LOOPBACK, Management, TcpAddress

PYTHON = Path(__file__).parents[2] / ".venv" / "tools" / "bin" / "python"
DEADLINE = 30.0

_PAGE = """
from openvpn_monitor.app import application

page = application.test_client().get("/")
print(page.status, page.text)
"""
_VALUES = """
import sys

from openvpn_api import VPN
from openvpn_status import ParsingError

kind, address = sys.argv[1:]
host, _, port = address.rpartition(":")
vpn = VPN(host=host, port=int(port)) if kind == "tcp" else VPN(socket=address)
with vpn.connection():
    print(vpn.release, vpn.version, vars(vpn.state), vpn.get_stats().client_count)
    try:
        vpn.get_status()
    except ParsingError as error:
        print(str(error).partition("'")[0])
"""
# What differs from one page to the next: the time, how long a client is connected, byte counts.
_CHANGING = re.compile(r"(?<=Last update: <b>)[^<]+|(?<=<td>)(?:\d+:\d\d:\d\d|\d+ \([^)]+\))")


async def openvpn_monitor_page(lab: Lab, management: Management) -> str:
    """Return the page of openvpn-monitor about a daemon, without what changes each second.

    It begins with the status of HTTP: up to 2.0.4, `500` for a server of OpenVPN 2.7 with clients.
    """
    address, password = management.address, management.password
    where = (
        f"host={LOOPBACK}\nport={address.port}"
        if isinstance(address, TcpAddress)
        else f"socket={address.path}"
    )
    secret = f"password={password}\n" if password else ""
    config = lab.file(f"[openvpn-monitor]\nsite=Test\n[VPN1]\nname=office\n{where}\n{secret}")
    page = await _run(_PAGE, OPENVPNMONITOR_CONFIG_FILE=str(config))
    return _CHANGING.sub("…", page)


async def openvpn_api_values(management: Management) -> str:
    """Return what openvpn-api reads of a daemon, its error if it can't read the status included."""
    address = management.address
    if isinstance(address, TcpAddress):
        return await _run(_VALUES, "tcp", str(address))
    return await _run(_VALUES, "unix", str(address.path))


async def _run(code: str, *arguments: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(str(PYTHON), "-c", code, *arguments), stdout=PIPE, stderr=PIPE, env=environment
    )
    async with asyncio.timeout(DEADLINE):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()
