"""What was noticed among OpenVPN's own configurations, for people at a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from exporter.openvpn_config import Finding


def format_findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Give a line for each finding below a heading: first what keeps daemons from being watched."""
    yield from _section("Not watched:", (finding for finding in findings if finding.blocks))
    yield from _section("Look at these:", (finding for finding in findings if not finding.blocks))


def _section(heading: str, findings: Iterable[Finding]) -> Iterator[str]:
    lines = [f"  {finding.daemon or 'discover'}: {finding}" for finding in findings]
    if lines:
        yield from (heading, *lines, "")
