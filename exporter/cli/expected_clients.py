"""The clients that are expected on any server, in the output of `check`."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from exporter.certificates.pki import PkiSource, PkiState, pki_source
from exporter.config import Config
from exporter.config.expected_clients import NamePatterns
from exporter.config.target import Target, targets
from exporter.management.batches import run_batches
from exporter.state.daemon import DaemonState
from exporter.state.expected_clients import ExpectedClients
from exporter.state.privacy import strictest_privacy

_MAX_NAMES = 10


def count_expected(config: Config, issued: Mapping[PkiSource, PkiState]) -> Iterator[str]:
    """Yield how many clients are expected, if any are; `issued` are the certificates of `pki`."""
    if config.expected_clients:
        daemons = [_unpolled(target, issued) for target in targets(config)]
        clients = _read(config, daemons)
        yield f"clients expected on any server: {len(clients.names)}{_hidden(config)}"
        yield from _unmatched(config, daemons)


def check_expected(config: Config, daemons: Sequence[DaemonState]) -> Iterator[str]:
    """Yield how many of the clients are connected, and which are not, if any are expected."""
    if not config.expected_clients:
        return
    clients = _read(config, daemons)
    missing = sorted(name for name, connected in clients.connected.items() if not connected)
    unknown = len(clients.names) - len(clients.connected)
    connected = len(clients.connected) - len(missing)
    shown = ", ".join(missing[:_MAX_NAMES])
    more = f" and {len(missing) - _MAX_NAMES} more" if len(missing) > _MAX_NAMES else ""
    yield (
        f"clients expected on any server: {connected} connected; "
        f"{len(missing)} missing{f' ({shown}{more})' if missing else ''}"
        + (f"; {unknown} unknown, because a server is down" if unknown else "")
        + _hidden(config)
    )


def _unpolled(target: Target, issued: Mapping[PkiSource, PkiState]) -> DaemonState:
    daemon = DaemonState(target)
    if (source := pki_source(target)) is not None:
        daemon.set_pki(issued[source])
    return daemon


def _unmatched(config: Config, daemons: Sequence[DaemonState]) -> Iterator[str]:
    """Yield a line for each pattern that no name matches, unless privacy hides names."""
    if strictest_privacy(config).shows_raw_text:
        for pattern in NamePatterns.of(config.expected_clients).patterns:
            if not _read(
                msgspec.structs.replace(config, expected_clients=(pattern,)), daemons
            ).names:
                yield f"expected_clients: no name matches '{pattern}'"


def _hidden(config: Config) -> str:
    hides = not strictest_privacy(config).shows_clients
    return "; they have no series, because of 'privacy: none'" if hides else ""


def _read(config: Config, daemons: Sequence[DaemonState]) -> ExpectedClients:
    clients = ExpectedClients()
    clients.configure(config)
    run_batches(clients.update(daemons))
    return clients
