"""The charts of the documentation."""

from xml.etree import ElementTree as Xml

from bench.chart import Chart, render

_SVG = "{http://www.w3.org/2000/svg}"


def _image(*charts: Chart) -> Xml.Element:
    return Xml.fromstring(render(charts, "cost & growth"))  # noqa: S314 -- made here


def _series(image: Xml.Element) -> list[list[list[float]]]:
    lines = [line for line in image.iter(f"{_SVG}polyline") if "stroke" in line.attrib]
    drawn = lines[::2]  # each is followed by its sample in the legend
    return [
        [[float(part) for part in point.split(",")] for point in line.attrib["points"].split()]
        for line in drawn
    ]


def test_decades_are_equally_far_apart() -> None:
    chart = Chart("cost", "clients", {"poll": [(10, 1), (100, 10), (1000, 100)]})
    ((first, second, third),) = _series(_image(chart))
    assert second[0] - first[0] == third[0] - second[0] > 0
    assert second[1] - first[1] == third[1] - second[1] < 0


def test_charts_stand_side_by_side() -> None:
    charts = [Chart(title, "clients", {"a": [(10, 1), (100, 10)]}) for title in ("time", "memory")]
    left, right = _series(_image(*charts))
    assert right[0][0] > left[-1][0]
    assert right[0][1] == left[0][1]


def test_axes_end_with_whole_decades() -> None:
    texts = [text.text for text in _image(Chart("t", "x", {"a": [(20, 3), (5000, 40)]})).iter()]
    assert {"10", "100", "1,000", "10,000", "1"} <= set(texts)


def test_the_image_describes_itself() -> None:
    image = _image(Chart("t", "x", {"a": [(1, 1), (10, 10)]}))
    assert image.findtext(f"{_SVG}title") == "cost & growth"
