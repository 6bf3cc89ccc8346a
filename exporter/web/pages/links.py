"""The URLs of the exporter that belong to a daemon; a name may contain anything.

`root` is the relative path from the page to the root of the exporter.
"""

from urllib.parse import quote


def daemon_url(name: str, *, root: str) -> str:
    """Return the URL of a daemon's page."""
    return f"{root}daemons/{quote(name, safe='')}"


def json_url(name: str, *, root: str) -> str:
    """Return the URL of a daemon as JSON."""
    return f"{root}api/v1/daemons/{quote(name, safe='')}"


def probe_url(name: str, *, root: str, debug: bool = False) -> str:
    """Return the URL of a daemon's metrics, or with `debug` of its last commands and replies."""
    return f"{root}probe?target={quote(name, safe='')}{'&debug=true' if debug else ''}"


def troubleshooting_url(reason: str, *, root: str) -> str:
    """Return the URL of the documentation of a `DownReason`."""
    return f"{root}docs/troubleshooting#{reason}"
