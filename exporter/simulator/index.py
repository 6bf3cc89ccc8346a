"""The index of the demo's CA, `index.txt`, as `openssl ca` writes it: one certificate a name."""

import re
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from exporter.simulator.daemon.env_block import certificate_serial

_DAY = 86_400
_FIRST_DAYS, _STEP, _SPREAD = 40, 37, 690
"""Days until the certificates expire: spread over nearly two years, from 40 on."""

_SPECIAL = re.compile(rb"[^ -~]|[/+]")


def write_index(
    path: Path,
    names: Iterable[str],
    now: float,
    *,
    days: Mapping[str, int],
    revoked: Collection[str] = (),
) -> Path:
    """Write the index of these names.

    `days` has the days until the certificates of some of them expire, `revoked` names those whose
    certificate is revoked.
    """
    lines = []
    for number, name in enumerate(sorted({*names})):
        left = days.get(name, _FIRST_DAYS + number * _STEP % _SPREAD)
        status, revocation = ("R", _date(now - _DAY)) if name in revoked else ("V", "")
        serial = f"{certificate_serial(name):X}"
        fields = (status, _date(now + left * _DAY), revocation, serial, "unknown", _subject(name))
        lines.append("\t".join(fields) + "\n")
    path.write_text("".join(lines), encoding="ascii")
    return path


def _date(moment: float) -> str:
    return time.strftime("%y%m%d%H%M%SZ", time.gmtime(moment))


def _subject(name: str) -> str:
    """Return the subject as X509_NAME_oneline prints it since OpenSSL 3."""
    return "/CN=" + _SPECIAL.sub(_escape, name.encode()).decode("ascii")


def _escape(match: re.Match[bytes]) -> bytes:
    char = match[0]
    return b"\\" + char if char in b"/+" else b"\\x%02X" % ord(char)
