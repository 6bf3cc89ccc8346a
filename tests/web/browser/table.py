"""The table of clients on the page of a daemon, as a reader sees it."""

import contextlib
from collections.abc import AsyncIterator

from tests.web.browser.webdriver import Browser

_EXPECT_CONTENT = """
const part = document.getElementById(arguments[0]);
window.changed = new Promise((resolve) =>
  new MutationObserver(resolve).observe(part, { childList: true }));
"""

_AWAIT_CONTENT = "const [done] = arguments; window.changed.then(() => done());"


class Table:
    """The table on the page that a browser shows."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    async def names(self) -> list[str]:
        return await self._browser.texts("#clients tbody th > bdi")

    async def count(self) -> str:
        (text,) = await self._browser.texts("#clients-count")
        return text

    async def sorted_by(self) -> tuple[str, str | None]:
        """Return the title of the column and the direction that its head announces."""
        head = await self._browser.find("#clients th[aria-sort]")
        return (await self._browser.texts("#clients th[aria-sort]"))[0], await head.attribute(
            "aria-sort"
        )

    async def focus(self, element_id: str) -> None:
        await self._browser.run("document.getElementById(arguments[0]).focus()", element_id)

    async def focused(self) -> str:
        return str(await self._browser.run("return document.activeElement.id"))

    @contextlib.asynccontextmanager
    async def new_content(self, part: str = "clients") -> AsyncIterator[None]:
        """Wait at the end of the block until the script has replaced a part of the page."""
        await self._browser.run(_EXPECT_CONTENT, part)
        yield
        await self._browser.run_async(_AWAIT_CONTENT)

    async def mark_page(self) -> None:
        await self._browser.run("window.marker = 'the same page'")

    async def is_same_page(self) -> bool:
        """Return whether the page was not loaded again since `mark_page`."""
        return bool(await self._browser.run("return window.marker === 'the same page'"))
