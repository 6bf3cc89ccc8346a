"""Trends of samples over time, and counters that fall between two scrapes."""

from collections.abc import Mapping, Sequence

_WINDOWS = 12
_THIRD = _WINDOWS // 3
_MINUTE = 60.0
_CUMULATIVE = (b" counter", b" histogram", b" summary")


class Trend:
    """Samples of one quantity, with their times in seconds.

    What a process keeps is the minimum of a window of time: what it uses for a moment comes on top.
    """

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []

    def add(self, at: float, value: float) -> None:
        """Record a value; times increase."""
        self._samples.append((at, value))

    @property
    def seconds(self) -> float:
        """The time from the first sample to the last."""
        return self._samples[-1][0] - self._samples[0][0]

    @property
    def peak(self) -> float:
        """The largest value."""
        return max(value for _, value in self._samples)

    @property
    def slope(self) -> float:
        """The slope per minute of the minima, by least squares, without the first third."""
        points = self._minima()[_THIRD:]
        count = len(points)
        mean_at = sum(at for at, _ in points) / count
        mean = sum(value for _, value in points) / count
        spread = sum((at - mean_at) ** 2 for at, _ in points)
        product = sum((at - mean_at) * (value - mean) for at, value in points)
        return _MINUTE * product / spread if spread else 0.0

    @property
    def growth(self) -> float:
        """The minimum of the last third less that of the middle third."""
        minima = [value for _, value in self._minima()]
        middle, last = minima[_THIRD:-_THIRD], minima[-_THIRD:]
        return min(last) - min(middle or minima)

    def _minima(self) -> Sequence[tuple[float, float]]:
        size = max(1, len(self._samples) // _WINDOWS)
        windows = [
            self._samples[start : start + size] for start in range(0, len(self._samples), size)
        ]
        return [
            (sum(at for at, _ in window) / len(window), min(value for _, value in window))
            for window in windows
        ]


class CounterCheck:
    """Compares the counters of each scrape with those of the scrape before.

    A series that is missing in between may start again at 0.
    """

    def __init__(self) -> None:
        self._last: Mapping[bytes, float] = {}
        self.fallen: list[str] = []
        """Each fall: the series and both values."""

    def check(self, page: bytes, *, polls_missed: bool = False) -> None:
        """Compare the counters of one page, in Prometheus' text format.

        `polls_missed`: there was a poll since the last page that no page shows. In it a client may
        have been forgotten, that has come back.
        """
        counters = cumulative_series(page)
        for series, value in counters.items():
            before = self._last.get(series, value)
            if value < before and not (polls_missed and b"common_name=" in series):
                self.fallen.append(f"{series.decode()}: {before:g} to {value:g}")
        self._last = counters

    def value(self, name: str, daemon: str) -> float:
        """Return a counter of one daemon in the last page."""
        return self._last[f'{name}{{daemon="{daemon}"}}'.encode()]


def cumulative_series(page: bytes) -> Mapping[bytes, float]:
    """Return the series of counters, histograms and summaries with their values."""
    series: dict[bytes, float] = {}
    cumulative = False
    for line in page.split(b"\n"):
        if line.startswith(b"# TYPE "):
            cumulative = line.endswith(_CUMULATIVE)
        elif cumulative and line and not line.startswith(b"#"):
            name, _, value = line.rpartition(b" ")
            series[name] = float(value)
    return series
