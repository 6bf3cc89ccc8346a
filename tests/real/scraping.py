"""The exporter at work on real daemons, and its page as numbers.

It runs in the test's own loop, is scraped over HTTP as by anybody, and asks more often than a
configuration file would let it.
"""

import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientConnectionError, ClientSession
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.app import run_app
from exporter.config import Config, DaemonConfig
from exporter.management.endpoint import parse_endpoint
from exporter.web.listener import ListenAddress
from tests.real.management import LOOPBACK, Management
from tests.real.waiting import DEADLINE, eventually

TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
POLL_INTERVAL = 0.05
PATH = "/metrics"

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the exporter: its text, the value of each series, and which only go up."""

    body: str
    series: dict[Series, float]
    counters: frozenset[Series]

    def values(self, name: str, by: str) -> dict[str, float]:
        """Give the values of a metric by one of its labels; no two series may share it."""
        found = [(labels.get(by, ""), value) for labels, value in self._all(name)]
        assert len(dict(found)) == len(found), found
        return dict(found)

    def value(self, name: str, **labels: str) -> float:
        """Give the value of the only series of this name with these labels."""
        found = [value for own, value in self._all(name) if labels.items() <= own.items()]
        assert len(found) == 1, f"{len(found)} series {name} {labels}"
        return found[0]

    def labels(self, name: str) -> list[dict[str, str]]:
        """Give the labels of each series of a metric, without the name of the daemon."""
        return [
            {label: value for label, value in labels.items() if label != "daemon"}
            for labels, _ in self._all(name)
        ]

    def names(self) -> set[str]:
        """Give the names of all series."""
        return {name for name, _ in self.series}

    def gauges(self) -> set[str]:
        """Give the names of what is said of daemons as it is now, not counted up."""
        of_daemons = {name for name, labels in self.series if "daemon" in dict(labels)}
        return of_daemons - {name for name, _ in self.counters}

    def is_up(self) -> bool:
        """Tell whether the only daemon is up."""
        return self.value("openvpn_up") == 1

    def down_reason(self) -> str | None:
        """Give the reason why the only daemon is down."""
        reasons = self.values("openvpn_down_reason", by="reason")
        assert set(reasons.values()) <= {0, 1}
        down = [reason for reason, value in reasons.items() if value]
        assert len(down) <= 1, down
        return down[0] if down else None

    def _all(self, name: str) -> list[tuple[dict[str, str], float]]:
        of_name = [(labels, value) for (own, labels), value in self.series.items() if own == name]
        return [(dict(labels), value) for labels, value in of_name]


class Scraper:
    """Whoever scrapes. ``pages`` are all that were seen, the oldest first."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url
        self.pages: list[Page] = []

    async def page(self, accept: str = TEXT) -> Page:
        """Scrape once."""
        async with self._session.get(f"{self.url}{PATH}", headers={"Accept": accept}) as answer:
            answer.raise_for_status()
            assert answer.content_type == accept.partition(";")[0]
            body = await answer.text()
        page = _read(body, parse_text if accept == TEXT else parse_openmetrics)
        self.pages.append(page)
        return page

    async def try_page(self) -> Page | None:
        """Scrape once, if the exporter is at home already."""
        try:
            return await self.page()
        except ClientConnectionError:
            return None

    async def wait_for(
        self, condition: Callable[[Page], bool], *, deadline: float = DEADLINE
    ) -> Page:
        """Scrape until the condition holds; give the page on which it does."""

        async def look() -> Page | None:
            page = await self.page()
            return page if condition(page) else None

        try:
            return await eventually(look, deadline=deadline)
        except TimeoutError as error:
            error.add_note(f"--- the last page ---\n{self.pages[-1].body}")
            raise

    async def wait_up(self) -> Page:
        """Wait until the only daemon is up."""
        page = await self.wait_for(Page.is_up)
        assert page.value("openvpn_management_up") == 1
        assert page.down_reason() is None
        return page

    async def wait_down(self, reason: str) -> Page:
        """Wait until the only daemon is down for this reason; ``reasons`` tells those before."""
        page = await self.wait_for(lambda page: page.down_reason() == reason)
        assert page.value("openvpn_up") == 0
        assert page.value("openvpn_management_up") == 0
        return page

    def down_reasons(self) -> list[str]:
        """Give the reasons why the only daemon was down so far, each once, the first one first."""
        found = [page.down_reason() for page in self.pages]
        return list(dict.fromkeys(reason for reason in found if reason))

    async def wait_polled(self) -> Page:
        """Wait for a poll that begins after this call, and is answered."""
        # The first that ends may be under way now.
        enough = _answered(await self.page()) + 2
        return await self.wait_for(lambda page: page.is_up() and _answered(page) >= enough)


def daemon_config(
    management: Management,
    *,
    name: str = "office",
    timeout: float = 10.0,
    password_file: Path | None = None,
) -> DaemonConfig:
    """Say where a daemon is in the words of the configuration, its password by default known."""
    direction = "listen:" if management.management_client else ""
    return DaemonConfig(
        name=name,
        management=parse_endpoint(f"{direction}{management.address}"),
        password_file=password_file or management.password_file,
        timeout=timeout,
    )


@asynccontextmanager
async def scraping(
    *daemons: DaemonConfig, poll_interval: float = POLL_INTERVAL, refresh_on_scrape: bool = False
) -> AsyncIterator[Scraper]:
    """Watch these daemons while the block runs."""
    config = Config(
        daemons=daemons, poll_interval=poll_interval, refresh_on_scrape=refresh_on_scrape
    )
    listen = [ListenAddress(LOOPBACK, 0)]
    async with (
        run_app(config, listen=listen, telemetry_path=PATH) as served,
        scraping_url(served.urls[0]) as scraper,
    ):
        yield scraper


@asynccontextmanager
async def scraping_url(url: str) -> AsyncIterator[Scraper]:
    """Scrape an exporter of any kind, once it is at home."""
    async with ClientSession() as session:
        scraper = Scraper(session, url)
        await eventually(scraper.try_page)
        yield scraper


def decreased(pages: Iterable[Page]) -> list[Series]:
    """Name the counters that were ever less than before, or gone.

    Before the first answer nobody knows that a tunnel is no server.
    """
    last: dict[Series, float] = {}
    found = []
    for page in itertools.dropwhile(lambda page: not _answered(page), pages):
        found += [series for series in last if page.series.get(series, -1) < last[series]]
        last = {series: page.series[series] for series in page.counters}
    return found


def _answered(page: Page) -> float:
    failures = page.values("openvpn_exporter_poll_failures_total", by="reason")
    return page.value("openvpn_exporter_polls_total") - sum(failures.values())


def _read(body: str, parse: Callable[[str], Iterable[Metric]]) -> Page:
    found = [
        ((sample.name, tuple(sorted(sample.labels.items()))), sample.value, metric.type)
        for metric in parse(body)
        for sample in metric.samples
    ]
    times = Counter(series for series, *_ in found)
    assert max(times.values()) == 1, times.most_common(1)
    return Page(
        body,
        {series: value for series, value, _ in found},
        frozenset(series for series, _, kind in found if kind in ("counter", "histogram")),
    )
