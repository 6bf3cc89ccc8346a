"""Daemons whose log must not be read: at high verbosity each line that is read causes more."""

import signal

import pytest

from exporter.monitor import rate_limit
from tests.real import log_reader
from tests.real.lab import Lab
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import server
from tests.tracing import needs_full_speed

MESSAGES = "openvpn_log_messages_total"
VERBOSITY = "openvpn_log_verbosity"
FLOOD = 2_000


def lines_read(page: Page) -> float:
    return page.value("openvpn_realtime_messages_total", source="LOG")


async def test_daemon_at_verb_9_is_monitored_without_its_log(lab: Lab) -> None:
    async with (
        server(lab, "--verb", "9") as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        page = await scraper.wait_polled()
    sent = log_reader.commands(office.daemon)
    assert "status 3" in sent
    assert not [command for command in sent if command.startswith("log")]
    assert page.value(VERBOSITY) == 9
    assert lines_read(page) == 0
    assert sum(page.values(MESSAGES, by="severity").values()) == 0


@needs_full_speed
async def test_flooding_log_is_disabled_and_the_daemon_stays_monitored(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that is busy with other tests reads fewer lines a second than the real limit.
    monkeypatch.setattr(rate_limit, "MAX_LOG_LINES", FLOOD)
    config = lab.file("verb 3\n")
    log_file = lab.directory / f"flood-{lab.next_number()}.log"
    async with (
        server(lab, "--config", str(config)) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        # The log goes to a file, so that only the exporter slows the daemon down.
        config.write_text(f"verb 9\nlog {log_file}\n")
        office.daemon.signal(signal.SIGHUP)
        await scraper.wait_for(lambda page: lines_read(page) > FLOOD)
        disabled = await scraper.wait_polled()
        later = await scraper.wait_polled()

    assert later.is_up()
    assert lines_read(later) == lines_read(disabled)
    assert later.value(VERBOSITY) == 9
    assert later.value("openvpn_exporter_connects_total") <= 2
    assert decreased(scraper.pages) == []
