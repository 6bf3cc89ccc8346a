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
    ("auth_failed_received", "AUTH: Received control message: AUTH_FAILED,SESSION: expired"),
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
    "SENT CONTROL [alice]: 'AUTH_FAILED' (status=1)",
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
