"""Every key of the configuration: its type, default, bounds and meaning, and nothing else.

The only place where a default is written. `docs/configuration.md` and the errors come from here.
"""

import enum
import typing
from pathlib import Path
from typing import Annotated

import msgspec

from exporter.config.privacy_key import PrivacyKey
from exporter.config.types import (
    Boolean,
    CertificateFile,
    Choice,
    Duration,
    FilePath,
    GlobPattern,
    Integer,
    Label,
    ListOf,
    ListOfSections,
    ManagementAddress,
    MapOf,
    PasswordFile,
    PrivacyKeyFile,
    Section,
    ValueType,
)
from exporter.management.endpoint import Endpoint
from exporter.management.values import MAX_LENGTH as COMMON_NAME_LIMIT
from exporter.openvpn_config import Finding, OpenVpnConfig

DAEMON_NAME = Label(64)
COMMON_NAME = Label(COMMON_NAME_LIMIT)


class KeySpec(msgspec.Struct, frozen=True):
    """What `Annotated` says about a key: how it is written, and what it means in one line.

    `unique`: no two sections of one list may share a value. `unless`: it must be written, or that
    other key in its place.
    """

    form: ValueType | ListOf | MapOf | Section | ListOfSections
    meaning: str
    unique: bool = False
    unless: str = ""


class Identity(enum.StrEnum):
    """What tells one VPN user from another."""

    AUTO = "auto"
    COMMON_NAME = "common_name"
    USERNAME = "username"


class SlotPolicy(enum.StrEnum):
    """What becomes of the daemon's single management slot between polls."""

    HOLD = "hold"
    RELEASE = "release"


class PrivacyMode(enum.StrEnum):
    """What is shown of the people behind clients."""

    PLAIN = "plain"
    PSEUDONYM = "pseudonym"
    NONE = "none"


class DaemonConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One OpenVPN process to watch; durations are in seconds.

    `deployment` is no key: it is what the daemon's own configuration says, if it was discovered.
    """

    name: Annotated[
        str, KeySpec(DAEMON_NAME, "Value of the label `daemon` on every series.", unique=True)
    ]
    management: Annotated[
        Endpoint | None,
        KeySpec(
            ManagementAddress(),
            "Its management interface: `127.0.0.1:7505`, `[::1]:7505`, "
            "`unix:/run/openvpn/office.sock`, or `listen:127.0.0.1:7600` where the daemon dials in "
            "(`--management-client`; such a daemon ends when this exporter ends).",
            unique=True,
            unless="status_file",
        ),
    ] = None
    password_file: Annotated[
        Path | None,
        KeySpec(
            PasswordFile(),
            "File with the management password on one line, relative to the configuration file.",
        ),
    ] = None
    status_file: Annotated[
        Path | None,
        KeySpec(
            FilePath(),
            "File that the daemon writes its status to (`--status`), relative to the configuration "
            "file: read while the management interface doesn't answer, or where there is none. "
            "It knows less; see [status files](status-files.md).",
            unique=True,
        ),
    ] = None
    status_max_age: Annotated[
        float,
        KeySpec(
            Duration("1s", "1d"),
            "How old a status in that file may be; the daemon writes one every 60 s by default.",
        ),
    ] = 180.0
    timeout: Annotated[
        float, KeySpec(Duration("100ms", "5m"), "How long to wait for each reply.")
    ] = 10.0
    slot: Annotated[
        SlotPolicy,
        KeySpec(
            Choice(SlotPolicy),
            "`hold` keeps the daemon's single management slot; `release` leaves after each poll, "
            "for daemons that other tools must reach. It costs the daemon more log lines, and what "
            "happens between polls is only known as far as the daemon remembers it.",
        ),
    ] = SlotPolicy.HOLD
    prompt_retry_interval: Annotated[
        float,
        KeySpec(
            Duration("1s", "1h"),
            "How long to leave the slot to another management client when the daemon prompts for "
            "an answer; doubles with each further prompt, up to 10 minutes.",
        ),
    ] = 30.0
    poll_interval: Annotated[
        float | None,
        KeySpec(
            Duration("1s", "1h"),
            "How often to ask this daemon; without it, as often as the top level says.",
        ),
    ] = None
    expected_clients: Annotated[
        tuple[str, ...],
        KeySpec(
            ListOf(COMMON_NAME), "Clients that always have a series, connected or not, by identity."
        ),
    ] = ()
    max_clients: Annotated[
        int | None,
        KeySpec(Integer(1_000_000), "The daemon's own `max-clients`, shown beside the clients."),
    ] = None
    privacy: Annotated[
        PrivacyMode | None,
        KeySpec(Choice(PrivacyMode), "Of this daemon; without it, as `clients.privacy` says."),
    ] = None
    cert: Annotated[
        Path | None,
        KeySpec(
            CertificateFile(),
            "The daemon's own `cert`, whose end is shown; needs the extra `certificates`.",
        ),
    ] = None
    ca: Annotated[Path | None, KeySpec(CertificateFile(), "Likewise its `ca`.")] = None
    crl_verify: Annotated[
        Path | None, KeySpec(CertificateFile(), "Likewise its `crl-verify`, if that is a file.")
    ] = None
    deployment: OpenVpnConfig | None = None


class ClientsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is told about VPN clients; durations are in seconds."""

    series: Annotated[bool, KeySpec(Boolean(), "Traffic, sessions and times per client.")] = True
    info: Annotated[
        bool, KeySpec(Boolean(), "Addresses, cipher and platform of each session, as labels.")
    ] = True
    routes: Annotated[bool, KeySpec(Boolean(), "One series per route of the routing table.")] = (
        False
    )
    identity: Annotated[
        Identity,
        KeySpec(
            Choice(Identity),
            "What tells clients apart; `auto` is the common name, or the user name without one.",
        ),
    ] = Identity.AUTO
    forget_after: Annotated[
        float,
        KeySpec(Duration("1s", "30d"), "How long a client keeps its series after it left."),
    ] = 3600.0
    limit: Annotated[
        int,
        KeySpec(Integer(1_000_000), "Clients of one daemon that get series of their own at most."),
    ] = 20_000
    privacy: Annotated[
        PrivacyMode,
        KeySpec(
            Choice(PrivacyMode),
            "`plain` shows names and addresses; `pseudonym` shows a keyed digest of each name and "
            "of addresses the network; `none` has no series of single clients, expected ones "
            "neither. See [privacy](privacy.md).",
        ),
    ] = PrivacyMode.PLAIN
    privacy_key_file: Annotated[
        PrivacyKey | None,
        KeySpec(
            PrivacyKeyFile(),
            "File with the key of `pseudonym`, 16 bytes or more, relative to the configuration "
            "file: the same key gives the same pseudonyms.",
        ),
    ] = None


class EventsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is counted between polls."""

    log: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Read the daemon's log in real time and count what is known in it; nothing is needed "
            "on the daemon, whose `verb` says which lines exist.",
        ),
    ] = True


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything the operator said; durations are in seconds.

    `findings` is no key: it is what was noticed while discovering.
    """

    poll_interval: Annotated[
        float, KeySpec(Duration("1s", "1h"), "How often each daemon is asked.")
    ] = 15.0
    refresh_on_scrape: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Poll when a scrape finds a reading older than one second, and let the scrape wait for "
            "it: exact rates whatever the intervals are (`docs/polling.md`). Only daemons with an "
            "open session are asked; `slot: release` keeps to its interval.",
        ),
    ] = False
    daemons: Annotated[
        tuple[DaemonConfig, ...],
        KeySpec(
            ListOfSections(DaemonConfig),
            "The daemons to watch; may be left out with `discover`. An entry named like a "
            "discovered daemon adds to it, and wins key by key: it needs no `management`.",
        ),
    ] = ()
    discover: Annotated[
        tuple[str, ...],
        KeySpec(
            ListOf(GlobPattern()),
            "OpenVPN's own configuration files, relative to this file: each becomes a daemon named "
            "after its file; see [discovery](discovery.md).",
        ),
    ] = ()
    expected_from_ccd: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Of a discovered server, expect each client that has a file in its "
            "`client-config-dir`, unless `disable` stands there.",
        ),
    ] = False
    clients: Annotated[
        ClientsConfig, KeySpec(Section(ClientsConfig), "What is told about VPN clients.")
    ] = ClientsConfig()
    events: Annotated[
        EventsConfig, KeySpec(Section(EventsConfig), "What is counted between polls.")
    ] = EventsConfig()
    findings: tuple[Finding, ...] = ()


class Key(msgspec.Struct, frozen=True):
    """One key of a section; `default` is `msgspec.NODEFAULT` where a value is required.

    `name` is how the file writes it, `field` how the section's type calls it.
    """

    name: str
    setting: KeySpec
    default: object
    field: str

    @property
    def required(self) -> bool:
        """Whether the file must have it."""
        return self.default is msgspec.NODEFAULT


def key_specs(section: type[msgspec.Struct]) -> tuple[Key, ...]:
    """Return the keys of a section type, in their order; a field without a setting is none."""
    return tuple(
        Key(field.encode_name, setting, field.default, field.name)
        for field in msgspec.structs.fields(section)
        for setting in typing.get_args(field.type)
        if isinstance(setting, KeySpec)
    )
