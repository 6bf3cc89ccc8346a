"""The keys of `pki`: where the certificates that a CA has issued are listed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from exporter.config.errors import Problem
from exporter.config.keys import KeySpec
from exporter.config.types import Boolean, CertificateFile, FilePath, Section

EXPIRY_WINDOWS = ("1d", "7d", "14d", "30d", "60d", "90d")
"""The times within which certificates that expire are counted."""


class PkiConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The certificates that a CA has issued to the clients of a daemon."""

    index: Annotated[
        Path | None,
        KeySpec(
            FilePath(),
            "The CA's index of issued certificates, `index.txt` of easy-rsa or `openssl ca`, "
            "relative to the configuration file.",
            alternative="directory",
        ),
    ] = None
    directory: Annotated[
        Path | None,
        KeySpec(
            CertificateFile(),
            "For a CA without an index, the directory of its certificates (`*.crt`, `*.pem`, "
            "`*.cer`); those in the daemon's `crl_verify` are revoked. Needs the extra "
            "`certificates`.",
        ),
    ] = None
    series: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "A series of each name with the expiry of its certificate, `clients.limit` at most.",
        ),
    ] = False


GeneralPki = Annotated[
    PkiConfig | None,
    KeySpec(
        Section(PkiConfig),
        "The certificates that the CA has issued to clients, for all daemons: counts, expiry, and "
        "clients with a revoked or expired one; see [client certificates](client-certificates.md).",
    ),
]

DaemonPki = Annotated[
    PkiConfig | None,
    KeySpec(
        Section(PkiConfig),
        "The certificates issued to the clients of this daemon; default: the `pki` of the top "
        "level.",
    ),
]


def check_pki(sections: Iterator[tuple[str, PkiConfig | None]]) -> Iterator[Problem]:
    """Yield the problem of each section, given with its path, that has both an index and files."""
    for path, section in sections:
        if section is not None and section.index is not None and section.directory is not None:
            text = "is not needed with an index: remove one of the two"
            yield Problem(key=f"{path}.directory", text=text)
