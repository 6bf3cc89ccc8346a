"""The log events that are counted: one row for each.

A pattern matches a whole message, without the client at the line's beginning. `verb` is the lowest
verbosity at which the daemon logs the message, `versions` are those of OpenVPN that log it.
"""

import re

import msgspec


class LogEvent(msgspec.Struct, frozen=True):
    """One event; `name` is the value of the label `event`."""

    name: str
    pattern: str
    verb: int
    versions: str
    example: str
    meaning: str

    def matches(self, message: str) -> bool:
        """Return whether a message, without its client, is this event."""
        return re.fullmatch(self.pattern, message, re.DOTALL) is not None

    def __hash__(self) -> int:
        return hash(self.name)


LOG_EVENTS = (
    LogEvent(
        "tls_handshake_failed",
        r"TLS Error: TLS handshake failed",
        1,
        "2.1-2.7",
        "TLS Error: TLS handshake failed",
        "A TLS handshake failed, for any reason; once for each attempt.",
    ),
    LogEvent(
        "tls_negotiation_timeout",
        r"TLS Error: TLS key negotiation failed to occur within \d+ seconds .*",
        1,
        "2.1-2.7",
        "TLS Error: TLS key negotiation failed to occur within 60 seconds "
        "(check your network connectivity)",
        "A peer did not complete a TLS handshake in time.",
    ),
    LogEvent(
        "tls_read_error",
        r"TLS Error: TLS object -> incoming plaintext read error",
        1,
        "2.1-2.7",
        "TLS Error: TLS object -> incoming plaintext read error",
        "The TLS library rejected data from a peer.",
    ),
    LogEvent(
        "certificate_verify_error",
        r"VERIFY (?:(?:(?:X509NAME|nsCertType|EKU|KU|SCRIPT|PLUGIN) )?ERROR\b.*"
        r"|CRL: certificate serial number .* is revoked)",
        1,
        "2.1-2.7",
        "VERIFY ERROR: depth=0, error=certificate has expired: CN=alice, serial=1",
        "A peer's certificate was rejected.",
    ),
    LogEvent(
        "auth_failed",
        r"TLS Auth Error: Auth Username/Password verification failed for peer",
        1,
        "2.1-2.7",
        "TLS Auth Error: Auth Username/Password verification failed for peer",
        "A server rejected a user name or password.",
    ),
    LogEvent(
        "auth_token_failed",
        r"TLS: Username/auth-token authentication failed for username '.*' ?",
        0,
        "2.4-2.7",
        "TLS: Username/auth-token authentication failed for username 'alice' ",
        "A server rejected an authentication token.",
    ),
    LogEvent(
        "auth_error",
        r"TLS Auth Error: (?!Auth Username/Password verification failed for peer).*",
        1,
        "2.1-2.7",
        "TLS Auth Error: peer provided a blank username",
        "Any other authentication error.",
    ),
    LogEvent(
        "auth_failed_received",
        r"AUTH: Received (?:control message: AUTH_FAILED|AUTH_FAILED control message).*",
        0,
        "2.1-2.7",
        "AUTH: Received control message: AUTH_FAILED",
        "A client received AUTH_FAILED from its server.",
    ),
    LogEvent(
        "control_packet_unauthenticated",
        r"TLS Error: (?:cannot locate HMAC in incoming packet|incoming packet authentication failed"
        r"|tls-crypt unwrapping failed) from .*",
        1,
        "2.1-2.7",
        "TLS Error: tls-crypt unwrapping failed from [AF_INET]192.0.2.1:40000",
        "A packet without the right tls-auth or tls-crypt key: a scan, or a wrong key.",
    ),
    LogEvent(
        "control_packet_unroutable",
        r"TLS Error: Unroutable control packet received from .*",
        1,
        "2.1-2.7",
        "TLS Error: Unroutable control packet received from [AF_INET]192.0.2.1:40000 "
        "(si=3 op=P_CONTROL_V1)",
        "A control packet belonged to no known session.",
    ),
    LogEvent(
        "keys_out_of_sync",
        r"TLS Error: local/remote TLS keys are out of sync: .*",
        1,
        "2.1-2.7",
        "TLS Error: local/remote TLS keys are out of sync: [AF_INET]192.0.2.1:40000 [0]",
        "A packet used a key that is not active.",
    ),
    LogEvent(
        "replay",
        r"(?:Authenticate/Decrypt packet error|AEAD Decrypt error|tls-crypt unwrap error): "
        r"bad packet ID \(may be a replay\): .*",
        1,
        "2.1-2.7",
        "Authenticate/Decrypt packet error: bad packet ID (may be a replay): [ #1 ] -- "
        "see the man page entry for --replay-window",
        "A packet arrived twice or far too late.",
    ),
    LogEvent(
        "decrypt_error",
        r"(?:Authenticate/Decrypt packet error|AEAD Decrypt error): (?!bad packet ID).*",
        1,
        "2.1-2.7 (verb 4 in 2.7)",
        "Authenticate/Decrypt packet error: packet HMAC authentication failed",
        "A data packet could not be decrypted or authenticated.",
    ),
    LogEvent(
        "bad_packet_length",
        r"WARNING: Bad encapsulated packet length from peer \(\d+\), .*",
        0,
        "2.1-2.7",
        "WARNING: Bad encapsulated packet length from peer (18245), "
        "which must be > 0 and <= 1627 -- please ensure that --tun-mtu is equal on both peers",
        "A TCP port received data that is not OpenVPN's.",
    ),
    LogEvent(
        "bad_source_address",
        r"MULTI: bad source address from client \[.*\], packet dropped",
        4,
        "2.1-2.7",
        "MULTI: bad source address from client [192.168.1.7], packet dropped",
        "A client sent a packet from an address that is not its own.",
    ),
    LogEvent(
        "output_saturation",
        r"MULTI: packet dropped due to output saturation.*",
        4,
        "2.1-2.7",
        "MULTI: packet dropped due to output saturation (multi_add_mbuf)",
        "A packet was dropped because a queue to the clients was full.",
    ),
    LogEvent(
        "client_limit_reached",
        r"MULTI: new incoming connection would exceed maximum number of clients \(\d+\)",
        1,
        "2.1-2.7",
        "MULTI: new incoming connection would exceed maximum number of clients (100)",
        "A client was rejected because of max-clients; repeated at each retry.",
    ),
    LogEvent(
        "pool_exhausted",
        r"MULTI: no free --ifconfig-pool addresses are available",
        1,
        "2.1-2.7",
        "MULTI: no free --ifconfig-pool addresses are available",
        "The address pool had no free address for a client.",
    ),
    LogEvent(
        "route_quota_exceeded",
        r"MULTI ROUTE: route quota \(\d+\) exceeded for .*",
        3,
        "2.1-2.7",
        "MULTI ROUTE: route quota (256) exceeded for alice/192.0.2.1:40000 "
        "(see --max-routes-per-client option)",
        "A client exceeded its limit of routes.",
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
    ),
    LogEvent(
        "ping_timeout",
        r"(?:\[.*\] )?Inactivity timeout \(--ping-(?:restart|exit)\), (?:restarting|exiting)",
        1,
        "2.1-2.7",
        "[alice] Inactivity timeout (--ping-restart), restarting",
        "No packet arrived from a peer within the ping timeout.",
    ),
    LogEvent(
        "connection_reset",
        r"Connection reset, (?:restarting|inetd/xinetd exit) \[-?\d+\]",
        1,
        "2.1-2.7",
        "Connection reset, restarting [0]",
        "A TCP connection was reset; port scans cause this, too.",
    ),
    LogEvent(
        "tls_fatal",
        r"Fatal TLS error \(check_tls_errors(?:_co|_nco)?\), restarting",
        1,
        "2.1-2.7",
        "Fatal TLS error (check_tls_errors_co), restarting",
        "A TCP connection was closed after a failed TLS handshake.",
    ),
    LogEvent(
        "client_floated",
        r"peer (?:ID |\d+ )?\((?>.*?\) floated from )(?>.*? to ).*",
        4,
        "2.4-2.7",
        "peer 0 (alice) floated from 192.0.2.1:40000 to [AF_INET]192.0.2.2:40001",
        "A client's address changed.",
    ),
)
