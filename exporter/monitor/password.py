"""The password of a daemon's management interface, read anew for each session."""

import msgspec

from exporter.aio import run_in_daemon_thread
from exporter.config.schema import DaemonConfig
from exporter.config.secret_files import read_password
from exporter.files import FileStamp
from exporter.management.errors import EndpointUnreachable, PasswordFileError
from exporter.secret import Secret


class ManagementPassword(msgspec.Struct, frozen=True):
    """The password, and the version of the file that it was read from; None: there is no file."""

    secret: Secret | None = None
    stamp: FileStamp | None = None

    async def has_changed(self, daemon: DaemonConfig) -> bool:
        """Return whether the daemon's password file is another one, or another version, now.

        Raises:
            OSError: no thread can be started.
        """
        path = daemon.password_file
        if path is None or self.stamp is None or path != self.stamp.path:
            return path != (self.stamp and self.stamp.path)
        return not await run_in_daemon_thread(self.stamp.is_current)


async def read_management_password(daemon: DaemonConfig) -> ManagementPassword:
    """Read the password of a daemon.

    Raises:
        PasswordFileError: its file can't be used.
        EndpointUnreachable: it can't be read now; soon it may be.
    """
    path = daemon.password_file
    if path is None:
        return ManagementPassword()

    def read() -> ManagementPassword:
        stamp = FileStamp.read(path)  # before reading: a later write is a change
        return ManagementPassword(read_password(path), stamp)

    try:
        return await run_in_daemon_thread(read)
    except ValueError as error:
        raise PasswordFileError(str(error)) from error
    except OSError as error:
        raise EndpointUnreachable(f"{path}: not read: {error.strerror}") from error
