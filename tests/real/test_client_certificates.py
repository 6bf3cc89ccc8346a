"""Clients of a real server, with certificates of a CA made by easy-rsa, and its index."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from exporter.certificates import pki_watch
from exporter.certificates.issued import CertificateState
from exporter.certificates.pki import PkiSource
from exporter.certificates.pki_reader import PkiReader
from exporter.config.pki import PkiConfig
from tests.real.client import client
from tests.real.easy_rsa import EasyRsa
from tests.real.lab import Lab
from tests.real.scraping import Page, Scraper, daemon_config, scraping
from tests.real.server import Server, server
from tests.real.test_exporter_check import entry, run_check

BY_STATE = "openvpn_server_clients_by_certificate"
INVALID = "openvpn_server_client_invalid_certificate_sessions"
ISSUED = "openvpn_issued_certificates"

SHORT = ("--reneg-sec", "2", "--tran-window", "3", "--hand-window", "2")
"""Hours of the defaults in seconds."""


@pytest.fixture
def easy_rsa(tmp_path: Path) -> EasyRsa:
    return EasyRsa.create(tmp_path / "pki")


@pytest.fixture(autouse=True)
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pki_watch, "INTERVAL", 0.1)


@asynccontextmanager
async def exporter(office: Server, easy_rsa: EasyRsa) -> AsyncIterator[Scraper]:
    pki = PkiConfig(index=easy_rsa.index, series=True)
    daemon = msgspec.structs.replace(daemon_config(office.management), pki=pki)
    async with scraping(daemon) as page:
        await page.wait_up()
        yield page


def states(page: Page) -> dict[str, float]:
    """Return the states that some client has."""
    return {state: count for state, count in page.values(BY_STATE, "state").items() if count}


def invalid(page: Page) -> list[tuple[str, str]]:
    return [(labels["common_name"], labels["state"]) for labels in page.labels(INVALID)]


async def test_client_is_revoked_until_openvpn_disconnects_it(lab: Lab, easy_rsa: EasyRsa) -> None:
    """By serial number: the name has a valid certificate, too."""
    options = easy_rsa.issue("office", server=True).options()
    alice = easy_rsa.issue("alice")
    easy_rsa.run("gen-crl")
    crl = ("--crl-verify", str(easy_rsa.crl))
    async with server(lab, *options, *crl, *SHORT) as office, exporter(office, easy_rsa) as page:
        async with client(office, "unused", *alice.options(), "--reneg-sec", "0"):
            await page.wait_for(lambda now: states(now) == {"valid": 1})
            easy_rsa.run("revoke", "alice")
            renewed = easy_rsa.issue("alice")
            now = await page.wait_for(lambda now: states(now) == {"revoked": 1})
            assert invalid(now) == [("alice", "revoked")]
            # The index is new, the CRL is not: renegotiations succeed.
            mark = office.daemon.mark()
            await office.daemon.wait_for_log(re.compile("VERIFY OK: depth=0, CN=alice"), since=mark)
            assert states(await page.page()) == {"revoked": 1}
            easy_rsa.run("gen-crl")
            await office.daemon.wait_for_log(re.compile("VERIFY ERROR.*certificate revoked"))
            assert states(await page.page()) == {"revoked": 1}  # with its old key
            await page.wait_for(lambda now: states(now) == {})
        async with client(office, "unused", *renewed.options()):
            now = await page.wait_for(lambda now: states(now) == {"valid": 1})
            assert invalid(now) == []


async def test_client_before_the_exporter_is_known_by_its_name(lab: Lab, easy_rsa: EasyRsa) -> None:
    """Reissued is no alarm; revoked without another certificate is one, and so is expired."""
    options = easy_rsa.issue("office", server=True).options()
    files = {name: easy_rsa.issue(name) for name in ("alice", "bob", "dave")}
    for name in ("alice", "bob"):
        easy_rsa.run("revoke", name)
    easy_rsa.issue("alice")
    index = easy_rsa.index.read_text()
    easy_rsa.index.write_text(re.sub(r"V\t\d+(Z.*CN=dave)", r"V\t200101000000\1", index))
    async with (
        server(lab, *options) as office,
        client(office, "unused", *files["alice"].options()),
        client(office, "unused", *files["bob"].options()),
        client(office, "unused", *files["dave"].options()),
    ):
        async with exporter(office, easy_rsa) as page:
            now = await page.wait_for(lambda now: sum(states(now).values()) >= 3)
        assert states(now) == {"valid": 1, "revoked": 1, "expired": 1}
        assert sorted(invalid(now)) == [("bob", "revoked"), ("dave", "expired")]
        assert now.values(ISSUED, "state") == {"valid": 2, "expired": 1, "revoked": 2}
        daemon = entry("office", office.management, pki={"index": str(easy_rsa.index)})
        code, text = await run_check(lab.directory, daemon)
        assert code == 0
        assert "office: 1 connected with a revoked certificate: bob\n" in text
        assert "office: 1 connected with an expired certificate: dave\n" in text


def test_renewed_certificate_counts_with_its_later_date(easy_rsa: EasyRsa) -> None:
    easy_rsa.run("--days=10", "build-client-full", "carol", "nopass")
    easy_rsa.run("--days=500", "renew", "carol", "nopass")
    easy_rsa.run("build-client-full", "dave", "nopass")
    easy_rsa.run("revoke", "dave", "keyCompromise")
    issued, problem = PkiReader(PkiSource(easy_rsa.index)).read()
    assert issued is not None
    assert problem is None
    now = easy_rsa.index.stat().st_mtime
    assert issued.counts(now)[CertificateState.VALID] == 2
    assert issued.counts(now)[CertificateState.REVOKED] == 1
    assert list(issued.valid_names(now)) == ["carol"]
    assert issued.expiring(now, 400 * 86_400) == 0
