"""The exporter with real daemons, and its page as numbers.

The exporter runs in the test's event loop, is scraped over HTTP, and polls more often than a
configuration file allows.
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
from exporter.config import ClientsConfig, Config, DaemonConfig
from exporter.config.schema import PassThrough
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
    """One page of the exporter: its text, the value of each series, and the counters."""

    body: str
    series: dict[Series, float]
    counters: frozenset[Series]

    def values(self, name: str, by: str) -> dict[str, float]:
        """Return the values of a metric by one of its labels, whose values must be unique."""
        found = [(labels.get(by, ""), value) for labels, value in self._all(name)]
        assert len(dict(found)) == len(found), found
        return dict(found)

    def value(self, name: str, **labels: str) -> float:
        """Return the value of the only series of this name with these labels."""
        found = [value for own, value in self._all(name) if labels.items() <= own.items()]
        assert len(found) == 1, f"{len(found)} series {name} {labels}"
        return found[0]

    def labels(self, name: str) -> list[dict[str, str]]:
        """Return the labels of each series of a metric, without ``daemon``."""
        return [
            {label: value for label, value in labels.items() if label != "daemon"}
            for labels, _ in self._all(name)
        ]

    def names(self) -> set[str]:
        """Return the names of all series."""
        return {name for name, _ in self.series}

    def gauges(self) -> set[str]:
        """Return the names of the daemons' gauges."""
        of_daemons = {name for name, labels in self.series if "daemon" in dict(labels)}
        return of_daemons - {name for name, _ in self.counters}

    def is_up(self) -> bool:
        """Return whether the only daemon is up."""
        return self.value("openvpn_up") == 1

    def down_reason(self) -> str | None:
        """Return the reason why the only daemon is down."""
        reasons = self.values("openvpn_down_reason", by="reason")
        assert set(reasons.values()) <= {0, 1}
        down = [reason for reason, value in reasons.items() if value]
        assert len(down) <= 1, down
        return down[0] if down else None

    def _all(self, name: str) -> list[tuple[dict[str, str], float]]:
        of_name = [(labels, value) for (own, labels), value in self.series.items() if own == name]
        return [(dict(labels), value) for labels, value in of_name]


class Scraper:
    """Scrapes one exporter. ``pages`` are all pages so far, the oldest first."""

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
        """Scrape once; return None if the exporter does not listen yet."""
        try:
            return await self.page()
        except ClientConnectionError:
            return None

    async def wait_for(
        self, condition: Callable[[Page], bool], *, deadline: float = DEADLINE
    ) -> Page:
        """Scrape until the condition holds; return that page."""

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
        """Wait until the only daemon is down for this reason."""
        page = await self.wait_for(lambda page: page.down_reason() == reason)
        assert page.value("openvpn_up") == 0
        assert page.value("openvpn_management_up") == 0
        return page

    def down_reasons(self) -> list[str]:
        """Return the reasons why the only daemon was down so far, each once, in order."""
        found = [page.down_reason() for page in self.pages]
        return list(dict.fromkeys(reason for reason in found if reason))

    async def wait_polled(self) -> Page:
        """Wait for a poll that starts after this call and is answered."""
        # The first one that ends may have started before.
        count = _answered(await self.page()) + 2
        return await self.wait_for(lambda page: page.is_up() and _answered(page) >= count)


def daemon_config(
    management: Management,
    *,
    name: str = "office",
    timeout: float = 10.0,
    password_file: Path | None = None,
    pass_through: PassThrough = PassThrough.AUTO,
) -> DaemonConfig:
    """Return the configuration of a daemon, by default with its password."""
    direction = "listen:" if management.management_client else ""
    return DaemonConfig(
        name=name,
        management=parse_endpoint(f"{direction}{management.address}"),
        password_file=password_file or management.password_file,
        timeout=timeout,
        pass_through=pass_through,
    )


@asynccontextmanager
async def scraping(
    *daemons: DaemonConfig,
    poll_interval: float = POLL_INTERVAL,
    refresh_on_scrape: bool = False,
    clients: ClientsConfig | None = None,
    expected_clients: tuple[str, ...] = (),
    port: int = 0,
) -> AsyncIterator[Scraper]:
    """Run an exporter of these daemons until the block ends."""
    config = Config(
        daemons=daemons,
        poll_interval=poll_interval,
        refresh_on_scrape=refresh_on_scrape,
        clients=clients or ClientsConfig(),
        expected_clients=expected_clients,
    )
    listen = [ListenAddress(LOOPBACK, port)]
    async with (
        run_app(config, listen=listen, telemetry_path=PATH) as served,
        scraping_url(served.urls[0]) as scraper,
    ):
        yield scraper


@asynccontextmanager
async def scraping_url(url: str) -> AsyncIterator[Scraper]:
    """Scrape any exporter, once it listens."""
    async with ClientSession() as session:
        scraper = Scraper(session, url)
        await eventually(scraper.try_page)
        yield scraper


def decreased(pages: Iterable[Page]) -> list[Series]:
    """Return the counters that ever decreased or disappeared.

    Pages before the first answered poll are skipped: until then the daemon's mode is unknown.
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
