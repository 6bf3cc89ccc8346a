"""The table of log events: each example matches its own event and no other."""

import pytest

from exporter.management.log_events import LOG_EVENTS, LogEvent

EACH = pytest.mark.parametrize("event", LOG_EVENTS, ids=lambda event: event.name)

OTHER_WORDINGS = [
    (
        "tls_negotiation_timeout",
        (
            "TLS Error: TLS key negotiation failed to occur within 5 seconds "
            "(check your network connectivity)"
        ),
    ),
    ("certificate_verify_error", "VERIFY ERROR: depth=0, error=CRL has expired: CN=alice"),
    ("certificate_verify_error", "VERIFY ERROR: depth=1, subject=CN=ca, serial=1: expired"),
    ("certificate_verify_error", "VERIFY X509NAME ERROR: CN=alice, must be bob"),
    ("certificate_verify_error", "VERIFY EKU ERROR"),
    ("certificate_verify_error", "VERIFY KU ERROR"),
    ("certificate_verify_error", "VERIFY nsCertType ERROR: CN=alice, require nsCertType=SERVER"),
    ("certificate_verify_error", "VERIFY SCRIPT ERROR: depth=0, CN=alice"),
    ("certificate_verify_error", "VERIFY PLUGIN ERROR: depth=0, CN=alice"),
    ("certificate_verify_error", "VERIFY CRL: certificate serial number 7 is revoked"),
    ("auth_failed", "SENT CONTROL [alice]: 'AUTH_FAILED' (status=1)"),
    ("auth_failed", "SENT CONTROL [Zoë (laptop)]: 'AUTH_FAILED,account locked' (status=-1)"),
    (
        "auth_failed",
        (
            "WARNING: Failed running command (--auth-user-pass-verify): "
            "could not execute external program"
        ),
    ),
    (
        "auth_failed",
        "PLUGIN_CALL: plugin function PLUGIN_AUTH_USER_PASS_VERIFY failed with status 1: /x.so",
    ),
    ("auth_error", "TLS Auth Error (verify_user_pass_plugin): peer provided a blank username"),
    ("auth_error", "TLS Auth Error: user-pass-verify script failed to execute"),
    ("auth_error", "TLS Error: Username (129) or password (4000) too long"),
    ("auth_session_expired", "SENT CONTROL [a]: 'AUTH_FAILED,SESSION: token expired' (status=1)"),
    ("auth_session_expired", "AUTH: Received control message: AUTH_FAILED,SESSION: expired"),
    ("auth_session_expired", "--auth-token-gen: auth-token from client expired"),
    ("auth_session_expired", "Auth-token for client expired"),
    (
        "auth_session_expired",
        "Timestamp (1795404638) of auth-token is out of the renegotiation window",
    ),
    ("auth_temporarily_failed", "SENT CONTROL [a]: 'AUTH_FAILED,TEMP:later' (status=1)"),
    ("auth_temporarily_failed", "AUTH: Received control message: AUTH_FAILED,TEMP[backoff 9]:x"),
    ("auth_failed_received", "AUTH: Received control message: AUTH_FAILED,account locked"),
    ("certificate_verify_error", "VERIFY CRL: depth=0, CN=rita, serial=3 is revoked"),
    ("certificate_verify_error", "VERIFY CRL: depth=0, CN=rita, serial number is not available"),
    (
        "certificate_verify_error",
        (
            "TLS Error: --tls-verify/--peer-fingerprint certificate hash verification failed. "
            "(got certificate fingerprint: 00:11)"
        ),
    ),
    ("certificate_verify_error", "TLS Error: Certificate verification failed (key-method 2)"),
    (
        "certificate_verify_error",
        (
            "WARNING: Failed running command (--tls-verify script): "
            "external program exited with error status: 1"
        ),
    ),
    (
        "control_packet_unauthenticated",
        "TLS Error: can not extract tls-crypt-v2 client key from [AF_INET]192.0.2.1:40000",
    ),
    (
        "control_packet_unauthenticated",
        "TLS Error: could not determine wrapping from [AF_INET]192.0.2.1:40000",
    ),
    (
        "cipher_negotiation_failed",
        (
            "PUSH: No common cipher between server and client. Server data-ciphers: "
            "'AES-256-GCM', client supported ciphers 'AES-128-GCM'"
        ),
    ),
    (
        "cipher_negotiation_failed",
        (
            "Use --data-ciphers-fallback with the cipher the client is using if you want to "
            "allow the client to connect"
        ),
    ),
    (
        "cipher_negotiation_failed",
        "Error: pushed cipher not allowed - BF-CBC not in AES-256-GCM or AES-256-GCM",
    ),
    ("script_failed", "client-connect command failed: external program did not exit normally"),
    ("script_failed", "WARNING: learn-address command failed: could not execute external program"),
    (
        "script_failed",
        "WARNING: Failed running command (--learn-address): disallowed by script-security setting",
    ),
    ("crl_unreadable", "CRL: cannot read: crl.pem"),
    ("crl_unreadable", "WARNING: Failed to stat CRL file, not reloading CRL."),
    ("decompress_error", "Bad compression stub (swap) decompression header byte: 42"),
    ("decompress_error", "Bad LZ4v2 decompression header byte: 42"),
    ("decompress_error", "LZO decompression error: -4"),
    (
        "resolve_failed",
        (
            "RESOLVE: Cannot resolve host address: vpn.example.test: [HOST_NOT_FOUND] "
            "The specified host is unknown."
        ),
    ),
    (
        "tcp_connect_failed",
        (
            "TCP: connect to [AF_INET]192.0.2.4:443 failed, will try again in 5 seconds: "
            "Connection refused"
        ),
    ),
    ("proxy_failed", "socks_handshake: Socks proxy returned bad status"),
    ("auth_failed_received", "AUTH: Received AUTH_FAILED control message"),
    (
        "control_packet_unauthenticated",
        "TLS Error: cannot locate HMAC in incoming packet from [AF_INET]192.0.2.1:40000",
    ),
    (
        "control_packet_unauthenticated",
        "TLS Error: incoming packet authentication failed from [AF_INET6]2001:db8::1:40000",
    ),
    (
        "keys_out_of_sync",
        (
            "TLS Error: local/remote TLS keys are out of sync: "
            "[AF_INET]192.0.2.1:40000 (received key id: 1, known key ids: [key#0 state=S_ACTIVE])"
        ),
    ),
    (
        "replay",
        (
            "Authenticate/Decrypt packet error: bad packet ID (may be a replay): "
            "[ #81 / time = (1444577767) 2015-10-12 00:36:07 ] -- see the man page entry"
        ),
    ),
    ("replay", "AEAD Decrypt error: bad packet ID (may be a replay): [ #141 ] -- see the man page"),
    ("replay", "tls-crypt unwrap error: bad packet ID (may be a replay): [ #1 ] -- see the man"),
    ("decrypt_error", "Authenticate/Decrypt packet error: packet tag authentication failed"),
    ("decrypt_error", "AEAD Decrypt error: cipher final failed"),
    (
        "bad_packet_length",
        (
            "WARNING: Bad encapsulated packet length from peer (18245), which must "
            "be > 0 and <= 1544 -- please ensure that --tun-mtu or --link-mtu is equal"
        ),
    ),
    (
        "handshake_rate_limited",
        (
            "MULTI: Connection from 192.0.2.1:40000 would exceed new connection "
            "frequency limit as controlled by --connect-freq"
        ),
    ),
    ("ping_timeout", "Inactivity timeout (--ping-exit), exiting"),
    ("connection_reset", "Connection reset, restarting [-1]"),
    ("connection_reset", "Connection reset, inetd/xinetd exit [0]"),
]

NO_EVENTS = [
    # No failures: a success, or an additional line of an event that is counted by another line.
    "VERIFY OK: depth=0, CN=alice",
    "VERIFY EKU OK",
    "TLS: Username/Password authentication succeeded for username 'alice' ",
    "TLS: Username/auth-token authentication succeeded for username 'alice' ",
    "SENT CONTROL [alice]: 'AUTH_FAILED,CRV1:R,E:c3Rh:YWxpY2U=:code?' (status=1)",
    "AUTH: Received control message: AUTH_FAILED,CRV1:R,E:c3Rh:YWxpY2U=:code?",
    "SENT CONTROL [alice]: 'AUTH_PENDING,timeout 60' (status=1)",
    "MULTI: connection rejected: no, CLI:wrong",
    "WARNING: client-connect plugin call failed",
    "PLUGIN_CALL: POST /x.so/PLUGIN_AUTH_USER_PASS_VERIFY status=1",
    "PUSH: No NCP or OCC cipher data received from peer.",
    "Using data channel cipher 'BF-CBC' since --data-ciphers-fallback is set.",
    "3 variation(s) on previous 20 message(s) suppressed by --mute",
    "TLS CRYPT V2 VERIFY SCRIPT ERROR",
    "or from peer address: [AF_INET]192.0.2.4:443",
    "OpenSSL: error:0A000086:SSL routines::certificate verify failed:",
    "TLS_ERROR: BIO read tls_read_plaintext error",
    "tls-crypt unwrap error: packet authentication failed",
    # Ordinary sessions of clients, which are counted elsewhere.
    "[alice] Peer Connection Initiated with [AF_INET]192.0.2.1:40000",
    "MULTI_sva: pool returned IPv4=10.8.0.2, IPv6=(Not enabled)",
    "SIGTERM[soft,delayed-exit] received, client-instance exiting",
    "TCP connection established with [AF_INET]192.0.2.1:40000",
    "TLS: soft reset sec=3600/3600 bytes=100/-1 pkts=2/0",
    "CC-EEN exit message received by peer",
    "[alice] Inactivity timeout (--inactive), exiting",
    "Initialization Sequence Completed",
    # Logged before the client is known.
    "Float requested for peer 0 to 192.0.2.2:40001",
    "read UDPv4 [ECONNREFUSED]: Connection refused (fd=5,code=111)",
]


def matching_events(message: str) -> list[str]:
    return [event.name for event in LOG_EVENTS if event.matches(message)]


@EACH
def test_each_example_matches_its_event_alone(event: LogEvent) -> None:
    assert matching_events(event.example) == [event.name]


@EACH
def test_a_message_that_contains_an_example_matches_no_event(event: LogEvent) -> None:
    assert matching_events(f"x {event.example}") == []
    assert matching_events(f"x{event.example}") == []


@EACH
def test_each_event_has_a_meaning_and_a_verbosity(event: LogEvent) -> None:
    assert event.meaning.endswith(".")
    assert event.versions.endswith(("2.7", ")"))
    assert 0 <= event.verb <= 4


def test_names_are_unique_label_values() -> None:
    names = [event.name for event in LOG_EVENTS]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)


@pytest.mark.parametrize(("name", "message"), OTHER_WORDINGS)
def test_the_wording_of_another_version_matches_the_same_event(name: str, message: str) -> None:
    assert matching_events(message) == [name]


@pytest.mark.parametrize("message", NO_EVENTS)
def test_an_ordinary_message_matches_no_event(message: str) -> None:
    assert matching_events(message) == []
