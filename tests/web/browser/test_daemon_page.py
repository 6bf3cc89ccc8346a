"""The page of a daemon in Chromium: sorting, filtering, refreshing, without a script, hostile."""

from urllib.parse import quote, urlsplit

import pytest
from msgspec import structs

from exporter.state.daemon import DaemonState
from tests.metrics.daemons import NOON, poll, server, server_status
from tests.web.browser.conftest import Serve
from tests.web.browser.fleet import HOSTILE, hostile_server, large_server, rows
from tests.web.browser.table import Table
from tests.web.browser.webdriver import ENTER, SPACE, Browser


async def open_office(
    browser: Browser, serve: Serve, daemon: DaemonState, *, query: str = ""
) -> Table:
    await browser.open(f"{await serve([daemon])}/daemons/office{query}")
    table = Table(browser)
    await table.mark_page()
    return table


async def query_of(browser: Browser) -> str:
    return urlsplit(await browser.url()).query


def poll_again(daemon: DaemonState, count: int) -> None:
    status = structs.replace(server_status(rows(count)), updated=NOON + 30)
    poll(daemon, status, now=NOON + 30)


class TestSorting:
    @pytest.mark.parametrize("key", [ENTER, SPACE])
    async def test_works_with_the_keyboard(self, browser: Browser, serve: Serve, key: str) -> None:
        table = await open_office(browser, serve, large_server(3))
        assert await table.sorted_by() == ("Client", "ascending")
        for first, direction in (("client-00002", "descending"), ("client-00000", "ascending")):
            await table.focus("sort-received")
            async with table.new_content():
                await browser.type(key)
            assert (await table.names())[:2] == ["site-oslo", first]
            assert await table.sorted_by() == ("Received", direction)
            assert await table.focused() == "sort-received"
        assert await query_of(browser) == "sort=received"
        assert await table.is_same_page()

    async def test_is_over_all_pages(self, browser: Browser, serve: Serve) -> None:
        table = await open_office(browser, serve, large_server(300), query="?page=2")
        assert "page 2 of 2" in await table.count()
        async with table.new_content():
            await (await browser.find("#sort-received")).click()
        assert (await table.names())[1] == "client-00299"
        assert "page 1 of 2" in await table.count()


class TestFilter:
    async def test_follows_the_keys(self, browser: Browser, serve: Serve) -> None:
        table = await open_office(browser, serve, large_server(300), query="?sort=-received")
        await table.focus("filter")
        async with table.new_content():
            await browser.type("CLIENT-0012")
        assert await table.names() == [f"client-{number:05}" for number in range(129, 119, -1)]
        assert "; 10 with “CLIENT-0012”" in await table.count()
        assert await table.focused() == "filter"
        assert await query_of(browser) == "sort=-received&filter=CLIENT-0012"
        assert await table.is_same_page()


class TestRefresh:
    async def test_keeps_the_place_of_the_reader(self, browser: Browser, serve: Serve) -> None:
        daemon = large_server(200)
        table = await open_office(browser, serve, daemon, query="?sort=-name&filter=client")
        await table.focus("filter")
        await browser.run("scrollTo(0, 3000)")
        before = await browser.run("return [scrollY, document.getElementById('filter').value]")
        poll_again(daemon, 199)
        async with table.new_content():
            await browser.run("refresh()")
        assert (await table.names())[0] == "client-00199"  # it has left
        assert "199 connected, 2 left" in await table.count()
        after = await browser.run("return [scrollY, document.getElementById('filter').value]")
        assert after == before
        assert before == [3000, "client"]
        assert await table.sorted_by() == ("Client", "descending")
        assert await table.focused() == "filter"
        assert await table.is_same_page()

    async def test_keeps_the_focus_on_a_button_of_the_table(
        self, browser: Browser, serve: Serve
    ) -> None:
        daemon = large_server(3)
        table = await open_office(browser, serve, daemon)
        await table.focus("sort-cipher")
        poll_again(daemon, 2)
        async with table.new_content():
            await browser.run("refresh()")
        assert await table.focused() == "sort-cipher"

    @pytest.mark.parametrize(
        "reason",
        [
            "Object.defineProperty(document, 'hidden', { value: true });",
            "document.getSelection().selectAllChildren(document.querySelector('h1'));",
            "document.getElementById('filter').dispatchEvent(new Event('input', {bubbles: true}));",
        ],
        ids=["hidden", "selecting", "typing"],
    )
    async def test_waits_while_the_page_is_hidden_or_in_use(
        self, browser: Browser, serve: Serve, reason: str
    ) -> None:
        await open_office(browser, serve, large_server(3))
        requests = "window.requests = 0; window.fetch = () => { window.requests++; };"
        assert await browser.run(f"{requests} {reason} refresh(); return window.requests") == 0

    async def test_is_made_when_the_page_is_shown_again(
        self, browser: Browser, serve: Serve
    ) -> None:
        daemon = large_server(3)
        table = await open_office(browser, serve, daemon)
        poll_again(daemon, 2)
        async with table.new_content():
            await browser.run("document.dispatchEvent(new Event('visibilitychange'))")
        assert "2 connected" in await table.count()

    async def test_says_that_the_exporter_does_not_answer(
        self, browser: Browser, serve: Serve
    ) -> None:
        table = await open_office(browser, serve, large_server(3))
        fetch = "window.fetch = () => Promise.reject(new TypeError('Failed to fetch'));"
        await browser.run(f"window.answer = window.fetch; {fetch} refresh()")
        notice = await browser.find("#outdated")
        assert await notice.text() == "Not up to date: the exporter does not answer."
        assert len(await table.names()) == 5
        await browser.run_async(
            "const [done] = arguments; new MutationObserver(() => done()).observe("
            "document.getElementById('outdated'), { attributes: true });"
            "window.fetch = window.answer; refresh();"
        )
        assert await notice.text() == ""


class TestWithoutScript:
    async def test_sorting_filtering_and_pages_work(self, browser: Browser, serve: Serve) -> None:
        await browser.allow_scripts(allowed=False)
        table = await open_office(browser, serve, large_server(300))
        async with browser.new_page():
            await (await browser.find("#sort-received")).click()
        assert (await table.names())[:2] == ["site-oslo", "client-00299"]
        async with browser.new_page():
            await (await browser.find("nav.pages a")).click()
        assert await query_of(browser) == "sort=-received&filter=&page=2"
        assert (await table.names())[-2:] == ["client-00000", "alice"]
        field = await browser.find("#filter")
        async with browser.new_page():
            await field.type(f"00123{ENTER}")
        assert await table.names() == ["client-00123"]
        assert await table.sorted_by() == ("Received", "descending")


class TestHostileTexts:
    async def test_stay_text(self, browser: Browser, serve: Serve) -> None:
        url = await serve([hostile_server()])
        await browser.open(url)
        async with browser.new_page():
            await (await browser.find("#daemons tbody a")).click()
        assert await browser.url() == f"{url}/daemons/{quote(HOSTILE, safe='')}"
        assert await browser.title() == HOSTILE
        assert await browser.texts("h1") == [HOSTILE]
        table = Table(browser)
        assert await table.names() == [f"{HOSTILE}!", HOSTILE]
        await table.focus("filter")
        async with table.new_content("clients-count"):
            await browser.type("pwned")
        assert len(await table.names()) == 2
        assert await browser.title() == HOSTILE
        assert await browser.run("return document.images.length") == 0

    async def test_in_a_filter_stay_text(self, browser: Browser, serve: Serve) -> None:
        table = await open_office(browser, serve, server())
        field = await browser.find("#filter")
        async with table.new_content("clients-count"):
            await field.type(HOSTILE)
        assert f"0 with “{HOSTILE}”" in await table.count()
        await browser.open(await browser.url())
        assert await browser.run("return document.getElementById('filter').value") == HOSTILE
        assert await browser.run("return document.images.length") == 0
