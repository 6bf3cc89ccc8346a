"""The configuration of one OpenVPN process, with every path resolved.

`units` knows the command line of the process where a known unit starts it.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from exporter.management.state import Mode
from exporter.openvpn_config import includes, options
from exporter.openvpn_config.address_pool import AddressPool, address_pool
from exporter.openvpn_config.directives import Directive
from exporter.openvpn_config.errors import Location
from exporter.openvpn_config.includes import ResolvedConfig
from exporter.openvpn_config.listening import Listening, listening
from exporter.openvpn_config.options import Options

DEFAULT_MAX_CLIENTS = 1024
"""OpenVPN's default of `max-clients`, in all versions."""

STDIN = "stdin"
"""The password file of a daemon that reads its management password from standard input."""

_SERVER = ("server", "server-bridge", "server-ipv6")
_CLIENT = ("client", "pull")


class Inline(msgspec.Struct, frozen=True):
    """An inline block of the configuration, in place of a file."""

    location: Location
    content: bytes


class ManagementInterface(msgspec.Struct, frozen=True, kw_only=True):
    """The management interface as written.

    `modifiers` are the `management-…` directives that are set, without that prefix.
    `password_file` is `STDIN` if the password is typed in at the start.
    """

    location: Location
    address: str
    port: str
    unix: bool
    password_file: Path | None
    modifiers: frozenset[str] = frozenset()
    user: str | None = None
    group: str | None = None

    @property
    def asks_for_password(self) -> bool:
        """Whether the password is typed in when the daemon starts."""
        return self.password_file == Path(STDIN)


class OpenVpnConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one configuration file, with its includes.

    `mute` is the directive that hides log lines, None without one. `listening` is None unless the
    mode is that of a server.
    """

    file: Path
    files: tuple[Path, ...]
    directory: Path
    mode: Mode
    management: ManagementInterface | None
    status_file: Path | None
    max_clients: int | None
    address_pool: AddressPool | None
    mute: Location | None
    client_config_dir: Path | None
    cert: Path | Inline | None
    ca: Path | Inline | None
    crl: Path | Inline | None
    crl_is_directory: bool
    listening: Listening | None


def read(file: Path, command_line: Sequence[Directive] = ()) -> OpenVpnConfig:
    """Return the configuration of the file, with the options of the command line.

    Raises:
        UnreadableFile: the file or an include can't be read.
        SyntaxProblem: OpenVPN refuses it.
    """
    tree = includes.read(file, command_line)
    return _Builder(options.select(tree.directives), tree).build(file)


class _Builder:
    """Resolves the options and the paths of one configuration."""

    def __init__(self, selected: Options, tree: ResolvedConfig) -> None:
        self._options = selected
        self._tree = tree

    def build(self, file: Path) -> OpenVpnConfig:
        selected = self._options
        mode = _mode(selected)
        return OpenVpnConfig(
            file=file,
            files=self._tree.files,
            directory=self._tree.directory,
            mode=mode,
            management=self._management(),
            status_file=self._status_file(),
            max_clients=_max_clients(selected) if mode is Mode.SERVER else None,
            mute=_mute(selected),
            address_pool=address_pool(selected) if mode is Mode.SERVER else None,
            client_config_dir=self._chroot_path(selected.argument("client-config-dir")),
            cert=self._pem_source("cert"),
            ca=self._pem_source("ca"),
            crl=self._crl(),
            crl_is_directory=any(
                "dir" in occurrence.arguments[1:] for occurrence in selected.all("crl-verify")
            ),
            listening=listening(selected, self._tree.directory) if mode is Mode.SERVER else None,
        )

    def _management(self) -> ManagementInterface | None:
        occurrences = self._options.all("management")
        if not occurrences:
            return None
        address, port, *_ = occurrences[-1].arguments
        passwords = [each.arguments[2] for each in occurrences if len(each.arguments) > 2]  # noqa: PLR2004
        return ManagementInterface(
            location=occurrences[-1].location,
            address=address,
            port=port,
            # A later occurrence replaces the address only: OpenVPN keeps the socket type and the
            # password of earlier ones.
            unix=any(each.arguments[1] == "unix" for each in occurrences),
            password_file=self._password_file(passwords[-1]) if passwords else None,
            modifiers=frozenset(
                name.removeprefix("management-")
                for name in self._options.occurrences
                if name.startswith("management-")
            ),
            user=self._options.argument("management-client-user"),
            group=self._options.argument("management-client-group"),
        )

    def _status_file(self) -> Path | None:
        file = self._path(self._options.argument("status"))
        return None if file and os.path.realpath(file) == os.devnull else file

    def _password_file(self, name: str) -> Path:
        return Path(name) if name == STDIN else self._tree.directory / name

    def _pem_source(self, name: str) -> Path | Inline | None:
        return _inline(self._options.last(name)) or self._path(self._options.argument(name))

    def _crl(self) -> Path | Inline | None:
        inline = _inline(self._options.last("crl-verify"))
        return inline or self._chroot_path(self._options.argument("crl-verify"))

    def _path(self, name: str | None) -> Path | None:
        return None if name is None else self._tree.directory / name

    def _chroot_path(self, name: str | None) -> Path | None:
        """Resolve a path that OpenVPN still reads after `chroot`."""
        root = self._path(self._options.argument("chroot"))
        if name is None or root is None:
            return self._path(name)
        return root / name.lstrip(os.sep)


def _inline(directive: Directive | None) -> Inline | None:
    if directive is None or directive.inline is None:
        return None
    return Inline(directive.location, directive.inline)


def _mode(selected: Options) -> Mode:
    if selected.argument("mode") == "server" or any(name in selected for name in _SERVER):
        return Mode.SERVER
    return Mode.CLIENT if any(name in selected for name in _CLIENT) else Mode.P2P


def _max_clients(selected: Options) -> int:
    return parse_number(selected.argument("max-clients"), DEFAULT_MAX_CLIENTS)


def _mute(selected: Options) -> Location | None:
    last = selected.last("mute")
    if last is None or parse_number(last.arguments[0], 0) <= 0:
        return None
    return last.location


def parse_number(text: str | None, default: int) -> int:
    """Read a number as C's `atoi` does, up to the first character that is no digit."""
    if text is None:
        return default
    digits = re.match(r"\s*[+-]?[0-9]{1,9}", text)
    return int(digits[0]) if digits else 0
