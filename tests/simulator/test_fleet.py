import asyncio

import pytest

from exporter.certificates.index import parse_index
from exporter.certificates.issued import CertificateState, IssuedCertificate, IssuedCertificates
from exporter.certificates.pem import parse
from exporter.certificates.source import Certificate, CertificateDirective, RevocationList
from exporter.management.values import clean
from exporter.simulator import Fleet
from exporter.simulator.daemon.env_block import certificate_serial
from tests.simulator.manual_clock import ManualClock
from tests.simulator.raw_client import greeted_client, raw_client


async def test_the_demo_has_two_servers_a_tunnel_and_one_that_is_down() -> None:
    async with Fleet.demo(seed=1) as fleet:
        addresses = {daemon.name: daemon.address for daemon in fleet.daemons}
        assert list(addresses) == ["office", "remote-work", "uplink", "backup-site"]
        firsts = {}
        for name in ("office", "remote-work", "uplink"):
            async with greeted_client(addresses[name]) as client:
                firsts[name] = (await client.ask("status 1"))[0]
        assert firsts == {
            "office": "OpenVPN CLIENT LIST",
            "remote-work": "OpenVPN CLIENT LIST",
            "uplink": "OpenVPN STATISTICS",
        }
        with pytest.raises(ConnectionRefusedError):
            async with raw_client(addresses["backup-site"]):
                pass


async def test_some_of_the_expected_clients_are_connected() -> None:
    async with (
        Fleet.demo(seed=1) as fleet,
        greeted_client(fleet.daemons[0].address) as office,
    ):
        rows = [line.split("\t") for line in await office.ask("status 3")]
    connected = {row[1] for row in rows if row[0] == "CLIENT_LIST"}
    assert set(fleet.daemons[0].expected_clients) & connected
    assert len(connected) < (fleet.daemons[0].max_clients or 0)


async def test_some_of_the_clients_expected_on_any_server_are_connected_to_one() -> None:
    connected = []
    async with Fleet.demo(seed=1) as fleet:
        for daemon in fleet.daemons[:2]:
            async with greeted_client(daemon.address) as server:
                rows = [line.split("\t") for line in await server.ask("status 3")]
            connected.append({row[1] for row in rows if row[0] == "CLIENT_LIST"})
    assert any(not {*fleet.expected_clients} <= names for names in connected)
    assert {*fleet.expected_clients} & set().union(*connected)


async def test_the_same_seed_makes_the_same_fleet() -> None:
    async def names(seed: int) -> list[str]:
        async with (
            Fleet.demo(seed=seed, clock=ManualClock()) as fleet,
            greeted_client(fleet.daemons[0].address) as client,
        ):
            return await client.ask("status 3")

    one, same, other = await names(1), await names(1), await names(2)
    assert one == same
    assert one != other


async def test_daemons_are_served_at_the_same_time() -> None:
    async with (
        Fleet.demo() as fleet,
        greeted_client(fleet.daemons[0].address) as office,
        greeted_client(fleet.daemons[1].address) as work,
    ):
        replies = await asyncio.gather(office.ask("pid"), work.ask("pid"))
    assert replies[0] != replies[1]


async def test_daemons_have_certificates_while_they_are_served() -> None:
    async with Fleet.demo(clock=ManualClock()) as fleet:
        office, _, uplink, backup_site = fleet.daemons
        assert office.files.cert
        assert office.files.crl_verify
        (certificate,) = parse(office.files.cert.read_bytes(), CertificateDirective.CERT)
        (crl,) = parse(office.files.crl_verify.read_bytes(), CertificateDirective.CRL)
        assert isinstance(certificate, Certificate)
        assert isinstance(crl, RevocationList)
        assert (certificate.subject, crl.issuer) == ("office", "Example VPN CA")
        assert certificate.not_after == ManualClock()() + 19 * 86_400
        assert uplink.files.ca == office.files.ca
        assert backup_site.files.cert is None
    assert not office.files.cert.exists()


async def test_demo_needs_no_library_for_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    async with Fleet.demo() as fleet:
        assert {daemon.files.cert for daemon in fleet.daemons} == {None}


async def test_index_has_all_clients_with_the_serial_numbers_that_the_daemons_announce() -> None:
    clock = ManualClock()
    async with Fleet.demo(seed=1, clock=clock) as fleet:
        certificates = [
            item
            for item in parse_index(fleet.index.read_bytes())
            if isinstance(item, IssuedCertificate)
        ]
        async with greeted_client(fleet.daemons[0].address) as office:
            rows = [line.split("\t") for line in await office.ask("status 3")]
    issued = IssuedCertificates(certificates)
    connected = {clean(row[1]) for row in rows if row[0] == "CLIENT_LIST" and row[1] != "UNDEF"}
    unknown = {name for name in connected if issued.state(name, None, 0).value == "unknown"}
    assert unknown == set()
    assert len(connected) > 20
    now = clock()
    assert issued.counts(now)[CertificateState.REVOKED] == 1
    assert issued.counts(now)[CertificateState.EXPIRED] == 1
    assert issued.expiring(now, 14 * 86_400) == 2
    lisbon = certificate_serial("branch-lisbon")
    assert issued.state("", lisbon, now) is CertificateState.VALID
