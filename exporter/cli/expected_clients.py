"""The clients that are expected on any server, in the output of `check`."""

from collections.abc import Iterator, Sequence

from exporter.config import Config
from exporter.config.expected_clients import NamePatterns
from exporter.config.target import targets
from exporter.management.batches import run_batches
from exporter.state.daemon import DaemonState
from exporter.state.expected_clients import ExpectedClients

_MAX_NAMES = 10


def count_expected(config: Config) -> Iterator[str]:
    """Yield how many clients are expected, if there are any; `pki` is not read for it."""
    if config.expected_clients:
        more = "; patterns also match names of 'pki'" if _may_match_more(config) else ""
        yield f"expected on any server: {len(_read(config, ()).names)} clients{more}"


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
        f"expected on any server: {connected} connected; "
        f"{len(missing)} missing{f' ({shown}{more})' if missing else ''}"
        + (f"; {unknown} unknown, because a server is down" if unknown else "")
    )


def _may_match_more(config: Config) -> bool:
    has_patterns = bool(NamePatterns.of(config.expected_clients).patterns)
    return has_patterns and any(target.pki is not None for target in targets(config))


def _read(config: Config, daemons: Sequence[DaemonState]) -> ExpectedClients:
    clients = ExpectedClients()
    clients.configure(config)
    run_batches(clients.update(daemons))
    return clients
