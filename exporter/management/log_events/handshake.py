"""TLS handshakes, certificates, and the packets of the control channel."""

from exporter.management.log_events.event import LogEvent

HANDSHAKE_EVENTS = (
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
        "tls_fatal",
        r"Fatal TLS error \(check_tls_errors(?:_co|_nco)?\), restarting",
        1,
        "2.1-2.7",
        "Fatal TLS error (check_tls_errors_co), restarting",
        "A TCP connection was closed after a failed TLS handshake.",
    ),
    LogEvent(
        "certificate_verify_error",
        r"VERIFY (?:(?:(?:X509NAME|nsCertType|EKU|KU|SCRIPT|PLUGIN) )?ERROR\b.*"
        r"|CRL: (?:certificate serial number .* is revoked|depth=\d+, .*|filename overflow))"
        r"|TLS Error: (?:--tls-verify(?:/--peer-fingerprint)? certificate hash verification failed"
        r"\..*"
        r"|Convoluted certificate chain detected .*"
        r"|Certificate verification failed \(key-method 2\))"
        r"|WARNING: Failed running command \(--tls-verify script\): .*"
        r"|PLUGIN_CALL: plugin function PLUGIN_TLS_VERIFY failed with status -?\d+: .*",
        1,
        "2.1-2.7",
        "VERIFY ERROR: depth=0, error=certificate has expired: CN=alice, serial=1",
        "A peer's certificate was rejected.",
    ),
    LogEvent(
        "control_packet_unauthenticated",
        r"TLS Error: (?:cannot locate HMAC in incoming packet|incoming packet authentication failed"
        r"|tls-crypt unwrapping failed|can not extract tls-crypt-v2 client key"
        r"|could not determine wrapping) from .*"
        r"|tls-crypt-v2 server-side: client key is not valid"
        r"|WARNING: Failed running command \(--tls-crypt-v2-verify\): .*",
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
        "cipher_negotiation_failed",
        r"PUSH: No common cipher between server and client\. .*"
        r"|Use --data-ciphers-fallback with the cipher the client is using if you want to allow .*"
        r"|OPTIONS ERROR: failed to negotiate cipher with server\. .*"
        r"|ERROR: failed to negotiate cipher with peer and --data-ciphers-fallback not enabled\..*"
        r"|Error: (?:negotiated|pushed) cipher not allowed - .*",
        1,
        "2.4-2.7",
        "PUSH: No common cipher between server and client. Server data-ciphers: "
        "'AES-256-GCM:AES-128-GCM', client supports cipher 'BF-CBC'",
        "A client and a server have no data cipher in common.",
    ),
)
