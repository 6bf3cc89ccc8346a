"""The management errors for errors of the system in connecting."""

import errno
import socket

from exporter.management.errors import (
    ConnectionRefused,
    EndpointNotFound,
    EndpointPermissionError,
    EndpointUnreachable,
    ManagementError,
    SlotBusy,
)

_ERRNO_MAP: dict[int, tuple[type[ManagementError], str]] = {
    errno.ECONNREFUSED: (
        ConnectionRefused,
        (
            "connection refused; is the daemon running, with a 'management' directive for this "
            "address?"
        ),
    ),
    errno.ENOENT: (
        EndpointNotFound,
        "no such socket; is the daemon running, with a 'management' directive for this path?",
    ),
    errno.EACCES: (
        EndpointPermissionError,
        "no permission; give this user access to the socket's directory",
    ),
    errno.EPERM: (
        EndpointPermissionError,
        "no permission; give this user access to the socket's directory",
    ),
    errno.EAGAIN: (
        SlotBusy,
        "other clients wait for the single slot; find them with 'ss -xp' and stop one",
    ),
    errno.EMFILE: (
        EndpointUnreachable,
        "too many open files in this process; raise its limit ('LimitNOFILE', 'ulimit -n')",
    ),
}


def management_error(error: OSError, peer: str) -> ManagementError:
    """Return the management error for an error in connecting, with what to do."""
    if isinstance(error, socket.gaierror):
        return EndpointNotFound(f"{peer}: no such host name; correct it, or check the resolver")
    kind, sentence = _ERRNO_MAP.get(
        error.errno or 0, (EndpointUnreachable, error.strerror or str(error))
    )
    return kind(f"{peer}: {sentence}")
