"""One poll of each daemon, for `check --connect` and `once`."""

import asyncio
import functools
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from exporter import descriptors
from exporter.aio import run_in_daemon_thread
from exporter.certificates.files import CertificateFiles
from exporter.certificates.pki import PkiSource, PkiState, pki_source
from exporter.certificates.pki_watch import PkiWatch
from exporter.certificates.source import certificate_sources
from exporter.config.target import Target
from exporter.management.errors import EndpointNotFound, ManagementError, SlotHeld
from exporter.management.replies import DaemonInfo
from exporter.monitor.session import ManagementSession
from exporter.monitor.status_file_poller import StatusFilePoller
from exporter.state.daemon import DaemonState
from exporter.transport.connector import connector_for
from exporter.transport.slot_holder import find_slot_holder

CONCURRENCY = 100
"""Daemons that are polled at once; each takes a file descriptor."""


SLOT_GRACE = 1.0
"""Seconds without a poll, after which the holder of the slot is looked for."""


class OneShotResult(msgspec.Struct, frozen=True):
    """What one poll found.

    `errors` say why it is incomplete: what ended the session, then what is wrong with the status
    file, which is read only without a session. `info` is there even if the session ended later.
    """

    daemon: DaemonState
    info: DaemonInfo | None
    seconds: float
    errors: tuple[ManagementError, ...]


async def poll_all(targets: Sequence[Target]) -> Sequence[OneShotResult]:
    """Poll every target once, many at a time; the results are in the order of the targets."""
    available = descriptors.daemon_limit()
    # Half of them: a daemon may take a second one, for its status file.
    limit = CONCURRENCY if available is None else max(1, min(CONCURRENCY, available // 2))
    semaphore = asyncio.Semaphore(limit)
    issued = await read_issued(targets)

    async def poll(target: Target) -> OneShotResult:
        async with semaphore:
            source = pki_source(target)
            return await poll_once(target, issued[source] if source is not None else None)

    return await asyncio.gather(*map(poll, targets))


async def read_issued(targets: Iterable[Target]) -> Mapping[PkiSource, PkiState]:
    """Read the lists of issued certificates of these targets, each once."""
    sources = {source for target in targets if (source := pki_source(target)) is not None}
    states = await asyncio.gather(*(PkiWatch(source).check() for source in sources))
    return {state.source: state for state in states}


async def poll_once(target: Target, pki: PkiState | None = None) -> OneShotResult:
    """Poll one target; each reply may take the daemon's `timeout`.

    Its clients are compared with the certificates of `pki`.
    """
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    daemon = DaemonState(target, absolute=True)
    if pki is not None:
        daemon.set_pki(pki)
    errors = []
    if target.daemon.management is not None and (error := await _poll_management(daemon)):
        errors.append(error)
    info = daemon.info
    if errors:
        daemon.on_down(errors[0])
    if target.daemon.status_file is not None and not daemon.management_up:
        error = await StatusFilePoller(daemon).read()
        errors += [error] if error else []
    if files := certificate_sources(target.daemon):
        daemon.set_certificates(await run_in_daemon_thread(CertificateFiles(files).read_all))
    return OneShotResult(daemon, info, loop.time() - started_at, tuple(errors))


async def _poll_management(daemon: DaemonState) -> ManagementError | None:
    """Run a session of one poll; return what ended it early."""
    target = daemon.target
    try:
        if target.is_reverse:
            raise EndpointNotFound(
                f"{target.daemon.management}: not polled: this daemon connects to the exporter and "
                "exits when the session ends; only 'serve' keeps the session"
            )
        connector = connector_for(target.daemon.management, timeout=target.daemon.timeout)
        session = ManagementSession(daemon, connector, realtime=False)
        await _run_unless_held(session, daemon)
    except ManagementError as error:
        if not daemon.polls:  # a monitor does not count a prompt as a failed poll, but tries again
            daemon.on_poll_error(error)
        return error
    return None


async def _run_unless_held(session: ManagementSession, daemon: DaemonState) -> None:
    """Run a session of one poll, unless another process of this host holds the slot.

    Raises:
        ManagementError: what ended the session.
    """
    polling = asyncio.create_task(session.run_once())
    try:
        await asyncio.wait([polling], timeout=SLOT_GRACE)
        if not polling.done() and not daemon.target.releases_slot:
            await _check_slot(daemon)
        await polling
    finally:
        polling.cancel()
        await asyncio.wait([polling])


async def _check_slot(daemon: DaemonState) -> None:
    """Raise SlotHeld if another process of this host is the daemon's management client."""
    endpoint = daemon.target.daemon.management
    holder = await run_in_daemon_thread(functools.partial(find_slot_holder, endpoint))
    if holder is None:
        return
    remedy = "its metrics show this daemon" if holder.is_exporter else "stop it"
    raise SlotHeld(
        f"{endpoint}: process {holder.pid} ({holder.name}) holds the management slot; {remedy}"
    )
