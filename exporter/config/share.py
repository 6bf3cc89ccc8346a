"""The keys of `daemons[].share`: the management interface, shared with other tools."""

import enum
from pathlib import Path
from typing import Annotated

import msgspec

from exporter.config.keys import KeySpec
from exporter.config.socket_types import FileMode, FilePermissions, ShareAddress
from exporter.config.types import (
    Boolean,
    Choice,
    Duration,
    Group,
    GroupName,
    Integer,
    ListOf,
    PasswordFile,
)
from exporter.management.endpoint import TcpEndpoint, UnixEndpoint


class SharedEvent(enum.StrEnum):
    """Real-time messages that a tool may ask for."""

    STATE = "state"
    LOG = "log"


class ShareConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how one daemon's management interface is shared; durations are in seconds."""

    listen: Annotated[
        tuple[TcpEndpoint | UnixEndpoint, ...],
        KeySpec(
            ListOf(ShareAddress()),
            "Addresses at which tools connect: `unix:/run/openvpn-exporter/office.sock`, "
            "`127.0.0.1:7506`. A port that other hosts can reach needs `password_file`.",
        ),
    ]
    password_file: Annotated[
        Path | None,
        KeySpec(
            PasswordFile(),
            "File with the password that tools have to send, on its first line, relative to the "
            "configuration file; read anew for each connection.",
        ),
    ] = None
    max_age: Annotated[
        float,
        KeySpec(
            Duration("1s", "5m"),
            "Maximum age of a reply: a command is sent to the daemon at most once in this time, "
            "however many tools there are.",
        ),
    ] = 5.0
    max_clients: Annotated[
        int,
        KeySpec(Integer(100), "Tools that are connected at once; further ones are disconnected."),
    ] = 16
    events: Annotated[
        tuple[SharedEvent, ...],
        KeySpec(
            ListOf(Choice(SharedEvent)),
            "What tools may follow in real time: `state`, and `log`, whose lines may have secrets; "
            "without `log` they can't read the log at all.",
        ),
    ] = (SharedEvent.STATE,)
    mode: Annotated[FilePermissions, KeySpec(FileMode(), "Permissions of Unix sockets.")] = (
        FilePermissions(0o660)
    )
    group: Annotated[
        Group | None,
        KeySpec(GroupName(), "Group of Unix sockets; by default the exporter's own."),
    ] = None
    plain: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Share in spite of `privacy: pseudonym` or `none`: tools get all names and addresses.",
        ),
    ] = False
