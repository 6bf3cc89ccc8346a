"""The sockets of shares: opened, some at once in a thread, and again where that fails.

A thread for each would take the start of a thousand shares longer than all else. A file system that
hangs delays only the sockets in the same directory.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Sequence

from exporter.aio import run_in_daemon_thread
from exporter.management.batches import row_batches
from exporter.management.endpoint import UnixEndpoint
from exporter.sharing.share import Share, SharedAddress
from exporter.transport.listening import close, listen

RETRY_DELAY = 10.0
"""Seconds until the next attempt to listen at an address that can't be used."""

_AT_ONCE = 20
"""Sockets that are opened at once: a millisecond for the event loop, which accepts from them."""

Unopened = tuple[Share, SharedAddress]


def by_directory(sockets: Iterable[Unopened]) -> Iterable[Sequence[Unopened]]:
    """Return sockets in groups: those of each directory, and all ports."""
    groups: dict[str, list[Unopened]] = {}
    for share, address in sockets:
        path = address.path if isinstance(address, UnixEndpoint) else ""
        directory, _, _ = path.rpartition("/")
        groups.setdefault(directory, []).append((share, address))
    return groups.values()


async def open_sockets(sockets: Sequence[Unopened]) -> None:
    """Open sockets until the shares lack none of them; nothing else depends on one that fails."""
    while True:
        for batch in row_batches(sockets, _AT_ONCE):
            await _open([(share, address) for share, address in batch if share.lacks(address)])
        sockets = [(share, address) for share, address in sockets if share.lacks(address)]
        if not sockets:
            return
        await asyncio.sleep(RETRY_DELAY)


async def _open(sockets: Sequence[Unopened]) -> None:
    requests = [(address, share.group, share.mode) for share, address in sockets]
    results: Sequence[socket.socket | OSError]
    try:
        results = await run_in_daemon_thread(
            lambda: [_listen(*request) for request in requests], undo=_close
        )
    except OSError as error:  # no thread can be started
        results = [error] * len(sockets)
    unused: list[socket.socket | OSError] = []
    for (share, address), result in zip(sockets, results, strict=True):
        if not share.lacks(address):  # released meanwhile
            unused.append(result)
        elif isinstance(result, OSError):
            share.on_error(address, result)
        else:
            share.on_opened(address, result)
    if unused:
        with contextlib.suppress(OSError):  # no thread can be started
            await run_in_daemon_thread(lambda: _close(unused))


def _listen(address: SharedAddress, group: int | None, mode: int) -> socket.socket | OSError:
    try:
        return listen(address, group, mode)
    except OSError as error:
        return error.with_traceback(None)


def _close(results: Iterable[socket.socket | OSError]) -> None:
    for listener in results:
        if isinstance(listener, socket.socket):
            close(listener)
