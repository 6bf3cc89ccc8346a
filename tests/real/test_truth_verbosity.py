"""Daemons whose log must not be listened to: reading a line there makes more lines."""

import signal

from tests.real import log_reader
from tests.real.lab import Lab
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import server
from tests.tracing import needs_full_speed

MESSAGES = "openvpn_log_messages_total"
VERBOSITY = "openvpn_log_verbosity"


def lines_heard(page: Page) -> float:
    return page.value("openvpn_realtime_messages_total", source="LOG")


async def test_a_very_talkative_daemon_is_watched_without_its_log(lab: Lab) -> None:
    async with (
        server(lab, "--verb", "9") as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        page = await scraper.wait_polled()
    asked = log_reader.commands(office.daemon)
    assert "status 3" in asked
    assert not [command for command in asked if command.startswith("log")]
    assert page.value(VERBOSITY) == 9
    assert lines_heard(page) == 0
    assert sum(page.values(MESSAGES, by="severity").values()) == 0


@needs_full_speed
async def test_a_flood_of_the_log_is_ended_and_the_daemon_stays_watched(lab: Lab) -> None:
    config = lab.file("verb 3\n")
    written = lab.directory / f"flood-{lab.next_number()}.log"
    async with (
        server(lab, "--config", str(config)) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        # Nothing but the exporter shall slow the daemon down: its log goes to a file.
        config.write_text(f"verb 9\nlog {written}\n")
        office.daemon.signal(signal.SIGHUP)
        await scraper.wait_for(lambda page: lines_heard(page) > 10_000)
        quiet = await scraper.wait_polled()
        later = await scraper.wait_polled()

    assert later.is_up()
    assert lines_heard(later) == lines_heard(quiet)
    assert later.value(VERBOSITY) == 9
    assert later.value("openvpn_exporter_connects_total") <= 2
    assert decreased(scraper.pages) == []
