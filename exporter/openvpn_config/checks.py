"""Whether a deployment can be watched as it is, and what is dangerous about doing so."""

from collections.abc import Iterator
from pathlib import Path

from exporter.management.endpoint import Endpoint, TcpEndpoint, is_loopback, parse_endpoint
from exporter.openvpn_config import lexer
from exporter.openvpn_config.errors import Location, printable
from exporter.openvpn_config.findings import Finding, Kind
from exporter.openvpn_config.lexer import LexerError
from exporter.openvpn_config.model import ManagementInterface, OpenVpnConfig

_SOCKETS = "/run/openvpn-management"
"""The directory that the documentation proposes: only root and our group can enter it."""

_ANSWERS = {
    "client-auth": "asks its management client whether to admit each VPN client",
    "external-cert": "asks its management client for its certificate",
    "external-key": "asks its management client to sign for it",
    "hold": "waits for its management client to release it whenever it starts",
    "query-passwords": "asks its management client for its passwords",
    "query-proxy": "asks its management client for its proxy",
    "query-remote": "asks its management client which server to use",
}
_LEAVING = {
    "signal": "restarts, and drops all its VPN clients, whenever a management client leaves",
    "forget-disconnect": "forgets its passwords whenever a management client leaves",
}
_UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what others listen on


def endpoint(management: ManagementInterface, directory: Path) -> Endpoint:
    """Return where to connect; raises ValueError with one sentence that says what is wrong."""
    if management.unix:
        return parse_endpoint(f"unix:{directory / management.address}")
    if management.address == "tunnel":
        raise ValueError(
            "`management tunnel` listens on the tunnel's own address, which this file doesn't say"
        )
    if not management.port.isdecimal():
        raise ValueError(f"the port {management.port!r} is not a number")
    host = _UNSPECIFIED.get(management.address, management.address)
    return parse_endpoint(f"{f'[{host}]' if ':' in host else host}:{management.port}")


def check(deployment: OpenVpnConfig, *, name: str, user: str | None = None) -> tuple[Finding, ...]:
    """Return what is to be said of watching a deployment; `user` is whom we run as, if known."""
    management = deployment.management
    if management is None:
        return (_no_management(deployment, name),)
    if "client" in management.modifiers:
        return (_dials_out(management),)
    return (
        *_address(management, deployment.directory),
        *_password(management),
        *_admission(management, user),
        *_leaving(management),
        *_answers(management),
    )


def _no_management(deployment: OpenVpnConfig, name: str) -> Finding:
    socket = f"{_SOCKETS}/{name.replace('/', '-')}.sock"
    try:
        line = lexer.join(["management", socket, "unix"])
    except LexerError:
        line = f"management {_SOCKETS}/NAME.sock unix"
    file = deployment.status_file
    instead = (
        f"; or write `status_file: {printable(file)}` for it, which tells less" if file else ""
    )
    return Finding(
        kind=Kind.NO_MANAGEMENT,
        place=Location(deployment.file),
        text=f"no management directive: add `{line}`, in a directory that only root and the group "
        f"of this exporter can enter{instead}",
        blocks=True,
        settled_by="management",
    )


def _dials_out(management: ManagementInterface) -> Finding:
    where = f"{management.address}:{management.port}"
    if management.unix:
        way = "this exporter can only be dialled on TCP"
    else:
        way = f"if nobody else listens there, write `management: listen:{where}` for this daemon"
    return Finding(
        kind=Kind.MANAGEMENT_CLIENT,
        place=management.place,
        text="with `management-client` the daemon dials out, and ends when who listens there "
        f"ends: {way}",
        blocks=True,
        settled_by="management",
    )


def _address(management: ManagementInterface, directory: Path) -> Iterator[Finding]:
    try:
        where = endpoint(management, directory)
    except ValueError as error:
        yield Finding(
            kind=Kind.MANAGEMENT_ADDRESS,
            place=management.place,
            text=f"{error}; write `management: ADDRESS` for this daemon",
            blocks=True,
            settled_by="management",
        )
        return
    open_to_all = management.address in _UNSPECIFIED or not _is_local(where)
    if open_to_all and management.password_file is None:
        yield Finding(
            kind=Kind.UNPROTECTED,
            place=management.place,
            text="whoever reaches this port controls the VPN: listen on 127.0.0.1 or a Unix "
            "socket, or give it a password file",
        )


def _is_local(where: Endpoint) -> bool:
    return not isinstance(where, TcpEndpoint) or is_loopback(where.host)


def _password(management: ManagementInterface) -> Iterator[Finding]:
    if management.asks_for_password:
        yield Finding(
            kind=Kind.MANAGEMENT_PASSWORD,
            place=management.place,
            text="the management password is typed in when the daemon starts: write it to a file "
            "and name that as `password_file`",
            blocks=True,
            settled_by="password_file",
        )


def _admission(management: ManagementInterface, user: str | None) -> Iterator[Finding]:
    if management.unix and management.user is not None and user not in {None, management.user}:
        yield Finding(
            kind=Kind.CLIENT_USER_MISMATCH,
            place=management.place,
            text=f"only the user {management.user!r} is let in, and not {user!r}, who runs this",
        )


def _leaving(management: ManagementInterface) -> Iterator[Finding]:
    for name, effect in _LEAVING.items():
        if name in management.modifiers:
            yield Finding(
                kind=Kind.HARMFUL_DISCONNECT,
                place=management.place,
                text=f"with `management-{name}` the daemon {effect}, and so when this exporter "
                "ends: remove the directive, or accept that with `slot: hold` for this daemon",
                blocks=True,
                settled_by="slot",
            )


def _answers(management: ManagementInterface) -> Iterator[Finding]:
    for name, effect in _ANSWERS.items():
        if name in management.modifiers:
            yield Finding(
                kind=Kind.PROMPT_OWNER,
                place=management.place,
                text=f"with `management-{name}` the daemon {effect}: the program that answers has "
                "to wait while this exporter is connected, which steps aside once it is asked",
            )
