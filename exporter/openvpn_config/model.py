"""One OpenVPN process as its configuration describes it, with every path resolved.

What the command line of the process adds is not known here: Debian's units, for one, write the
status to `/run/openvpn-server/status-NAME.log` themselves.
"""

import os
import re
from pathlib import Path

import msgspec

from exporter.management.state import Mode
from exporter.openvpn_config import includes, options
from exporter.openvpn_config.directives import Directive
from exporter.openvpn_config.errors import Location
from exporter.openvpn_config.options import Options

DEFAULT_MAX_CLIENTS = 1024
"""What OpenVPN's servers admit unless told otherwise, in all versions."""

STDIN = "stdin"
"""The password file of a daemon that asks for its management password when it starts."""

_SERVER = ("server", "server-bridge", "server-ipv6")
_CLIENT = ("client", "pull")


class Inline(msgspec.Struct, frozen=True):
    """What stands in the configuration itself instead of a file of its own."""

    place: Location
    content: bytes


class ManagementInterface(msgspec.Struct, frozen=True, kw_only=True):
    """Where the daemon can be asked, as written, and what it expects of whoever does.

    `modifiers` are the directives `management-…` that are set, without their beginning.
    `password_file` is `STDIN` where a person types it in.
    """

    place: Location
    address: str
    port: str
    unix: bool
    password_file: Path | None
    modifiers: frozenset[str] = frozenset()
    user: str | None = None
    group: str | None = None

    @property
    def asks_for_password(self) -> bool:
        """Whether a person types the password in when the daemon starts."""
        return self.password_file == Path(STDIN)


class OpenVpnConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What one configuration file says, with all it includes."""

    file: Path
    files: tuple[Path, ...]
    directory: Path
    mode: Mode
    management: ManagementInterface | None
    status_file: Path | None
    status_version: int
    max_clients: int | None
    client_config_dir: Path | None
    certificate: Path | Inline | None
    authority: Path | Inline | None
    revocations: Path | Inline | None
    revocations_in_directory: bool
    duplicate_cn: bool
    username_as_common_name: bool
    verb: int
    device: str | None


def read(file: Path) -> OpenVpnConfig:
    """Return what the configuration at `file` says.

    Raises:
        Unreadable: it or an include can't be read.
        Malformed: OpenVPN would refuse it.
    """
    found = includes.read(file)
    return _Interpreter(options.select(found.directives), found).deployment(file)


class _Interpreter:
    """Resolves the paths of one configuration."""

    def __init__(self, given: Options, found: includes.ResolvedConfig) -> None:
        self._given = given
        self._found = found

    def deployment(self, file: Path) -> OpenVpnConfig:
        given = self._given
        mode = _mode(given)
        return OpenVpnConfig(
            file=file,
            files=self._found.files,
            directory=self._found.directory,
            mode=mode,
            management=self._management(),
            status_file=self._path(given.argument("status")),
            status_version=_number(given.argument("status-version"), 1),
            max_clients=_max_clients(given) if mode is Mode.SERVER else None,
            client_config_dir=self._late_path(given.argument("client-config-dir")),
            certificate=self._material("cert"),
            authority=self._material("ca"),
            revocations=self._revocations(),
            revocations_in_directory=any(
                "dir" in use.arguments[1:] for use in given.all("crl-verify")
            ),
            duplicate_cn="duplicate-cn" in given,
            username_as_common_name="username-as-common-name" in given,
            verb=_number(given.argument("verb"), 1),
            device=given.argument("dev"),
        )

    def _management(self) -> ManagementInterface | None:
        uses = self._given.all("management")
        if not uses:
            return None
        address, port, *_ = uses[-1].arguments
        passwords = [use.arguments[2] for use in uses if len(use.arguments) > 2]  # noqa: PLR2004
        return ManagementInterface(
            place=uses[-1].place,
            address=address,
            port=port,
            # A later use replaces the address alone: what was said of these before, stays.
            unix=any(use.arguments[1] == "unix" for use in uses),
            password_file=self._password_file(passwords[-1]) if passwords else None,
            modifiers=frozenset(
                name.removeprefix("management-")
                for name in self._given.uses
                if name.startswith("management-")
            ),
            user=self._given.argument("management-client-user"),
            group=self._given.argument("management-client-group"),
        )

    def _password_file(self, name: str) -> Path:
        return Path(name) if name == STDIN else self._found.directory / name

    def _material(self, name: str) -> Path | Inline | None:
        use = self._given.last(name)
        return _inline(use) or self._path(self._given.argument(name))

    def _revocations(self) -> Path | Inline | None:
        use = self._given.last("crl-verify")
        return _inline(use) or self._late_path(self._given.argument("crl-verify"))

    def _path(self, name: str | None) -> Path | None:
        return None if name is None else self._found.directory / name

    def _late_path(self, name: str | None) -> Path | None:
        """Resolve the path of something that is still read after `chroot`."""
        jail = self._path(self._given.argument("chroot"))
        if name is None or jail is None:
            return self._path(name)
        return jail / name.lstrip(os.sep)


def _inline(use: Directive | None) -> Inline | None:
    if use is None or use.inline is None:
        return None
    return Inline(use.place, use.inline)


def _mode(given: Options) -> Mode:
    if given.argument("mode") == "server" or any(name in given for name in _SERVER):
        return Mode.SERVER
    return Mode.CLIENT if any(name in given for name in _CLIENT) else Mode.P2P


def _max_clients(given: Options) -> int:
    return _number(given.argument("max-clients"), DEFAULT_MAX_CLIENTS)


def _number(text: str | None, default: int) -> int:
    """Read a number as C's `atoi` does: as far as there are digits."""
    if text is None:
        return default
    digits = re.match(r"\s*[+-]?[0-9]{1,9}", text)
    return int(digits[0]) if digits else 0
