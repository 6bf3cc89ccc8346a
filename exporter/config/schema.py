"""Every key of the configuration: its type, default, bounds and description.

The only place of defaults. `docs/configuration.md` and the errors are generated from it.
"""

import enum
from pathlib import Path
from typing import Annotated

import msgspec

from exporter.config.expected_clients import COMMON_NAME, ExpectedAnywhere
from exporter.config.idle import IdleAfter, IdleRate
from exporter.config.keys import KeySpec
from exporter.config.pki import DaemonPki, GeneralPki
from exporter.config.port_probe import PortProbeConfig, PortProbeEntry
from exporter.config.probe_plan import ProbePlan
from exporter.config.secret_files import PrivacyKey
from exporter.config.share import ShareConfig
from exporter.config.types import (
    Boolean,
    CertificateFile,
    Choice,
    CommandLine,
    DaemonName,
    Duration,
    FilePath,
    GlobPattern,
    Group,
    GroupName,
    Integer,
    ListOf,
    ListOfSections,
    ManagementAddress,
    Network,
    PasswordFile,
    PrivacyKeyFile,
    Section,
)
from exporter.management.endpoint import Endpoint
from exporter.openvpn_config import Discovery, Finding, OpenVpnConfig

DAEMON_NAME = DaemonName(64)


class Identity(enum.StrEnum):
    """The field that identifies a VPN user."""

    AUTO = "auto"
    COMMON_NAME = "common_name"
    USERNAME = "username"


class SlotPolicy(enum.StrEnum):
    """The use of the daemon's single management slot between polls."""

    HOLD = "hold"
    RELEASE = "release"


class PassThrough(enum.StrEnum):
    """Whether another management client shares the daemon's management interface."""

    AUTO = "auto"
    TRUE = "true"
    FALSE = "false"


class PrivacyMode(enum.StrEnum):
    """The personal data of clients that is exposed."""

    PLAIN = "plain"
    PSEUDONYM = "pseudonym"
    NONE = "none"


class DaemonConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One OpenVPN process to monitor; durations are in seconds.

    `openvpn_config` and `probe_plan` are not keys: they are the daemon's own configuration, if
    discovered, and what `port_probe` means with it.
    """

    name: Annotated[
        str, KeySpec(DAEMON_NAME, "Value of the label `daemon` of every series.", unique=True)
    ]
    management: Annotated[
        Endpoint | None,
        KeySpec(
            ManagementAddress(),
            "Address of the management interface: `127.0.0.1:7505`, `[::1]:7505`, "
            "`unix:/run/openvpn/office.sock`; for a daemon that connects to the exporter "
            "(`--management-client`; it exits when the exporter stops) "
            "`listen:unix:/run/openvpn-exporter/office.sock`, or `listen:127.0.0.1:7600`; see "
            "[connecting daemons](management.md#daemons-that-connect-to-the-exporter).",
            unique=True,
            alternative="status_file",
        ),
    ] = None
    password_file: Annotated[
        Path | None,
        KeySpec(
            PasswordFile(),
            "File with the management password on its first line, relative to the configuration "
            "file.",
        ),
    ] = None
    listen_group: Annotated[
        Group | None,
        KeySpec(
            GroupName(),
            "With `listen:unix:`, the group of the socket, whose members may connect, too; by "
            "default only root and the exporter's own user.",
        ),
    ] = None
    allow_from: Annotated[
        tuple[str, ...],
        KeySpec(
            ListOf(Network()),
            "With `listen:HOST:PORT`, the addresses and networks from which a daemon may connect, "
            "besides loopback.",
        ),
    ] = ()
    status_file: Annotated[
        Path | None,
        KeySpec(
            FilePath(),
            "The daemon's status file (`--status`), relative to the configuration file: read while "
            "the management interface is down, or if there is none. It has less data; see "
            "[status files](status-files.md).",
            unique=True,
        ),
    ] = None
    status_max_age: Annotated[
        float,
        KeySpec(
            Duration("1s", "1d"),
            "Maximum age of the status in that file; OpenVPN writes it every 60 s by default.",
        ),
    ] = 180.0
    timeout: Annotated[float, KeySpec(Duration("100ms", "5m"), "Timeout of each reply.")] = 10.0
    slot: Annotated[
        SlotPolicy,
        KeySpec(
            Choice(SlotPolicy),
            "`hold` keeps the daemon's single management slot; `release` disconnects after each "
            "poll, for daemons that other tools use. With `release` the daemon logs more lines, "
            "and events between polls are known only as far as the daemon remembers them.",
        ),
    ] = SlotPolicy.HOLD
    pass_through: Annotated[
        PassThrough,
        KeySpec(
            Choice(PassThrough),
            "`true`: the address is another management client's that shares the interface, such "
            "as openvpn-auth-oauth2. Nothing is switched on there; events are counted at each "
            "poll. `auto` recognises it. See [sharing a daemon](sharing.md).",
        ),
    ] = PassThrough.AUTO
    share: Annotated[
        ShareConfig | None,
        KeySpec(
            Section(ShareConfig),
            "Share the management interface with other tools, read-only; see "
            "[sharing a daemon](sharing.md).",
        ),
    ] = None
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
            "Time between polls of this daemon; default: the `poll_interval` of the top level.",
        ),
    ] = None
    expected_clients: Annotated[
        tuple[str, ...],
        KeySpec(
            ListOf(COMMON_NAME),
            "Clients that always have a series, connected or not, by their identity: no patterns.",
        ),
    ] = ()
    max_clients: Annotated[
        int | None,
        KeySpec(Integer(1_000_000), "The daemon's `max-clients`, exposed as a metric."),
    ] = None
    address_pool_size: Annotated[
        int | None,
        KeySpec(
            Integer(1_000_000),
            "The number of clients that the daemon's address pool can serve, exposed as a metric.",
        ),
    ] = None
    privacy: Annotated[
        PrivacyMode | None,
        KeySpec(Choice(PrivacyMode), "Privacy of this daemon; default: `clients.privacy`."),
    ] = None
    cert: Annotated[
        Path | None,
        KeySpec(
            CertificateFile(),
            "The daemon's `cert`, whose expiry is exposed; needs the extra `certificates`.",
        ),
    ] = None
    ca: Annotated[Path | None, KeySpec(CertificateFile(), "The daemon's `ca`, likewise.")] = None
    crl_verify: Annotated[
        Path | None,
        KeySpec(CertificateFile(), "The daemon's `crl-verify`, if it is a file, likewise."),
    ] = None
    port_probe: Annotated[
        PortProbeConfig | None,
        KeySpec(
            Section(PortProbeConfig, single="enabled"),
            "Probe the ports of the daemon, as a client would with its first packet: `true`, or a "
            "section; see [port probes](port-probes.md).",
        ),
    ] = None
    pki: DaemonPki = None
    openvpn_config: OpenVpnConfig | None = None
    probe_plan: ProbePlan | None = None


class DiscoverConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One pattern of OpenVPN's own configuration files."""

    pattern: Annotated[
        str,
        KeySpec(
            GlobPattern(),
            "Pattern of file names, relative to this file. A daemon has the name that the "
            "wildcards cover: `/etc/openvpn/server/*.conf` gives `office`.",
            unique=True,
        ),
    ]
    options: Annotated[
        str | None,
        KeySpec(
            CommandLine(),
            "Options that a service manager adds on OpenVPN's command line, in OpenVPN's own "
            "syntax: `--management /run/openvpn-management/%i.sock unix`; `%i` is the instance. "
            "Those of the usual systemd units are known; see [discovery](discovery.md).",
        ),
    ] = None
    allow_empty: Annotated[
        bool, KeySpec(Boolean(), "Accept that no file matches, without a warning.")
    ] = False


class ClientsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Metrics of VPN clients; durations are in seconds."""

    series: Annotated[
        bool, KeySpec(Boolean(), "Series of each client: traffic, sessions, times.")
    ] = True
    info: Annotated[
        bool, KeySpec(Boolean(), "Labels of each session: addresses, cipher, platform.")
    ] = True
    routes: Annotated[
        bool, KeySpec(Boolean(), "One series for each route of the routing table.")
    ] = False
    identity: Annotated[
        Identity,
        KeySpec(
            Choice(Identity),
            "Field that identifies a client; `auto`: the common name, else the username.",
        ),
    ] = Identity.AUTO
    forget_after: Annotated[
        float,
        KeySpec(
            Duration("1s", "30d"), "How long the series of a client stay after it disconnected."
        ),
    ] = 3600.0
    limit: Annotated[
        int,
        KeySpec(
            Integer(1_000_000),
            "Maximum number of clients of one daemon with series of their own, and of series in "
            "each metric with a series per session, route or cipher.",
        ),
    ] = 20_000
    idle_after: IdleAfter = 3600.0
    idle_rate: IdleRate = 20
    privacy: Annotated[
        PrivacyMode,
        KeySpec(
            Choice(PrivacyMode),
            "`plain`: names and addresses; `pseudonym`: a keyed digest of each name, and the "
            "network of each address; `none`: no series of single clients, expected ones included. "
            "See [privacy](privacy.md).",
        ),
    ] = PrivacyMode.PLAIN
    privacy_key_file: Annotated[
        PrivacyKey | None,
        KeySpec(
            PrivacyKeyFile(),
            "File with the key for `pseudonym`, 16 bytes or more, relative to the configuration "
            "file; the same key gives the same pseudonyms.",
        ),
    ] = None


class EventsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Events that are counted between polls."""

    log: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Read the daemon's log in real time and count known events. The daemon needs no option "
            "for it; its `verb` decides which lines exist.",
        ),
    ] = True


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole configuration; durations are in seconds.

    `findings` and `discovery` are not keys: they are the result of `discover`.
    """

    poll_interval: Annotated[
        float, KeySpec(Duration("1s", "1h"), "Time between polls of each daemon.")
    ] = 15.0
    refresh_on_scrape: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Poll when a scrape finds a status older than one second; the scrape waits for the "
            "poll. Rates are exact with any intervals (`docs/polling.md`). Only daemons with an "
            "open session are polled; `slot: release` keeps its interval.",
        ),
    ] = False
    daemons: Annotated[
        tuple[DaemonConfig, ...],
        KeySpec(
            ListOfSections(DaemonConfig),
            "The daemons to monitor; optional with `discover`. An entry with the name of a "
            "discovered daemon overrides single keys of it, and needs no `management`.",
        ),
    ] = ()
    discover: Annotated[
        tuple[DiscoverConfig, ...],
        KeySpec(
            ListOfSections(DiscoverConfig, hint="list of patterns or sections", single="pattern"),
            "Patterns of OpenVPN's own configuration files, each a text or a section: each file is "
            "a daemon; see [discovery](discovery.md).",
        ),
    ] = ()
    expected_from_ccd: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Of each discovered server, expect the clients with a file in its `client-config-dir` "
            "that does not contain `disable`.",
        ),
    ] = False
    expected_clients: ExpectedAnywhere = ()
    clients: Annotated[
        ClientsConfig, KeySpec(Section(ClientsConfig), "Metrics of VPN clients.")
    ] = ClientsConfig()
    events: Annotated[
        EventsConfig, KeySpec(Section(EventsConfig), "Events that are counted between polls.")
    ] = EventsConfig()
    pki: GeneralPki = None
    port_probes: Annotated[
        tuple[PortProbeEntry, ...],
        KeySpec(
            ListOfSections(PortProbeEntry),
            "Ports of servers that are not monitored here, to probe from outside; see "
            "[port probes](port-probes.md).",
        ),
    ] = ()
    findings: tuple[Finding, ...] = ()
    discovery: Discovery = Discovery()
