"""The exporter as the guest of a stand-in for openvpn-auth-oauth2, in front of real daemons."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exporter.config.schema import PassThrough as Setting
from tests.real.at_once import Outcomes, run_at_once
from tests.real.changes import increase
from tests.real.client import Credentials, client
from tests.real.lab import Lab
from tests.real.log_reader import commands
from tests.real.pass_through import PassThrough, pass_through
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import Server, server
from tests.real.test_pass_through import AUTH, DENIED, SECRET

EVENTS = "openvpn_log_events_total"
CLIENTS = "openvpn_server_connected_clients"
CONNECTS = "openvpn_server_client_connects_total"
SETTINGS = (Setting.AUTO, Setting.TRUE)
STICKY = {"state on", "log on", "log off", "state off", "bytecount 0"}


@asynccontextmanager
async def offered(
    lab: Lab, *options: str, password: str | None = None
) -> AsyncIterator[tuple[Server, PassThrough]]:
    async with (
        server(lab, *AUTH, *options) as office,
        pass_through(lab, office.management, password=password) as owner,
    ):
        yield office, owner


async def login(office: Server, name: str) -> None:
    async with client(office, name, user=Credentials(name)):
        pass


@pytest.fixture(scope="module")
def undisturbed(lab: Lab) -> Outcomes[None]:
    """The checks of logins for each setting."""

    async def check(setting: Setting) -> None:
        async with offered(lab) as (office, owner):
            await login(office, "before")
            async with scraping(daemon_config(owner.management, pass_through=setting)) as scraper:
                before = await scraper.wait_up()
                async with client(office, "during", user=Credentials("during")):
                    await scraper.wait_for(lambda page: page.value(CLIENTS) == 1)
                    async with client(office, "mallory", user=Credentials("mallory"), ready=DENIED):
                        await office.daemon.wait_for_log("delayed-exit")
                        after = await scraper.wait_polled()
                events = increase(before, after, EVENTS, by="event")
            await login(office, "after")
            assert owner.decided == ["before", "during", "mallory", "after"]
            assert owner.lost == []
            assert STICKY.isdisjoint(commands(office.daemon))
        assert events == {"auth_failed": 1}
        assert after.value(CONNECTS) >= 1
        assert after.value("openvpn_exporter_unparsed_lines_total") == 0
        assert set(
            after.values("openvpn_exporter_failed_commands_total", by="command").values()
        ) == {0}
        assert decreased(scraper.pages) == []
        assert scraper.down_reasons() == []

    return run_at_once(check, SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS)
def test_logins_work_before_during_and_after(undisturbed: Outcomes[None], setting: Setting) -> None:
    undisturbed.of(setting)


async def test_many_logins_between_polls_are_not_disturbed(lab: Lab) -> None:
    names = [f"user-{number}" for number in range(6)]
    async with offered(lab) as (office, owner):
        async with scraping(daemon_config(owner.management), poll_interval=0.01) as scraper:
            await scraper.wait_up()
            await asyncio.gather(*(login(office, name) for name in names))
            await scraper.wait_for(lambda page: page.value(CONNECTS) >= len(names))
        assert sorted(owner.decided) == names
        assert owner.lost == []


async def test_states_are_counted_from_the_history(lab: Lab) -> None:
    def reconnected(page: Page) -> bool:
        return page.values("openvpn_reconnects_total", by="reason")["SIGUSR1"] == 1

    async with (
        offered(lab) as (office, owner),
        scraping(daemon_config(owner.management)) as scraper,
    ):
        await scraper.wait_up()
        mark = office.daemon.mark()
        office.daemon.signal(signal.SIGUSR1)
        await office.daemon.wait_for_log("Initialization Sequence Completed", since=mark)
        await scraper.wait_for(reconnected)
        assert reconnected(await scraper.wait_polled())


async def test_the_password_is_given(lab: Lab) -> None:
    async with (
        offered(lab, password=SECRET) as (_, owner),
        scraping(daemon_config(owner.management)) as scraper,
    ):
        await scraper.wait_up()


async def test_a_wrong_password_is_an_auth_error(lab: Lab, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    async with (
        offered(lab, password=SECRET) as (_, owner),
        scraping(daemon_config(owner.management, password_file=wrong)) as scraper,
    ):
        await scraper.wait_down("auth")


async def test_a_guest_behind_another_one_is_busy(lab: Lab) -> None:
    async with offered(lab) as (_, owner), scraping(daemon_config(owner.management)) as first:
        await first.wait_up()
        async with scraping(daemon_config(owner.management, timeout=0.2)) as second:
            await second.wait_down("busy")
