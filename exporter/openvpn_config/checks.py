"""Findings: what prevents monitoring an OpenVPN configuration, and what makes it dangerous."""

import enum
from collections.abc import Iterator
from pathlib import Path

import msgspec

from exporter.management.endpoint import Endpoint, TcpEndpoint, is_loopback, parse_endpoint
from exporter.openvpn_config import lexer, services
from exporter.openvpn_config.errors import Location, printable
from exporter.openvpn_config.lexer import LexerError
from exporter.openvpn_config.model import ManagementInterface, OpenVpnConfig

_SOCKET_DIRECTORY = "/run/openvpn-management"
"""The directory that the documentation proposes: only root and the exporter's group can enter."""

_PROMPTS = {
    "client-auth": "asks its management client whether to admit each VPN client",
    "external-cert": "asks its management client for its certificate",
    "external-key": "asks its management client for signatures",
    "hold": "waits for `hold release` from its management client at each start",
    "query-passwords": "asks its management client for passwords",
    "query-proxy": "asks its management client for the proxy to use",
    "query-remote": "asks its management client for the server to use",
}
_DISCONNECT_EFFECTS = {
    "signal": "restarts and drops all VPN clients",
    "forget-disconnect": "forgets its passwords",
}
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses that daemons listen on


class Kind(enum.StrEnum):
    """The subject of a finding."""

    NO_MATCH = "no-match"
    UNREADABLE = "unreadable"
    SYNTAX_ERROR = "syntax-error"
    DUPLICATE_NAME = "duplicate-name"
    DUPLICATE_ADDRESS = "duplicate-address"
    SHARED_STATUS_FILE = "shared-status-file"
    TOO_MANY_FILES = "too-many-files"
    NO_MANAGEMENT = "no-management"
    MANAGEMENT_ADDRESS = "management-address"
    MANAGEMENT_CLIENT = "management-client"
    MANAGEMENT_PASSWORD = "management-password"  # noqa: S105 - a word, not a password
    UNPROTECTED = "unprotected"
    CLIENT_USER_MISMATCH = "client-user-mismatch"
    HARMFUL_DISCONNECT = "harmful-disconnect"
    PROMPT_OWNER = "prompt-owner"
    MUTE = "mute"
    CLIENT_CONFIG_DIR = "client-config-dir"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One error or warning: its location, and one sentence with problem, reason and remedy.

    `blocks`: the daemon can't be monitored. `resolved_by` is the key of a daemon that resolves it,
    empty if none does. `daemon` is the daemon's name, once known.
    """

    kind: Kind
    location: Location | str
    text: str
    blocks: bool = False
    resolved_by: str = ""
    daemon: str = ""

    def __str__(self) -> str:
        """Return `file:line: text`."""
        return f"{self.location}: {self.text}"


def management_endpoint(management: ManagementInterface, directory: Path) -> Endpoint:
    """Return where to connect; raises ValueError with the reason in one sentence."""
    if management.unix:
        return parse_endpoint(f"unix:{directory / management.address}")
    if management.address == "tunnel":
        raise ValueError(
            "`management tunnel` listens on the tunnel's address, which this file does not contain"
        )
    host = _WILDCARDS.get(management.address, management.address)
    return parse_endpoint(f"{f'[{host}]' if ':' in host else host}:{_port(management.port)}")


def is_wildcard(management: ManagementInterface) -> bool:
    """Return whether the daemon listens on all addresses of the host."""
    return not management.unix and management.address in _WILDCARDS


def _port(text: str) -> str:
    """Return a port; a service name (`openvpn`) is looked up, as by the daemon."""
    if text.isdecimal():
        return text
    port = services.tcp_port(text)
    if port is None:
        raise ValueError(f"the port {text!r} is no number and no service in {services.SERVICES}")
    return str(port)


def check(config: OpenVpnConfig, *, name: str, user: str | None = None) -> tuple[Finding, ...]:
    """Return the findings of a configuration; `user` is the exporter's user, if known."""
    management = config.management
    if management is None:
        return (_no_management(config, name),)
    if "client" in management.modifiers:
        return (_check_management_client(management, config.directory),)
    return (
        *_check_address(management, config.directory),
        *_check_password(management),
        *_check_client_user(management, user),
        *_check_disconnect(management),
        *_check_prompts(management),
        *_check_mute(config),
    )


def _no_management(config: OpenVpnConfig, name: str) -> Finding:
    socket = f"{_SOCKET_DIRECTORY}/{name.replace('/', '-')}.sock"
    try:
        line = lexer.join(["management", socket, "unix"])
    except LexerError:
        line = f"management {_SOCKET_DIRECTORY}/NAME.sock unix"
    file = config.status_file
    alternative = (
        f"; or set `status_file: {printable(file)}` for this daemon, which has less data"
        if file
        else ""
    )
    return Finding(
        kind=Kind.NO_MANAGEMENT,
        location=Location(config.file),
        text=f"no `management` directive: add `{line}`, in a directory that only root and the "
        f"exporter's group can enter{alternative}",
        blocks=True,
        resolved_by="management",
    )


def _check_management_client(management: ManagementInterface, directory: Path) -> Finding:
    address = f"{management.address}:{management.port}"
    if management.unix:
        address = f"unix:{printable(directory / management.address)}"
    remedy = (
        f"set `management: listen:{address}` for this daemon, if no other program listens there"
    )
    return Finding(
        kind=Kind.MANAGEMENT_CLIENT,
        location=management.location,
        text="with `management-client` the daemon connects to its management client, and exits "
        f"when that client disconnects: {remedy}",
        blocks=True,
        resolved_by="management",
    )


def _check_address(management: ManagementInterface, directory: Path) -> Iterator[Finding]:
    try:
        endpoint = management_endpoint(management, directory)
    except ValueError as error:
        yield Finding(
            kind=Kind.MANAGEMENT_ADDRESS,
            location=management.location,
            text=f"{error}; set `management: ADDRESS` for this daemon",
            blocks=True,
            resolved_by="management",
        )
        return
    is_remote = isinstance(endpoint, TcpEndpoint) and not is_loopback(endpoint.host)
    if (management.address in _WILDCARDS or is_remote) and management.password_file is None:
        yield Finding(
            kind=Kind.UNPROTECTED,
            location=management.location,
            text="every host that can reach this port controls the VPN: listen on 127.0.0.1 or a "
            "Unix socket, or set a password file",
        )


def _check_password(management: ManagementInterface) -> Iterator[Finding]:
    if management.asks_for_password:
        yield Finding(
            kind=Kind.MANAGEMENT_PASSWORD,
            location=management.location,
            text="the management password is typed in when the daemon starts: write it to a file "
            "and set `password_file`",
            blocks=True,
            resolved_by="password_file",
        )


def _check_client_user(management: ManagementInterface, user: str | None) -> Iterator[Finding]:
    if management.unix and management.user is not None and user not in {None, management.user}:
        yield Finding(
            kind=Kind.CLIENT_USER_MISMATCH,
            location=management.location,
            text=f"the daemon admits only the user {management.user!r}, but this exporter runs as "
            f"{user!r}",
        )


def _check_disconnect(management: ManagementInterface) -> Iterator[Finding]:
    for name, effect in _DISCONNECT_EFFECTS.items():
        if name in management.modifiers:
            yield Finding(
                kind=Kind.HARMFUL_DISCONNECT,
                location=management.location,
                text=f"with `management-{name}` the daemon {effect} whenever a management client "
                "disconnects, also when this exporter stops: remove the directive, or accept this "
                "with `slot: hold` for this daemon",
                blocks=True,
                resolved_by="slot",
            )


def _check_prompts(management: ManagementInterface) -> Iterator[Finding]:
    for name, effect in _PROMPTS.items():
        if name in management.modifiers:
            yield Finding(
                kind=Kind.PROMPT_OWNER,
                location=management.location,
                text=f"with `management-{name}` the daemon {effect}: the program that answers "
                "can't connect while this exporter is connected; it disconnects at each prompt",
            )


def _check_mute(config: OpenVpnConfig) -> Iterator[Finding]:
    if config.mute is not None:
        yield Finding(
            kind=Kind.MUTE,
            location=config.mute,
            text="`mute` hides log lines, so events in them are not counted: remove the directive "
            "for exact counts",
        )
