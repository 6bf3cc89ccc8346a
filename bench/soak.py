"""`python -m bench.soak [--minutes N]`: one exporter under attack, observed for some minutes.

Some daemons are steady: simulated servers whose clients connect and disconnect. The others are
hostile: see `bench.hostile_daemons`, and the files of `bench.soak_load`. Meanwhile the
configuration is reloaded again and again, HTTP clients hang, and one client scrapes without a
pause. Before and after the attack the exporter monitors the steady daemons alone.

The program prints figures with their limits. The exit code is 1 if a limit is exceeded.
"""

import argparse
import contextlib
import gzip
import http.client
import os
import re
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.children import ObservedExporter, hostile_daemons, observed_exporter, simulated_daemons
from bench.hostile_daemons import ATTACKS
from bench.process import footprint, processor_wait
from bench.report import describe_machine, format_results, progress
from bench.result import MEBI, MILLI, Result, at_most
from bench.scraper import PATH, Scraper
from bench.soak_load import INTERVAL, Configuration, HangingClients, Reloads
from bench.trend import CounterCheck, Trend

_SERVERS = 3
_CLIENTS = 100
_SESSION = 20.0
"""Mean seconds of a client's session."""
_PAUSE = 0.2
_SECONDS_PER_RELOAD = 6.0
_SETTLE = 15.0
"""Seconds before the attack, and after it."""
_EXCEPTION = re.compile(rb" exception=|level=error msg=\"(?!reload failed|daemon skipped)")
_THREADS = re.compile(r"^Threads:\s+(\d+)", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+)", re.MULTILINE)

_LEAST_TREND = 45.0
"""Seconds of an attack; a shorter one shows no trend of memory."""
_BEFORE_SIGTERM = 3.0
_SHOWN = 20
"""Most lines shown of each kind of failure."""

PEAK_MEMORY = 768
"""MiB; the `MemoryMax` of the systemd unit."""

LONGEST_HOLD = 250
"""Milliseconds; one daemon may hold the event loop for 20, but here all attack at once."""

SLOWEST_SCRAPE = 10.0
LONGEST_GAP = 10.0
SLOWEST_RELOAD = 10.0
SLOWEST_STOP = 2.0
"""Seconds; for a scrape and a poll without those that the exporter waited for a processor, which
it shares with the hostile daemons and with the rest of the machine."""


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity that must not grow, in the unit of its name.

    `remains` limits how much more of it there is after the attack than before, `growth` how far its
    minimum rises from the middle third of the attack to the last.
    """

    name: str
    remains: float
    growth: float | None = None


QUANTITIES = (
    Quantity(name="blocks of Python's objects, thousands", remains=20),
    Quantity(name="private memory, MiB", remains=256, growth=64),
    Quantity(name="resident memory, MiB", remains=256, growth=64),
    Quantity(name="descriptors", remains=2),
    Quantity(name="threads", remains=2),
    Quantity(name="asyncio tasks", remains=4),
)


class Soak:
    """The observations of one exporter."""

    def __init__(self, exporter: ObservedExporter, steady: Sequence[str]) -> None:
        self.exporter = exporter
        self._steady = steady
        self._scraper = Scraper(exporter.url)
        self.trends = {quantity.name: Trend() for quantity in QUANTITIES}
        self.counters = CounterCheck()
        self._scraped_at = 0.0
        self.scrapes = 0
        self.failed_scrapes: list[str] = []
        self.slowest_scrape = 0.0
        self.longest_hold = 0.0
        self.longest_gap = 0.0
        self.peak = 0.0
        self._polled: dict[str, tuple[float, float]] = {}

    def sample(self, *, collect: bool = False) -> Sequence[float]:
        """Return the quantities now, after a garbage collection if `collect`."""
        pid = self.exporter.pid
        memory, inside = footprint(pid), self.exporter.observe(collect=collect)
        self.longest_hold = max(self.longest_hold, inside.hold)
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        self.peak = _number(_PEAK, status) / 1024
        return (
            inside.blocks / 1000,
            memory.private_dirty / MEBI,
            memory.resident / MEBI,
            len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 -- names suffice
            _number(_THREADS, status),
            inside.tasks,
        )

    def settle(self, seconds: float) -> Sequence[float]:
        """Scrape for so many seconds; return the least of each quantity in the second half."""
        started_at = time.monotonic()
        samples: list[Sequence[float]] = []
        while (elapsed := time.monotonic() - started_at) < seconds or not samples:
            self.scrape()
            if elapsed >= seconds / 2:
                samples.append(self.sample(collect=True))
            time.sleep(_PAUSE)
        return tuple(map(min, zip(*samples, strict=True)))

    def attack(self, seconds: float, hanging: HangingClients) -> None:
        """Scrape, and sample the quantities, for so many seconds."""
        started_at = time.monotonic()
        self.longest_hold = 0.0
        while (elapsed := time.monotonic() - started_at) < seconds:
            self.scrape()
            hanging.add()
            for trend, value in zip(self.trends.values(), self.sample(), strict=True):
                trend.add(elapsed, value)
            time.sleep(_PAUSE)

    def scrape(self) -> None:
        """Scrape once, every other time compressed, and compare the counters."""
        self.scrapes += 1
        compressed = bool(self.scrapes % 2)
        waited = processor_wait(self.exporter.pid)
        try:
            scrape = self._scraper.scrape(PATH, compressed=compressed)
        except (OSError, http.client.HTTPException) as error:
            self.failed_scrapes.append(repr(error))
            self._scraper = Scraper(self.exporter.url)
            return
        before, self._scraped_at = self._scraped_at, time.monotonic()
        polls_missed = self._scraped_at - before >= INTERVAL
        waited = processor_wait(self.exporter.pid) - waited
        self.slowest_scrape = max(self.slowest_scrape, scrape.seconds - waited)
        body = gzip.decompress(scrape.body) if compressed else scrape.body
        self.counters.check(body, polls_missed=polls_missed)
        self._check_polls(body)

    def _check_polls(self, body: bytes) -> None:
        """Record how long no successful poll of a steady daemon was seen."""
        now = time.monotonic() - processor_wait(self.exporter.pid)
        for name in self._steady:
            up = f'openvpn_up{{daemon="{name}"}} 1\n'.encode() in body
            polls = self.counters.value("openvpn_exporter_polls_total", name) if up else -1.0
            before, since = self._polled.get(name, (polls, now))
            if polls > before or name not in self._polled:
                self._polled[name] = (polls, now)
            self.longest_gap = max(self.longest_gap, now - since)


def _number(pattern: re.Pattern[str], text: str) -> float:
    match = pattern.search(text)
    return float(match[1]) if match else 0.0


def main() -> None:
    """Attack an exporter and print what it takes."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the attack (10)")
    parser.add_argument("--settle", type=float, default=_SETTLE, help=argparse.SUPPRESS)
    parser.add_argument(
        "--attack",
        action="append",
        choices=tuple(ATTACKS),
        dest="attacks",
        help="only this kind of hostile daemon; may be given several times",
    )
    arguments = parser.parse_args()
    machine = describe_machine()
    results = soak(
        60 * arguments.minutes, settle=arguments.settle, attacks=arguments.attacks or ATTACKS
    )
    print(f"{machine}\n\n{format_results(results)}")
    sys.exit(any(result.limit is not None and not result.limit.met for result in results))


def soak(
    seconds: float, *, settle: float, attacks: Collection[str] = tuple(ATTACKS)
) -> Sequence[Result]:
    """Attack an exporter for so many seconds; `settle` is the time before and after that."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        steady = stack.enter_context(
            simulated_daemons(servers=_SERVERS, clients=_CLIENTS, session=_SESSION)
        )
        hostile = stack.enter_context(hostile_daemons())
        chosen = {kind: hostile[kind] for kind in attacks}
        configuration = Configuration(directory, steady, chosen)
        configuration.write_steady()
        flags = ("--config.file", str(configuration.path), "--web.listen-address", "127.0.0.1:0")
        log = directory / "log"
        exporter = stack.enter_context(observed_exporter(flags, log))
        reloads = Reloads(exporter.url, configuration, exporter.reload)
        observed = Soak(exporter, configuration.steady)
        before, after = _attack(observed, reloads, seconds=seconds, settle=settle)
        stopping = _stop_during_attack(exporter, reloads)
        return (
            *_growth(observed, before, after),
            *_service(observed, stopping),
            *_reloads(reloads),
            *_log(log.read_bytes(), seconds),
        )


def _attack(
    soak: Soak, reloads: Reloads, *, seconds: float, settle: float
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the quantities before and after the attack."""
    hanging = HangingClients(soak.exporter.url)
    progress("the steady daemons alone")
    before = soak.settle(settle)
    progress(f"attack for {seconds:.0f} s")
    reloads.start_attack()
    with reloads.running(min(_SECONDS_PER_RELOAD, seconds / 4)):
        soak.attack(seconds, hanging)
    hanging.close()
    progress("the steady daemons alone")
    reloads.reload_steady()
    return before, soak.settle(settle)


def _stop_during_attack(exporter: ObservedExporter, reloads: Reloads) -> float:
    """Return the seconds from SIGTERM to the end of the process."""
    progress("SIGTERM during an attack")
    reloads.start_attack()
    time.sleep(_BEFORE_SIGTERM)
    return exporter.stop()


def _growth(soak: Soak, before: Sequence[float], after: Sequence[float]) -> Iterator[Result]:
    rows = zip(QUANTITIES, soak.trends.values(), before, after, strict=True)
    for quantity, trend, first, last in rows:
        yield Result(
            name=f"{quantity.name}: slope a minute",
            measured=f"{trend.slope:+.2f}",
            reference=f"from {first:.0f}, at most {trend.peak:.0f}",
        )
        if quantity.growth is not None and trend.seconds >= _LEAST_TREND:
            yield Result(
                name=f"{quantity.name}: growth within the attack",
                measured=f"{trend.growth:+.1f}",
                limit=at_most(trend.growth, quantity.growth, ""),
            )
        yield Result(
            name=f"{quantity.name}: more after the attack than before",
            measured=f"{last - first:+.1f}",
            reference=f"{first:.0f} to {last:.0f}",
            limit=at_most(last - first, quantity.remains, ""),
        )
    yield Result(
        name="peak of resident memory",
        measured=f"{soak.peak:.0f} MiB",
        limit=at_most(soak.peak, PEAK_MEMORY, "MiB"),
    )


def _service(soak: Soak, stopping: float) -> Iterator[Result]:
    for fall in soak.counters.fallen[:_SHOWN]:
        progress(f"fell: {fall}")
    yield _count("counters that fell", len(soak.counters.fallen))
    for failure in soak.failed_scrapes[:_SHOWN]:
        progress(f"scrape failed: {failure}")
    yield _count("failed scrapes", len(soak.failed_scrapes), f"of {soak.scrapes}")
    yield _seconds(
        "slowest scrape, without the wait for a processor", soak.slowest_scrape, SLOWEST_SCRAPE
    )
    yield _seconds(
        f"longest time without a poll of a steady daemon, likewise, interval {INTERVAL:g} s",
        soak.longest_gap,
        LONGEST_GAP,
    )
    yield Result(
        name="longest hold of the event loop, CPU time",
        measured=f"{soak.longest_hold * MILLI:.0f} ms",
        limit=at_most(soak.longest_hold * MILLI, LONGEST_HOLD, "ms"),
    )
    yield _seconds("SIGTERM during an attack to the end", stopping, SLOWEST_STOP)


def _reloads(reloads: Reloads) -> Iterator[Result]:
    for answer in reloads.unexpected[:_SHOWN]:
        progress(answer)
    yield _count("reloads answered wrongly", len(reloads.unexpected), f"of {reloads.responses}")
    yield _seconds("slowest reload", reloads.slowest, SLOWEST_RELOAD)


def _log(log: bytes, seconds: float) -> Iterator[Result]:
    lines = log.splitlines()
    exceptions = [line for line in lines if _EXCEPTION.search(line)]
    for line in exceptions[:_SHOWN]:
        progress(line.decode())
    yield _count("exceptions and errors in the log", len(exceptions), f"of {len(lines)} lines")
    yield Result(name="log lines a minute", measured=f"{60 * len(lines) / seconds:.0f}")


def _count(name: str, count: int, reference: str = "") -> Result:
    return Result(name=name, measured=str(count), reference=reference, limit=at_most(count, 0, ""))


def _seconds(name: str, seconds: float, limit: float) -> Result:
    return Result(name=name, measured=f"{seconds:.2f} s", limit=at_most(seconds, limit, "s"))


if __name__ == "__main__":
    main()
