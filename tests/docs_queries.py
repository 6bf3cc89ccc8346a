"""The PromQL queries of the documentation."""

import re
from pathlib import Path

from exporter.metrics import catalogue

ROOT = Path(__file__).parent.parent
METRICS = {metric.name for metric in catalogue.METRICS}
RECORDED = re.compile(r"\w+:openvpn_\w+:\w+")
"""The name of a series that rules record."""

GENERATED = {"metrics.md", "configuration.md"}
"""Pages with names of metrics, and no queries."""


def docs_queries() -> dict[str, str]:
    """Return each query by its page and text: code with a metric of this exporter or its rules."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {
        f"{page.name}: {query}": query
        for page in pages
        if page.name not in GENERATED
        for query in _code(page)
        if METRICS & set(re.findall(r"\w+", query)) or RECORDED.search(query)
    }


def _code(page: Path) -> list[str]:
    """Return the code of a page: its spans and indented blocks, each on one line."""
    text = page.read_text(encoding="utf-8")
    if page.name == "migration.md":  # the first column has the metrics of other exporters
        text = re.sub(r"^\| .+? \| (?=.*\|$)", "| ", text, flags=re.MULTILINE)
    blocks = re.findall(r"(?:^ {4,}(?![-*|]).+\n)+", text, re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", text)
    return [" ".join(one.replace("\\|", "|").split()) for one in (*spans, *blocks)]
