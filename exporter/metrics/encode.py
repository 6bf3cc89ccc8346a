"""Samples as lines of text, the same in both formats: the hot path of the page.

Of ten thousand clients there are sixty thousand lines after each poll, so no line has a call of
its own where one for all of them does. What hardly ever changes, the description of a session in
ten labels, is written once and kept.
"""

import functools
from collections.abc import Generator, Hashable, Iterable, Iterator, Sequence

from exporter.metrics.family import InfoSource, Kind, Metric, Sample

_CHUNK_SIZE = 2000
"""Samples that are rendered at once: one or two milliseconds, five of descriptions that are new."""

_PART = 500
"""Lines of descriptions that are joined, once a poll: a part is sent as it is, without a copy."""


def render(metric: Metric, daemon: str, samples: Iterable[Sample]) -> bytes:
    """Return the sample lines of one daemon in a family."""
    daemon = escape(daemon)
    if metric.kind is Kind.HISTOGRAM:
        lines = list(_histogram_lines(metric, daemon, samples))
    elif not metric.labels:
        start = f'{metric.name}{{daemon="{daemon}"}}'
        lines = [f"{start} {_number(value)}\n" for _, value in samples]
    else:
        write = Labels(metric, daemon).write
        lines = [f"{write(labels)} {_number(value)}\n" for labels, value in samples]
    return "".join(lines).encode()


def render_chunks(
    metric: Metric, daemon: str, samples: Sequence[Sample]
) -> Generator[None, None, list[bytes]]:
    """Return the sample lines of one daemon in a large family, in parts; pauses after full ones."""
    parts: list[bytes] = []
    for start in range(0, len(samples), _CHUNK_SIZE):
        parts.append(render(metric, daemon, samples[start : start + _CHUNK_SIZE]))
        if start + _CHUNK_SIZE <= len(samples):
            yield
    return parts


def render_column(
    metric: Metric, daemon: str, *, names: Sequence[str], values: Sequence[float | None]
) -> Generator[None, None, list[bytes]]:
    """Return the lines of many samples with one label, in parts; pauses after full slices.

    The names are escaped already; one whose value is None has no line.
    """
    start = f'{metric.name}{{daemon="{escape(daemon)}",{metric.labels[0]}="'
    parts: list[bytes] = []
    for at in range(0, len(names), _CHUNK_SIZE):
        pairs = zip(names[at : at + _CHUNK_SIZE], values[at : at + _CHUNK_SIZE], strict=True)
        lines = [
            # Nearly all of these are whole numbers, and a call for each would show.
            f'{start}{name}"}} {value if type(value) is int else _number(value)}\n'
            for name, value in pairs
            if value is not None
        ]
        parts.append("".join(lines).encode())
        if at + _CHUNK_SIZE <= len(names):
            yield
    return parts


class InfoLines:
    """The lines of an info family that has one for each of many things, of one daemon.

    A line is made from facts, and kept as long as they stay what they are.
    """

    def __init__(self, metric: Metric, daemon: str, description: InfoSource) -> None:
        """Begin with nothing described."""
        self._labels = Labels(metric, escape(daemon))
        self._description = description
        self._lines: dict[Hashable, bytes] = {}

    def render_chunks(self, keys: Sequence[Hashable]) -> Generator[None, None, list[bytes]]:
        """Return the lines for these facts; pauses after each full slice of them.

        Different facts may have equal labels, and a line comes once.
        """
        known, lines = self._lines, dict[Hashable, bytes]()
        for start in range(0, len(keys), _CHUNK_SIZE):
            for fact in keys[start : start + _CHUNK_SIZE]:
                lines[fact] = known.get(fact) or self._line(fact)
            if start + _CHUNK_SIZE <= len(keys):
                yield
        self._lines = lines
        unique = list(dict.fromkeys(lines.values()))
        return [b"".join(unique[at : at + _PART]) for at in range(0, len(unique), _PART)]

    def _line(self, fact: Hashable) -> bytes:
        return f"{self._labels.write(self._description.labels(fact))} 1\n".encode()


class Labels:
    """Writes a metric's name and labels; an empty label is the same as none."""

    def __init__(self, metric: Metric, daemon: str) -> None:
        """Write for one metric and daemon, whose name is escaped already."""
        self._start = f'{metric.name}{{daemon="{daemon}"'
        self._names = metric.labels
        self._formats: dict[tuple[bool, ...], str] = {}

    def write(self, values: tuple[str, ...]) -> str:
        """Return all that stands before the value."""
        if _is_special("".join(values)):
            values = tuple(map(escape, values))
        used = tuple(map(bool, values))
        form = self._formats.get(used) or self._format(used)
        return form % values

    def _format(self, used: tuple[bool, ...]) -> str:
        labels = (
            f',{name}="%s"' if is_used else "%.0s"
            for name, is_used in zip(self._names, used, strict=True)
        )
        form = f"{self._start.replace('%', '%%')}{''.join(labels)}}}"
        self._formats[used] = form
        return form


def _histogram_lines(metric: Metric, daemon: str, samples: Iterable[Sample]) -> Iterator[str]:
    for (suffix, bound), value in samples:
        limit = f',le="{bound}"' if bound else ""
        yield f'{metric.name}{suffix}{{daemon="{daemon}"{limit}}} {_number(value)}\n'


def _is_special(text: str) -> bool:
    return "\\" in text or '"' in text or "\n" in text


def escape_all(values: Sequence[str]) -> Sequence[str]:
    """Escape label values, nearly none of which need it."""
    return list(map(escape, values)) if _is_special("".join(values)) else values


def escape(value: str) -> str:
    """Escape a label value, by the rules that both formats share."""
    if _is_special(value):
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def _number(value: float) -> str:
    return f"{value:d}" if isinstance(value, int) else _decimal(value)


@functools.lru_cache(maxsize=64)
def _decimal(value: float) -> str:
    # The moment of a poll is the value of ten thousand samples.
    return repr(value)
