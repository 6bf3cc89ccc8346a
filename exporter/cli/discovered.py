"""What was noticed among OpenVPN's own configurations, for people at a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from exporter.openvpn_config import Finding


def format_findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a line for each finding, below a heading: skipped daemons first, then warnings."""
    yield from _section("Skipped daemons:", (finding for finding in findings if finding.blocks))
    yield from _section("Warnings:", (finding for finding in findings if not finding.blocks))


def _section(heading: str, findings: Iterable[Finding]) -> Iterator[str]:
    lines = [f"  {finding.daemon or 'discover'}: {finding}" for finding in findings]
    if lines:
        yield from (heading, *lines, "")
