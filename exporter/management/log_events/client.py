"""The connection of a client to its server."""

from exporter.management.log_events.event import LogEvent
from exporter.management.state import TUNNEL

CLIENT_EVENTS = (
    LogEvent(
        "resolve_failed",
        r"RESOLVE: Cannot (?:resolve host address|parse IP address): .*",
        1,
        "2.1-2.7",
        "RESOLVE: Cannot resolve host address: vpn.example.test:1194 (Name or service not known)",
        "The name of the server could not be resolved.",
    ),
    LogEvent(
        "tcp_connect_failed",
        r"TCP: connect to .* failed(?:, will try again in \d+ seconds)?: .*",
        1,
        "2.1-2.7",
        "TCP: connect to [AF_INET]192.0.2.4:443 failed: Connection refused",
        "The server did not accept a TCP connection.",
        TUNNEL,
    ),
    LogEvent(
        "proxy_failed",
        r"HTTP proxy returned bad status|HTTP proxy: digest auth failed, .*"
        r"|(?:socks_handshake|socks_username_password_auth|recv_socks_reply|recv_line"
        r"|establish_socks_proxy_\w+): .*",
        1,
        "2.1-2.7",
        "HTTP proxy returned bad status",
        "An HTTP or SOCKS proxy did not connect to the server.",
        TUNNEL,
    ),
)
