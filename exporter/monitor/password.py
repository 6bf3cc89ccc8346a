"""The password of a daemon's management interface, read anew for each session."""

import functools

from exporter.aio import run_in_daemon_thread
from exporter.config.schema import DaemonConfig
from exporter.config.secret_files import read_password
from exporter.management.errors import EndpointUnreachable, PasswordFileError
from exporter.secret import Secret


async def read_management_password(daemon: DaemonConfig) -> Secret | None:
    """Read the password of a daemon, None where it has none.

    Raises:
        PasswordFileError: its file can't be used.
        Unreachable: it can't be read now; soon it may be.
    """
    if daemon.password_file is None:
        return None
    try:
        return await run_in_daemon_thread(functools.partial(read_password, daemon.password_file))
    except ValueError as error:
        raise PasswordFileError(str(error)) from error
    except OSError as error:
        raise EndpointUnreachable(f"{daemon.password_file}: not read: {error.strerror}") from error
