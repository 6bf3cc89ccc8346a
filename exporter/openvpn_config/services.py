"""Service names as ports, from the file that the C library reads, too."""

from pathlib import Path

from exporter.files import read_regular

SERVICES = Path("/etc/services")

MAX_BYTES = 1 << 20
"""Most bytes of the file; usually it has some kilobytes."""


def tcp_port(name: str) -> int | None:
    """Return the TCP port of a service, None if it is unknown; blocks."""
    try:
        content = read_regular(SERVICES, MAX_BYTES).decode(errors="replace")
    except OSError:
        return None
    for line in content.splitlines():
        service, *words = line.partition("#")[0].split() or [""]
        port, _, protocol = (words or [""])[0].partition("/")
        if protocol == "tcp" and name in {service, *words[1:]} and port.isdecimal():
            return int(port)
    return None
