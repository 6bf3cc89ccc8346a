"""Patterns of file names as named daemons."""

import collections
import glob
import os
import pwd
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from exporter.management.values import clean
from exporter.openvpn_config import model
from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.checks import Finding, Kind, check
from exporter.openvpn_config.errors import Location, OpenVpnConfigError, UnreadableFile, printable
from exporter.openvpn_config.model import OpenVpnConfig

MAX_FILES = 10_000
"""Most files of all patterns together."""

NAME_LIMIT = 64
"""Characters of a name, as for every daemon."""


class DiscoveredDaemon(msgspec.Struct, frozen=True):
    """One configuration file of OpenVPN, named; `config` is None if the file can't be used.

    `expected_clients` are those of its `client-config-dir`, if requested.
    """

    name: str
    file: Path
    config: OpenVpnConfig | None
    findings: tuple[Finding, ...]
    expected_clients: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether it can't be monitored without a key that the operator sets."""
        return any(finding.blocks for finding in self.findings)


class Discovery(msgspec.Struct, frozen=True):
    """All discovered daemons, in order, and the findings that belong to no single daemon."""

    daemons: tuple[DiscoveredDaemon, ...] = ()
    findings: tuple[Finding, ...] = ()


def discover(
    patterns: Sequence[str], directory: Path, *, user: str | None = None, clients: bool = False
) -> Discovery:
    """Read every file that matches a pattern; relative patterns start at `directory`.

    A file that another file includes is not a daemon. `user` is the exporter's user; `clients`
    requests the clients of each `client-config-dir`.
    """
    files, findings = _files(patterns, directory)
    results = {file: _read(file) for file in files}
    included = {
        os.path.realpath(part)
        for result in results.values()
        if isinstance(result, OpenVpnConfig)
        for part in result.files[1:]
    }
    daemon_files = [file for file in files if os.path.realpath(file) not in included]
    names = _names(daemon_files)
    daemons = _without_shared_status_files(
        DiscoveredDaemon(names[file], file, *_check(results[file], name=names[file], user=user))
        for file in daemon_files
    )
    return Discovery(
        tuple(map(_with_clients, daemons) if clients else daemons),
        (*findings, *_duplicate_names(names)),
    )


def running_user() -> str:
    """Return the name of the effective user, or its number if it has no name."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _files(patterns: Sequence[str], directory: Path) -> tuple[list[Path], list[Finding]]:
    """Return each file once, under the first name that matches."""
    files: dict[str, Path] = {}
    findings = []
    for pattern in patterns:
        matches = sorted(glob.glob(str(directory / pattern)))  # noqa: PTH207 - absolute patterns
        if not matches:
            findings.append(_no_match(pattern))
        for match in matches:
            files.setdefault(os.path.realpath(match), Path(match))
    if len(files) > MAX_FILES:
        text = f"{len(files)} files match, only {MAX_FILES} are read: use narrower patterns"
        findings.append(Finding(kind=Kind.TOO_MANY_FILES, location="discover", text=text))
    return list(files.values())[:MAX_FILES], findings


def _no_match(pattern: str) -> Finding:
    text = "no file matches, or this user can't search a directory of the path"
    return Finding(kind=Kind.NO_MATCH, location=printable(pattern), text=text)


def _read(file: Path) -> OpenVpnConfig | OpenVpnConfigError:
    try:
        return model.read(file)
    except OpenVpnConfigError as error:
        return error


def _check(
    result: OpenVpnConfig | OpenVpnConfigError, *, name: str, user: str | None
) -> tuple[OpenVpnConfig | None, tuple[Finding, ...]]:
    if isinstance(result, OpenVpnConfig):
        return result, check(result, name=name, user=user)
    finding = Finding(
        kind=Kind.UNREADABLE if isinstance(result, UnreadableFile) else Kind.SYNTAX_ERROR,
        location=result.location,
        text=result.text,
        blocks=True,
        resolved_by="management",
    )
    return None, (finding,)


def _without_shared_status_files(
    daemons: Iterable[DiscoveredDaemon],
) -> Iterator[DiscoveredDaemon]:
    """Drop the status file of daemons that share one: its writer is unknown."""
    daemons = tuple(daemons)
    writers = collections.Counter(_status_file(daemon.config) for daemon in daemons)
    for daemon in daemons:
        shared = writers[_status_file(daemon.config)] > 1
        yield _without_status_file(daemon) if shared else daemon


def _status_file(config: OpenVpnConfig | None) -> str | None:
    file = config.status_file if config else None
    return os.path.realpath(file) if file else None


def _without_status_file(daemon: DiscoveredDaemon) -> DiscoveredDaemon:
    config = daemon.config
    if config is None or config.status_file is None:
        return daemon
    finding = Finding(
        kind=Kind.SHARED_STATUS_FILE,
        location=Location(daemon.file),
        text=f"another daemon also writes to {printable(config.status_file)}, so it is not read: "
        "use one status file for each daemon",
        resolved_by="status_file",
    )
    return msgspec.structs.replace(
        daemon,
        config=msgspec.structs.replace(config, status_file=None),
        findings=(*daemon.findings, finding),
    )


def _with_clients(daemon: DiscoveredDaemon) -> DiscoveredDaemon:
    if daemon.config is None or daemon.config.client_config_dir is None:
        return daemon
    try:
        clients = expected_clients(daemon.config.client_config_dir)
    except UnreadableFile as error:
        finding = Finding(
            kind=Kind.CLIENT_CONFIG_DIR,
            location=error.location,
            text=f"{error.text}, so no client is expected: let this user read it, or set "
            "`expected_clients`",
            resolved_by="expected_clients",
        )
        return msgspec.structs.replace(daemon, findings=(*daemon.findings, finding))
    return msgspec.structs.replace(daemon, expected_clients=clients)


def _names(files: Iterable[Path]) -> dict[Path, str]:
    """Name each file: `office`; if several files have that name, `server/office`.

    If that is not unique, the name is the whole path. So no name depends on the order of files.
    """
    names = {file: _clean(file.stem) for file in files}
    for longer in (lambda file: f"{file.parent.name}/{file.stem}", str):
        shared = collections.Counter(names.values())
        names |= {file: _clean(longer(file)) for file, name in names.items() if shared[name] > 1}
    return names


def _clean(text: str) -> str:
    return clean(text.strip(), NAME_LIMIT).strip() or "unnamed"


def _duplicate_names(names: dict[Path, str]) -> list[Finding]:
    return [
        Finding(
            kind=Kind.DUPLICATE_NAME,
            location=Location(file),
            text=f"another file is also named {printable(file.stem)}: this daemon is named {name}",
        )
        for file, name in names.items()
        if "/" in name
    ]
