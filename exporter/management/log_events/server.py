"""Limits, scripts and files of a daemon."""

from exporter.management.log_events.event import LogEvent
from exporter.management.state import SERVER

SERVER_EVENTS = (
    LogEvent(
        "client_limit_reached",
        r"MULTI: new incoming connection would exceed maximum number of clients \(\d+\)",
        1,
        "2.1-2.7",
        "MULTI: new incoming connection would exceed maximum number of clients (100)",
        "A client was rejected because of max-clients; repeated at each retry.",
        SERVER,
    ),
    LogEvent(
        "pool_exhausted",
        r"MULTI: no free --ifconfig-pool addresses are available",
        1,
        "2.1-2.7",
        "MULTI: no free --ifconfig-pool addresses are available",
        "The address pool had no free address for a client.",
        SERVER,
    ),
    LogEvent(
        "no_virtual_address",
        r"MULTI: no dynamic or static remote --ifconfig address is available for .*",
        1,
        "2.1-2.7",
        "MULTI: no dynamic or static remote --ifconfig address is available for "
        "alice/192.0.2.1:40000",
        "A client was let in without an IPv4 address: normal on a bridge, or without a pool.",
        SERVER,
    ),
    LogEvent(
        "route_quota_exceeded",
        r"MULTI ROUTE: route quota \(\d+\) exceeded for .*",
        3,
        "2.1-2.7",
        "MULTI ROUTE: route quota (256) exceeded for alice/192.0.2.1:40000 "
        "(see --max-routes-per-client option)",
        "A client exceeded its limit of routes.",
        SERVER,
    ),
    LogEvent(
        "session_replaced",
        r"MULTI: new connection by client '.*' will cause previous active sessions "
        r"by this client to be dropped\..*",
        3,
        "2.1-2.7",
        "MULTI: new connection by client 'alice' will cause previous active sessions by this "
        "client to be dropped.  Remember to use the --duplicate-cn option if you want multiple "
        "clients using the same certificate or username to concurrently connect.",
        "A second session of a name replaced its first one; duplicate-cn is not set.",
        SERVER,
    ),
    LogEvent(
        "client_rejected",
        r"MULTI: client has been rejected due to .*"
        r"|Client does not support DATA_V2\. .* Dropping client\."
        r"|PUSH: client does not support TLS Keying Material Exporters but .*",
        1,
        "2.1-2.7",
        "MULTI: client has been rejected due to 'disable' directive",
        "A client was rejected: it is disabled, or its options do not suit the server's.",
        SERVER,
    ),
    LogEvent(
        "handshake_rate_limited",
        r"(?:Note: --connect-freq-initial \d+ \d+ rate limit exceeded, .*"
        r"|MULTI: Connection from .* would exceed new connection frequency limit as controlled by "
        r"--connect-freq)",
        0,
        "2.1-2.7 (verb 1 for connect-freq)",
        "Note: --connect-freq-initial 100 10 rate limit exceeded, dropping initial handshake "
        "packets for the next 10 seconds",
        "New handshakes exceeded connect-freq or connect-freq-initial.",
        SERVER,
    ),
    LogEvent(
        "script_failed",
        r"WARNING: Failed running command \((?!--auth-user-pass-verify\)|--tls-verify script\)"
        r"|--tls-crypt-v2-verify\))--[^)]*\): .*"
        r"|(?:client-connect|(?:WARNING: )?learn-address|client-disconnect|ip-change)"
        r" command failed: .*"
        r"|(?:Route )?script failed: .*",
        0,
        "2.1-2.7",
        "WARNING: Failed running command (--client-connect): "
        "external program exited with error status: 1",
        "A script failed, other than those that verify logins, certificates and keys.",
    ),
    LogEvent(
        "plugin_failed",
        r"PLUGIN_CALL: plugin function (?!PLUGIN_AUTH_USER_PASS_VERIFY |PLUGIN_TLS_VERIFY )\S+"
        r" failed with status -?\d+: .*",
        0,
        "2.1-2.7",
        "PLUGIN_CALL: plugin function PLUGIN_CLIENT_CONNECT failed with status 1: "
        "/usr/lib/openvpn/plugins/example.so",
        "A plugin failed, other than those that verify logins and certificates.",
    ),
    LogEvent(
        "crl_unreadable",
        r"CRL: cannot (?:read|parse|add)\b.*"
        r"|WARNING: Failed to stat CRL file, not (?:\(re\)|re)loading CRL\.",
        0,
        "2.1-2.7",
        "CRL: cannot read CRL from file crl.pem",
        "The CRL could not be read: it stays as it was, or every client is rejected.",
    ),
    LogEvent(
        "lines_muted",
        r"NOTE: --mute triggered\.\.\.",
        1,
        "2.1-2.7",
        "NOTE: --mute triggered...",
        "The daemon hides lines because of its `mute`; events in them are not counted.",
    ),
)
