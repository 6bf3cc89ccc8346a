"""The management slot: release, restarts on disconnect, and leftovers of other clients."""

import logging
import signal

import msgspec
import pytest

from exporter.config.schema import DaemonConfig, SlotPolicy
from tests.real import raw_session
from tests.real.changes import increase
from tests.real.client import Credentials, client
from tests.real.daemon import INITIALISED, version
from tests.real.lab import Lab
from tests.real.log_reader import commands
from tests.real.management import Management
from tests.real.scraping import daemon_config, decreased, scraping
from tests.real.server import server, user_password_options

TRANSITIONS = "openvpn_state_transitions_total"
RECONNECTS = "openvpn_reconnects_total"
EVENTS = "openvpn_log_events_total"
CONNECTS = "openvpn_exporter_connects_total"
POLLS = "openvpn_exporter_polls_total"
RESTARTS = "openvpn_restart_on_management_disconnect"
MESSAGES = "openvpn_realtime_messages_total"
DISCONNECT_REASON = "management-disconnect"
REJECTED = "AUTH: Received control message: AUTH_FAILED"
RELEASED_SECONDS = 1.0
# All commands of a poll in the daemon's log, between a connect and a disconnect line.
COMMANDS = ("pid", "hold", "version", "verb", "state all", "log all", "status 3", "quit")


def releasing_config(management: Management) -> DaemonConfig:
    return msgspec.structs.replace(
        daemon_config(management), slot=SlotPolicy.RELEASE, poll_interval=RELEASED_SECONDS
    )


async def test_released_slot_is_free_between_polls_and_no_event_is_lost(lab: Lab) -> None:
    reject_all = lab.script("exit 1")
    async with (
        server(lab, *user_password_options(reject_all)) as office,
        scraping(releasing_config(office.management)) as scraper,
    ):
        before = await scraper.wait_up()
        [pid] = await raw_session.request(office.management.address, "pid")
        mark = office.daemon.mark()
        office.daemon.signal(signal.SIGUSR1)
        await office.daemon.wait_for_log(INITIALISED, since=mark)
        async with client(office, "alice", user=Credentials("alice"), ready=REJECTED):
            pass
        await scraper.wait_for(lambda page: page.value(EVENTS, event="auth_failed") == 1)
        polls = (await scraper.page()).value(POLLS)
        after = await scraper.wait_for(lambda page: page.value(POLLS) == polls + 3)

    assert pid == f"SUCCESS: pid={office.daemon.pid}"
    assert increase(before, after, EVENTS, by="event") == {"auth_failed": 1}
    assert increase(before, after, RECONNECTS, by="reason") == {"SIGUSR1": 1}
    assert increase(before, after, TRANSITIONS, by="state") == {
        "RECONNECTING": 1,
        "ASSIGN_IP": 1,
        "CONNECTED": 1,
    }
    assert after.value(CONNECTS) == after.value(POLLS)
    assert {page.value("openvpn_up") for page in scraper.pages[-10:]} == {1}
    assert decreased(scraper.pages) == []


async def test_lines_of_one_released_poll_in_the_log_of_the_daemon(lab: Lab) -> None:
    async with (
        server(lab) as office,
        scraping(releasing_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
        mark = office.daemon.mark()
        await office.daemon.wait_for_log("MANAGEMENT: Client disconnected", since=mark)
        lines = office.daemon.log.split("\n")[mark:]
    assert [line.partition("MANAGEMENT: ")[2] for line in lines][1:-1] == [
        *(f"CMD '{command}'" for command in COMMANDS),
    ]
    assert len(lines) == len(COMMANDS) + 2


@pytest.mark.parametrize("slot", list(SlotPolicy))
async def test_daemon_that_restarts_on_disconnect_is_released_once_at_most(
    lab: Lab, slot: SlotPolicy, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(lab, "--management-signal") as office:
        config = msgspec.structs.replace(releasing_config(office.management), slot=slot)
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            await scraper.wait_for(lambda page: page.value(POLLS) >= 4)
            mark = office.daemon.mark()
            office.daemon.signal(signal.SIGUSR1)
            await office.daemon.wait_for_log(INITIALISED, since=mark)
            after = await scraper.wait_for(
                lambda page: page.value(RECONNECTS, reason="SIGUSR1") == 1
            )

    released_once = slot is SlotPolicy.RELEASE
    assert before.value(RESTARTS) == 0
    assert after.value(RESTARTS) == released_once
    assert after.value(RECONNECTS, reason=DISCONNECT_REASON) == released_once
    assert after.value(CONNECTS) == 1 + released_once
    warnings = [record for record in caplog.records if "--management-signal" in record.message]
    assert [record.levelno for record in warnings] == [logging.WARNING] * released_once
    assert decreased(scraper.pages) == []


async def test_bytecount_of_another_client_is_turned_off(lab: Lab) -> None:
    stays_on = (2, 6, 0) <= version() < (2, 6, 20)  # others turn it off themselves
    async with (
        server(lab) as office,
        client(office, "alice", management=lab.tcp()) as alice,
    ):
        await raw_session.request(alice.management.address, "bytecount 1")
        async with scraping(daemon_config(alice.management)) as scraper:
            await scraper.wait_up()
            if stays_on:
                await alice.daemon.wait_for_log("CMD 'bytecount 0'")
            after = await scraper.wait_polled()
        async with raw_session.connect(alice.management.address) as operator:
            with pytest.raises(raw_session.NoReplyError):
                await operator.notification(deadline=2.0)

    assert after.value(MESSAGES, source="BYTECOUNT") == stays_on
    assert commands(alice.daemon).count("bytecount 0") == stays_on
