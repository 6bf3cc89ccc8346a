"""A certificate that is replaced in its file: OpenVPN uses it after SIGHUP, and not before."""

import re
import signal
from pathlib import Path

from tests.real.client import client
from tests.real.daemon import INITIALISED
from tests.real.lab import Lab
from tests.real.pki import Certificate
from tests.real.scraping import daemon_config, scraping
from tests.real.server import Server, server

SINCE = "openvpn_state_since_timestamp_seconds"
START = "openvpn_start_time_seconds"


async def test_server_uses_a_renewed_certificate_after_sighup_only(lab: Lab) -> None:
    in_use, renewed = lab.authority.issue("old"), lab.authority.issue("new")
    options = ("--cert", str(in_use.certificate), "--key", str(in_use.key), "--persist-key")
    async with server(lab, *options) as office, scraping(daemon_config(office.management)) as page:
        started = await page.wait_up()
        assert await name_of(office) == "old"
        replace(in_use, renewed)
        assert await name_of(office) == "old"
        await restart(office, signal.SIGUSR1)
        assert await name_of(office) == "old"
        await restart(office, signal.SIGHUP)
        assert await name_of(office) == "new"
        after = await page.wait_for(lambda now: now.value(SINCE) > started.value(SINCE))
        assert after.value(START) == started.value(START)


async def name_of(office: Server) -> str:
    """Return the name in the server's certificate, as a new client verifies it."""
    async with client(office, "alice") as alice:
        line = await alice.daemon.wait_for_log(re.compile(r"VERIFY OK: depth=0, .*CN=\w+"))
    return line.rpartition("CN=")[2]


def replace(old: Certificate, new: Certificate) -> None:
    """Put the content of one certificate and its key into the files of another."""
    for file, content in ((old.certificate, new.certificate), (old.key, new.key)):
        Path(file).write_bytes(content.read_bytes())


async def restart(office: Server, number: signal.Signals) -> None:
    """Send a signal that restarts the server within its process."""
    mark = office.daemon.mark()
    office.daemon.signal(number)
    await office.daemon.wait_for_log(INITIALISED, since=mark)
