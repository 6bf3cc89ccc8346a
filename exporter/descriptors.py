"""The process's file descriptors: some are reserved for the web server and for files."""

import contextlib
import errno
import resource
import socket

RESERVE = 64
"""Descriptors that no connection to a daemon takes; a quarter of the limit where that is less."""


def raise_limit() -> None:
    """Raise the soft limit of open files to the hard one: a service inherits 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # macOS allows less than its hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def limit() -> int | None:
    """Return the limit of open files, None if there is none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def daemon_limit() -> int | None:
    """Return the first descriptor that connections to daemons may not take."""
    soft = limit()
    return None if soft is None else soft - min(RESERVE, soft // 4)


def check_available() -> None:
    """Check that a connection to a daemon may be opened.

    Raises:
        OSError: EMFILE, as if the limit were lower.
    """
    # A new descriptor has the lowest free number.
    with socket.socket() as probe:
        if not is_available(probe.fileno()):
            raise OSError(errno.EMFILE, "too many open files")


def is_available(descriptor: int) -> bool:
    """Return whether a connection to a daemon, or for its sake, may keep this descriptor."""
    allowed = daemon_limit()
    return allowed is None or descriptor < allowed
