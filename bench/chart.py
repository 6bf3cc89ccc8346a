"""Charts with logarithmic axes, side by side in one SVG image."""

import math
from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as Xml

import msgspec

_PANEL, _GAP = (300, 220), 90
_TOP, _LEFT, _BOTTOM, _RIGHT = 60, 60, 50, 35
_COLORS = ("#d97706", "#2563eb", "#6b7280")
_STYLE = """
text { font: 12px sans-serif; fill: #24292f }
.title { font-weight: bold }
.end { text-anchor: end }
.middle { text-anchor: middle }
.grid { stroke: #d0d7de }
rect { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .grid { stroke: #30363d } rect { fill: #0d1117 }
}
"""
_TICK_LENGTH = 4

_Point = tuple[float, float]


class Chart(msgspec.Struct, frozen=True):
    """Series of points (x, y), all above 0, by their name; units are in the titles."""

    title: str
    x_title: str
    series: Mapping[str, Sequence[_Point]]


class _Axis:
    """Positions on one axis, of whole decades."""

    def __init__(self, values: Sequence[float], start: float, length: float) -> None:
        self._first = math.floor(math.log10(min(values)))
        self._last = max(math.ceil(math.log10(max(values))), self._first + 1)
        self._start, self._length = start, length

    def position(self, value: float) -> float:
        part = (math.log10(value) - self._first) / (self._last - self._first)
        return round(self._start + part * self._length, 1)

    def decades(self) -> Iterator[tuple[float, str]]:
        """Yield the position and the text of each power of ten."""
        for exponent in range(self._first, self._last + 1):
            yield self.position(10.0**exponent), f"{10.0**exponent:,g}"


def render(charts: Sequence[Chart], description: str) -> str:
    """Return an SVG image of the charts; `description` is its text for those who do not see it."""
    width = _LEFT + len(charts) * _PANEL[0] + (len(charts) - 1) * _GAP + _RIGHT
    height = _TOP + _PANEL[1] + _BOTTOM
    size = {"width": f"{width}", "height": f"{height}", "viewBox": f"0 0 {width} {height}"}
    image = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **size})
    Xml.SubElement(image, "title").text = description
    Xml.SubElement(image, "style").text = _STYLE
    Xml.SubElement(image, "rect", {"width": "100%", "height": "100%"})
    for number, chart in enumerate(charts):
        _draw(image, chart, _LEFT + number * (_PANEL[0] + _GAP))
    Xml.indent(image)
    return Xml.tostring(image, encoding="unicode") + "\n"


def _draw(image: Xml.Element, chart: Chart, left: float) -> None:
    points = [point for series in chart.series.values() for point in series]
    x_axis = _Axis([x for x, _ in points], left, _PANEL[0])
    y_axis = _Axis([y for _, y in points], _TOP + _PANEL[1], -_PANEL[1])
    right, bottom = left + _PANEL[0], _TOP + _PANEL[1]
    for y, text in y_axis.decades():
        _line(image, "grid", [(left, y), (right, y)])
        _text(image, text, (left - 8, y + _TICK_LENGTH), kind="end")
    for x, text in x_axis.decades():
        _line(image, "grid", [(x, _TOP), (x, bottom)])
        _text(image, text, (x, bottom + 18), kind="middle")
    _text(image, chart.title, (left, 20), kind="title")
    _text(image, chart.x_title, (left + _PANEL[0] / 2, bottom + 38), kind="middle")
    legend = left
    for color, (name, series) in zip(_COLORS, chart.series.items(), strict=False):
        positions = [(x_axis.position(x), y_axis.position(y)) for x, y in series]
        _line(image, "", positions, stroke=color, width=2)
        _line(image, "", [(legend, 38), (legend + 16, 38)], stroke=color, width=2)
        _text(image, name, (legend + 20, 42))
        legend += 34 + 6 * len(name)


def _line(
    image: Xml.Element, kind: str, points: Sequence[_Point], *, stroke: str = "", width: int = 1
) -> None:
    attributes = {"points": " ".join(f"{x:g},{y:g}" for x, y in points), "fill": "none"}
    drawn = {"class": kind} if kind else {"stroke": stroke}
    Xml.SubElement(image, "polyline", {**attributes, **drawn, "stroke-width": f"{width}"})


def _text(image: Xml.Element, text: str, position: _Point, *, kind: str = "") -> None:
    x, y = position
    attributes = {"class": kind} if kind else {}
    Xml.SubElement(image, "text", {**attributes, "x": f"{x:g}", "y": f"{y:g}"}).text = text
