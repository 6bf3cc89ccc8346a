"""An HTTP client that scrapes like Prometheus, over one persistent connection."""

import http.client
import re
import time
from types import TracebackType
from typing import Self

import msgspec

PATH = "/metrics"
_POLLS = "openvpn_exporter_polls_total"
_VALUE = re.compile(rb"^[a-z_]+(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
_PAUSE = 0.005
"""Seconds between two checks of a condition."""


class Scrape(msgspec.Struct, frozen=True):
    """A page, and the seconds from the request to its last byte."""

    body: bytes
    seconds: float


class Scraper:
    """Scrapes one base URL; the connection is opened at the first scrape."""

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._connection.close()

    def scrape(self, path: str = PATH, *, compressed: bool = False) -> Scrape:
        """Request a page.

        Raises:
            ConnectionError: the connection failed, or the status is not 200.
        """
        headers = {"Accept-Encoding": "gzip"} if compressed else {}
        started = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        response = self._connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        if response.status != http.client.OK:
            raise ConnectionError(f"GET {path}: HTTP status {response.status}")
        return Scrape(body, seconds)

    def wait_until_ready(self, *, deadline: float = 30.0) -> None:
        """Scrape until it succeeds; while the process starts, connections are refused."""
        until = time.monotonic() + deadline
        while True:
            try:
                self.scrape()
            except ConnectionRefusedError:
                self._connection.close()
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def total(self, name: str) -> float:
        """Return the sum of a metric over its series; only this family is requested."""
        body = self.scrape(f"{PATH}?name[]={name}").body
        return sum(float(value) for value in _VALUE.findall(body))

    def wait_for_poll(self, *, polls: float | None = None, deadline: float = 60.0) -> float:
        """Wait for a number of polls, by default for one more; return the number of polls."""
        wanted = self.total(_POLLS) + 1 if polls is None else polls
        until = time.monotonic() + deadline
        while (now := self.total(_POLLS)) < wanted:
            if time.monotonic() > until:
                raise TimeoutError(f"{now} polls instead of {wanted}")
            time.sleep(_PAUSE)
        return now
