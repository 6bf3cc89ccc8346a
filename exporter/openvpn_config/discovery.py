"""Patterns of file names as deployments with names."""

import collections
import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from exporter.management.values import clean
from exporter.openvpn_config import model
from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.checks import check
from exporter.openvpn_config.errors import Location, OpenVpnConfigError, UnreadableFile, printable
from exporter.openvpn_config.findings import Finding, Kind
from exporter.openvpn_config.model import OpenVpnConfig

MAX_FILES = 10_000
"""Files that all patterns together may name."""

NAME_LIMIT = 64
"""Characters of a name, as for every daemon."""


class Discovered(msgspec.Struct, frozen=True):
    """One configuration of OpenVPN, named; without a deployment it can't be used.

    `expected_clients` are those of its `client-config-dir`, if they are asked for.
    """

    name: str
    file: Path
    deployment: OpenVpnConfig | None
    findings: tuple[Finding, ...]
    expected_clients: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether it can't be watched without the operator's word."""
        return any(finding.blocks for finding in self.findings)


class Discovery(msgspec.Struct, frozen=True):
    """All configurations that were found, in order, and what concerns none in particular."""

    found: tuple[Discovered, ...] = ()
    findings: tuple[Finding, ...] = ()


def discover(
    patterns: Sequence[str], directory: Path, *, user: str | None = None, clients: bool = False
) -> Discovery:
    """Read every file that matches a pattern; relative patterns start at `directory`.

    A file that another one includes is no daemon of its own. `user` is whom we run as; `clients`
    asks for the clients of each `client-config-dir`.
    """
    files, findings = _files(patterns, directory)
    read = {file: _read(file) for file in files}
    included = {
        os.path.realpath(part)
        for result in read.values()
        if isinstance(result, OpenVpnConfig)
        for part in result.files[1:]
    }
    daemons = [file for file in files if os.path.realpath(file) not in included]
    names = _names(daemons)
    found = _without_shared_files(
        Discovered(names[file], file, *_judged(read[file], name=names[file], user=user))
        for file in daemons
    )
    return Discovery(
        tuple(map(_with_clients, found) if clients else found), (*findings, *_renamed(names))
    )


def _files(patterns: Sequence[str], directory: Path) -> tuple[list[Path], list[Finding]]:
    """Return each file once, under the first name that a pattern gives it."""
    files: dict[str, Path] = {}
    findings = []
    for pattern in patterns:
        matches = sorted(glob.glob(str(directory / pattern)))  # noqa: PTH207 - takes absolute ones
        if not matches:
            findings.append(_no_file(pattern))
        for match in matches:
            files.setdefault(os.path.realpath(match), Path(match))
    if len(files) > MAX_FILES:
        text = f"{len(files)} files match, {MAX_FILES} are read: narrow the patterns"
        findings.append(Finding(kind=Kind.TOO_MANY_FILES, place="discover", text=text))
    return list(files.values())[:MAX_FILES], findings


def _no_file(pattern: str) -> Finding:
    text = "no file matches, or a directory on the way can't be searched by this user"
    return Finding(kind=Kind.NO_MATCH, place=printable(pattern), text=text)


def _read(file: Path) -> OpenVpnConfig | OpenVpnConfigError:
    try:
        return model.read(file)
    except OpenVpnConfigError as error:
        return error


def _judged(
    result: OpenVpnConfig | OpenVpnConfigError, *, name: str, user: str | None
) -> tuple[OpenVpnConfig | None, tuple[Finding, ...]]:
    if isinstance(result, OpenVpnConfig):
        return result, check(result, name=name, user=user)
    finding = Finding(
        kind=Kind.UNREADABLE if isinstance(result, UnreadableFile) else Kind.SYNTAX_ERROR,
        place=result.place,
        text=result.text,
        blocks=True,
        settled_by="management",
    )
    return None, (finding,)


def _without_shared_files(found: Iterable[Discovered]) -> Iterator[Discovered]:
    """Take the status file from those that share one: whose status it is can't be told."""
    found = tuple(found)
    writers = collections.Counter(_status_file(discovered.deployment) for discovered in found)
    for discovered in found:
        shared = writers[_status_file(discovered.deployment)] > 1
        yield _without_status_file(discovered) if shared else discovered


def _status_file(deployment: OpenVpnConfig | None) -> str | None:
    file = deployment.status_file if deployment else None
    return os.path.realpath(file) if file else None


def _without_status_file(discovered: Discovered) -> Discovered:
    if discovered.deployment is None or discovered.deployment.status_file is None:
        return discovered
    finding = Finding(
        kind=Kind.SHARED_STATUS_FILE,
        place=Location(discovered.file),
        text=f"another daemon writes to {printable(discovered.deployment.status_file)}, too, so "
        "it is not read: give each a status file of its own",
        settled_by="status_file",
    )
    return msgspec.structs.replace(
        discovered,
        deployment=msgspec.structs.replace(discovered.deployment, status_file=None),
        findings=(*discovered.findings, finding),
    )


def _with_clients(discovered: Discovered) -> Discovered:
    if discovered.deployment is None or discovered.deployment.client_config_dir is None:
        return discovered
    try:
        clients = expected_clients(discovered.deployment.client_config_dir)
    except UnreadableFile as error:
        finding = Finding(
            kind=Kind.CLIENT_CONFIG_DIR,
            place=error.place,
            text=f"{error.text}, so no client is expected: let this user read it, or list "
            "`expected_clients`",
            settled_by="expected_clients",
        )
        return msgspec.structs.replace(discovered, findings=(*discovered.findings, finding))
    return msgspec.structs.replace(discovered, expected_clients=clients)


def _names(files: Iterable[Path]) -> dict[Path, str]:
    """Name each file, all by one rule: `office`; if several are called so, `server/office`.

    Where that doesn't tell them apart either, by the whole path. So no name depends on the order.
    """
    names = {file: _clean(file.stem) for file in files}
    for longer in (lambda file: f"{file.parent.name}/{file.stem}", str):
        shared = collections.Counter(names.values())
        names |= {file: _clean(longer(file)) for file, name in names.items() if shared[name] > 1}
    return names


def _clean(text: str) -> str:
    return clean(text.strip(), NAME_LIMIT).strip() or "unnamed"


def _renamed(names: dict[Path, str]) -> list[Finding]:
    return [
        Finding(
            kind=Kind.DUPLICATE_NAME,
            place=Location(file),
            text=f"another file is called {printable(file.stem)}, too: "
            f"this daemon's name is {name}",
        )
        for file, name in names.items()
        if "/" in name
    ]
