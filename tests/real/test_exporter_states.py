"""State transitions: each is counted once, whether notified or recovered in the history."""

import signal
from collections import Counter

import msgspec

from tests.real import raw_session
from tests.real.changes import decreased_since_up, increase
from tests.real.client import client
from tests.real.clock import wait_for_next_second
from tests.real.daemon import INITIALISED
from tests.real.lab import Lab
from tests.real.link import link
from tests.real.management import Management
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import server

TRANSITIONS = "openvpn_state_transitions_total"
RECONNECTS = "openvpn_reconnects_total"
CONNECTS = "openvpn_exporter_connects_total"
RESTARTS = "openvpn_restarts_total"
SHORT_KEEPALIVE = ("--keepalive", "1", "2")


async def history(management: Management) -> list[str]:
    [reply] = await raw_session.request(management.address, "state all")
    return reply.split("\n")[:-1]


def names(entries: list[str]) -> dict[str, float]:
    return {name: float(times) for name, times in Counter(e.split(",")[1] for e in entries).items()}


def reasons(entries: list[str]) -> dict[str, float]:
    fields = [entry.split(",") for entry in entries]
    counts = Counter(reason for _, name, reason, *_ in fields if name == "RECONNECTING")
    return {reason: float(times) for reason, times in counts.items()}


def counted(page: Page) -> dict[str, float]:
    return {name: times for name, times in page.values(TRANSITIONS, by="state").items() if times}


def connections(page: Page) -> float:
    return page.value(TRANSITIONS, state="CONNECTED")


async def test_states_are_counted_once_across_a_gap_and_not_from_the_first_history(
    lab: Lab,
) -> None:
    async with server(lab) as office, client(office, "alice", management=lab.tcp()) as alice:
        old = await history(alice.management)
        async with (
            link(lab, alice.management) as management_link,
            scraping(daemon_config(management_link.management)) as scraper,
        ):
            first = await scraper.wait_up()
            alice.daemon.signal(signal.SIGUSR1)
            live = await scraper.wait_for(lambda page: connections(page) == 1)
            management_link.disconnect()
            await scraper.wait_down("closed")
            mark = alice.daemon.mark()
            alice.daemon.signal(signal.SIGUSR1)
            await alice.daemon.wait_for_log(INITIALISED, since=mark)
            management_link.reconnect()
            after_gap = await scraper.wait_for(lambda page: connections(page) == 2)
            alice.daemon.signal(signal.SIGUSR1)
            await scraper.wait_for(lambda page: connections(page) == 3)
            last = await scraper.wait_polled()
        complete = await history(alice.management)

    new = complete[len(old) :]
    assert complete[: len(old)] == old != []
    assert counted(first) == {}
    assert [page.value(RECONNECTS, reason="SIGUSR1") for page in (live, after_gap)] == [1, 2]
    assert counted(last) == names(new)
    assert increase(first, last, RECONNECTS, by="reason") == reasons(new) == {"SIGUSR1": 3}
    assert last.value(CONNECTS) == 2
    assert decreased_since_up(scraper.pages) == []


async def test_client_that_loses_its_server_counts_each_state_once(lab: Lab) -> None:
    async with (
        server(lab, *SHORT_KEEPALIVE) as office,
        client(office, "alice", management=lab.tcp()) as alice,
    ):
        old = await history(alice.management)
        async with (
            link(lab, alice.management) as management_link,
            scraping(daemon_config(management_link.management)) as scraper,
        ):
            up = await scraper.wait_up()
            await office.daemon.kill()
            lost = await scraper.wait_for(
                lambda page: page.value(RECONNECTS, reason="ping-restart") == 1
            )
            management_link.disconnect()
            mark = alice.daemon.mark()
            async with server(lab, "--port", str(office.port)):
                await alice.daemon.wait_for_log(INITIALISED, since=mark)
                management_link.reconnect()
                await scraper.wait_for(lambda page: connections(page) == 1)
                recovered = await scraper.wait_polled()
        new = (await history(alice.management))[len(old) :]

    assert lost.value(TRANSITIONS, state="RECONNECTING") == 1
    assert counted(recovered) == names(new)
    assert recovered.value("openvpn_state", state="CONNECTED") == 1
    assert {"RECONNECTING", "WAIT", "AUTH", "CONNECTED"} <= names(new).keys()
    assert increase(up, recovered, RECONNECTS, by="reason") == reasons(new)
    assert reasons(new)["ping-restart"] == 1
    assert decreased_since_up(scraper.pages) == []


async def test_states_are_counted_across_restarts_and_a_new_process(lab: Lab) -> None:
    async with server(lab) as first:
        # An unread command turns the close into a reset, and TCP then drops the last lines.
        config = msgspec.structs.replace(daemon_config(first.management), poll_interval=60.0)
        async with scraping(config) as scraper:
            up = await scraper.wait_up()
            first.daemon.signal(signal.SIGUSR1)
            await scraper.wait_for(lambda page: connections(page) == 1)
            first.daemon.signal(signal.SIGHUP)
            restarted = await scraper.wait_for(lambda page: connections(page) == 2)
            await first.daemon.stop()
            ended = await scraper.wait_for(lambda page: not page.is_up())
            await wait_for_next_second(up.value("openvpn_start_time_seconds"))
            async with server(lab, management=first.management) as second:
                again = await scraper.wait_up()
                await second.daemon.kill()
                killed = await scraper.wait_for(lambda page: not page.is_up())

    assert counted(up) == {}
    assert increase(up, restarted, RECONNECTS, by="reason") == {"SIGUSR1": 1, "SIGHUP": 1}
    assert counted(restarted) == {"RECONNECTING": 2, "ASSIGN_IP": 2, "CONNECTED": 2}
    assert increase(restarted, ended, TRANSITIONS, by="state") == {"EXITING": 1}
    # The states of a new process are all new.
    started = {"CONNECTING": 1, "ASSIGN_IP": 1, "CONNECTED": 1}
    assert increase(ended, again, TRANSITIONS, by="state") == started
    assert increase(again, killed, TRANSITIONS, by="state") == {}
    assert [page.value(RESTARTS) for page in (restarted, ended, again, killed)] == [0, 0, 1, 1]
    assert [page.value(CONNECTS) for page in (restarted, again, killed)] == [1, 2, 2]
    assert decreased(scraper.pages) == []


async def test_client_that_a_server_loses_is_no_reconnect_of_the_server(lab: Lab) -> None:
    async with server(lab, *SHORT_KEEPALIVE) as office:
        async with scraping(daemon_config(office.management)) as scraper:
            async with client(office, "alice") as alice:
                up = await scraper.wait_up()
                mark = office.daemon.mark()
                await alice.daemon.kill()
                await office.daemon.wait_for_log("SIGUSR1[soft,ping-restart]", since=mark)
            lost = await scraper.wait_polled()
        entries = await history(office.management)
    assert names(entries).keys() == {"CONNECTING", "ASSIGN_IP", "CONNECTED"}
    assert increase(up, lost, "openvpn_log_events_total", by="event") == {"ping_timeout": 1}
    assert counted(lost) == {}
    assert "SIGUSR1" in lost.values(RECONNECTS, by="reason")
    assert "ping-restart" not in lost.values(RECONNECTS, by="reason")
    assert "WAIT" not in lost.values(TRANSITIONS, by="state")
