"""Daemons without clients: client mode and point-to-point mode."""

import re
import signal
from collections.abc import Mapping
from functools import partial

import pytest

from tests.real import raw_session
from tests.real.client import Client, client
from tests.real.daemon import INITIALISED, KATHMANDU
from tests.real.lab import Lab
from tests.real.management import Management
from tests.real.p2p import Security, pair
from tests.real.recording_proxy import RecordingProxy, recording_proxy
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import server

READ = "openvpn_client_tcp_udp_read_bytes_total"
WRITTEN = "openvpn_client_tcp_udp_write_bytes_total"
RECEIVED = "openvpn_received_bytes_total"
SENT = "openvpn_sent_bytes_total"
# A handshake transfers more in each direction.
HANDSHAKE = 2000
QUARTER = 900
# Every row of the statistics, with its counter.
ROWS = {
    "TUN/TAP read bytes": "openvpn_client_tun_tap_read_bytes_total",
    "TUN/TAP write bytes": "openvpn_client_tun_tap_write_bytes_total",
    "TCP/UDP read bytes": READ,
    "TCP/UDP write bytes": WRITTEN,
    "Auth read bytes": "openvpn_client_auth_read_bytes_total",
    "pre-compress bytes": "openvpn_client_pre_compress_bytes_total",
    "post-compress bytes": "openvpn_client_post_compress_bytes_total",
    "pre-decompress bytes": "openvpn_client_pre_decompress_bytes_total",
    "post-decompress bytes": "openvpn_client_post_decompress_bytes_total",
}


async def statistics(management: Management) -> dict[str, int]:
    """Return the daemon's statistics by the names of the exporter's counters."""
    [reply] = await raw_session.request(management.address, "status 3")
    found = dict(re.findall(r"^(.+ bytes),(\d+)$", reply, re.MULTILINE))
    return {ROWS[row]: int(value) for row, value in found.items()}


def counters(page: Page) -> dict[str, float]:
    return {name: page.value(name) for name in page.names() if name.startswith("openvpn_client_")}


def growth_between(
    before: Mapping[str, float], seen: Mapping[str, float], after: Mapping[str, float]
) -> bool:
    """Return whether all have the same counters, and none grew by more than between the two."""
    return seen.keys() == before.keys() == after.keys() and all(
        0 <= value <= after[name] - before[name] for name, value in seen.items()
    )


def mode(page: Page) -> str:
    [labels] = page.labels("openvpn_info")
    return labels["mode"]


def state(page: Page) -> list[str]:
    states = page.values("openvpn_state", by="state")
    return [name for name, value in states.items() if value]


def shown_growth(replies: bytes) -> dict[str, int]:
    """Return the growth of each counter since the first poll, by the replies of a session.

    The values of load-stats continue. A reconnect, which a real-time message announces, resets
    those of the statistics.
    """
    last: dict[str, int] = {}
    growth = dict.fromkeys((READ, WRITTEN, RECEIVED, SENT), 0)
    for line in replies.decode().splitlines():
        values: dict[str, int] = {}
        if re.match(r">STATE:\d+,RECONNECTING,", line):
            last |= {READ: 0, WRITTEN: 0}
        elif found := re.fullmatch(r"SUCCESS: nclients=\d+,bytesin=(\d+),bytesout=(\d+)", line):
            values = {RECEIVED: int(found[1]), SENT: int(found[2])}
        elif found := re.fullmatch(r"(TCP/UDP .+ bytes),(\d+)", line):
            values = {ROWS[found[1]]: int(found[2])}
        for counter, value in values.items():
            growth[counter] += value - last.get(counter, value)
        last |= values
    return growth


def shows_growth(page: Page, proxy: RecordingProxy, *, handshakes: int) -> bool:
    """Return whether a page has the growth of at least so many whole handshakes."""
    if state(page) != ["CONNECTED"]:  # the bytes of a handshake may be read before its end
        return False
    growth = shown_growth(proxy.received)
    return growth[READ] > handshakes * HANDSHAKE and all(
        page.value(name) == value for name, value in growth.items()
    )


async def reconnect(alice: Client) -> None:
    mark = alice.daemon.mark()
    alice.daemon.signal(signal.SIGUSR1)
    await alice.daemon.wait_for_log(INITIALISED, since=mark)


async def test_client_has_the_counters_of_its_statistics(lab: Lab) -> None:
    async with server(lab) as office, client(office, "alice", management=lab.tcp()) as alice:
        before = await statistics(alice.management)
        async with scraping(daemon_config(alice.management)) as scraper:
            page = await scraper.wait_up()
        after = await statistics(alice.management)

    assert mode(page) == "client"
    assert state(page) == ["CONNECTED"]
    assert READ in before
    assert growth_between(before, counters(page), after)
    assert not [name for name in page.gauges() if name.startswith("openvpn_server_")]


async def test_compression_adds_four_counters(lab: Lab) -> None:
    compression = "--compress", "lz4-v2", "--allow-compression", "yes"
    async with (
        server(lab, *compression) as office,
        client(office, "alice", *compression, management=lab.tcp()) as alice,
        scraping(daemon_config(alice.management)) as scraper,
    ):
        page = await scraper.wait_up()
    assert counters(page).keys() == set(ROWS.values())


async def test_counters_of_a_client_continue_after_a_reconnect(lab: Lab) -> None:
    async with (
        # No traffic but the handshakes.
        server(lab, "--keepalive", "60", "240") as office,
        client(office, "alice", management=lab.tcp()) as alice,
        recording_proxy(lab, alice.management) as proxy,
    ):
        async with scraping(daemon_config(proxy.management)) as scraper:
            await scraper.wait_up()
            await reconnect(alice)
            await scraper.wait_for(partial(shows_growth, proxy=proxy, handshakes=1))
            await reconnect(alice)
            after = await scraper.wait_for(partial(shows_growth, proxy=proxy, handshakes=2))
        manual = await statistics(alice.management)

    assert decreased(scraper.pages) == []
    assert after.value("openvpn_exporter_connects_total") == 1
    assert manual[READ] < after.value(READ)
    assert manual[WRITTEN] < after.value(WRITTEN)


async def test_times_of_statistics_are_read_in_the_zone_of_the_daemon(lab: Lab) -> None:
    async with (
        server(lab) as office,
        client(office, "branch", zone=KATHMANDU) as branch,
        scraping(daemon_config(branch.management)) as scraper,
    ):
        page = await scraper.wait_up()
    connected_at = page.value("openvpn_state_since_timestamp_seconds")
    assert 0 <= page.value("openvpn_status_update_time_seconds") - connected_at < QUARTER


@pytest.mark.parametrize("security", list(Security))
async def test_point_to_point_peers_have_mode_p2p(lab: Lab, security: Security) -> None:
    async with pair(lab, security=security) as ends:
        for peer in (ends.listener, ends.initiator):
            before = await statistics(peer.management)
            async with scraping(daemon_config(peer.management)) as scraper:
                page = await scraper.wait_up()
            after = await statistics(peer.management)

            assert mode(page) == "p2p"
            assert state(page) == ["CONNECTED"]
            assert READ in before
            assert growth_between(before, counters(page), after)


@pytest.mark.parametrize(
    "options",
    [
        ("--dev", "tap"),
        ("--dev", "tap", "--ifconfig", "10.9.0.1", "255.255.255.0"),
        ("--dev", "tap", "--ifconfig-noexec"),
        ("--dev", "tun"),
    ],
)
async def test_a_point_to_point_link_is_no_client_with_any_device(
    lab: Lab, options: tuple[str, ...]
) -> None:
    async with pair(lab, *options) as ends:
        for end in (ends.listener, ends.initiator):
            async with scraping(daemon_config(end.management)) as scraper:
                assert mode(await scraper.wait_up()) == "p2p"


async def test_statistics_from_before_a_reconnect_are_counted_once(lab: Lab) -> None:
    async with (
        server(lab, "--keepalive", "60", "240") as office,
        client(office, "alice", management=lab.tcp()) as alice,
        recording_proxy(lab, alice.management) as proxy,
        scraping(daemon_config(proxy.management)) as scraper,
    ):
        await scraper.wait_up()
        mark = alice.daemon.mark()
        proxy.hold_from(b"status 3\n")
        await proxy.wait_for(lambda: b"\nEND" in proxy.held)
        alice.daemon.signal(signal.SIGUSR1)
        await proxy.wait_for(lambda: b">STATE:" in proxy.held)
        proxy.release()
        await alice.daemon.wait_for_log(INITIALISED, since=mark)
        await scraper.wait_for(partial(shows_growth, proxy=proxy, handshakes=1))
    assert decreased(scraper.pages) == []
