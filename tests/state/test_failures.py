"""Failures that the log mentions in several lines: each counts once."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from exporter.management.batches import run_batches
from exporter.management.log_events.failures import failure_line
from exporter.management.notifications import LogLine
from exporter.state.events import Events
from exporter.state.failures import FailureLines
from exporter.state.logged_logins import LoggedLogins

CASES = Path(__file__).parents[1] / "data" / "cases" / "log-lines.txt"

EXPECTED = {
    "credentials missing": "credentials_missing",
    "auth failed, 2.3 and 2.4": "auth_error",
    "no common cipher": "cipher_negotiation_failed",
    "no common cipher (client)": "cipher_negotiation_failed",
    "certificate revoked, crl-verify DIR": "certificate_verify_error",
    "CRL unreadable": "crl_unreadable",
    "name not resolved (client)": "resolve_failed",
    "TCP connect failed (client)": "tcp_connect_failed",
    "wrong peer": "unexpected_peer",
    "compression mismatch": "decompress_error",
    "no address left": "no_virtual_address",
    "tls-crypt-v2": "control_packet_unauthenticated",
    "prefix of master under DCO at verb 6 and more": "tls_handshake_failed",
}
"""The event of each group in the cases; the others have more than one."""

SEVERAL = {
    "SENT CONTROL [x]: 'AUTH_FAILED' (status=1)": "auth_failed",
    "SENT CONTROL [x]: 'AUTH_FAILED,SESSION: token expired' (status=1)": "auth_session_expired",
    "--client-connect": "script_failed",
    "--auth-user-pass-verify": "auth_failed",
    "PLUGIN_AUTH_USER_PASS_VERIFY": "auth_failed",
}

PLUGIN = "PLUGIN_CALL: plugin function PLUGIN_AUTH_USER_PASS_VERIFY failed with status 1: /x.so"
SCRIPT = (
    "WARNING: Failed running command (--auth-user-pass-verify): "
    "external program exited with error status: 1"
)
FAILED = "TLS Auth Error: Auth Username/Password verification failed for peer"
SENT = "SENT CONTROL [x]: 'AUTH_FAILED' (status=1)"
SENT_UNNAMED = "SENT CONTROL [UNDEF]: 'AUTH_FAILED' (status=1)"
CHALLENGE = "SENT CONTROL [x]: 'AUTH_FAILED,CRV1:R,E:c3Rh:eA==:code?' (status=1)"
CONNECT_SCRIPT = (
    "WARNING: Failed running command (--client-connect): "
    "external program exited with error status: 1"
)
CONNECT_PLUGIN = "PLUGIN_CALL: plugin function PLUGIN_CLIENT_CONNECT failed with status 1: /x.so"
GONE = "SIGTERM[soft,delayed-exit] received, client-instance exiting"


def cases() -> list[tuple[str, str]]:
    lines = CASES.read_text().splitlines()
    pairs = [line.partition(": ") for line in lines if not line.startswith("#")]
    return [(group, text) for group, _, text in pairs]


def expected(group: str, text: str) -> str:
    return EXPECTED.get(group) or next(event for part, event in SEVERAL.items() if part in text)


def count(*texts: str, times: Sequence[int] = ()) -> dict[str, int]:
    """Return the events of these lines, one second apart by default."""
    events = Events(lambda _: None, lambda _: (None for _ in ()), LoggedLogins())
    run_batches(events.add_log_history(()))
    for text, time in zip(texts, times or range(len(texts)), strict=True):
        events.add("LOG", LogLine(time, "", text))
    return dict(+events.log_events)


def of(client: str, *messages: str) -> list[str]:
    return [f"{client} {message}" for message in messages]


@pytest.mark.parametrize(("group", "text"), cases())
def test_each_line_from_the_field_counts_once(group: str, text: str) -> None:
    assert count(text) == {expected(group, text): 1}


def test_lines_about_other_failures_hide_none_of_them() -> None:
    found = count(*(text for _, text in cases()))
    assert sum(found.values()) == len(cases())


@pytest.mark.parametrize(
    ("messages", "event"),
    [
        ([FAILED, SENT_UNNAMED, SENT], "auth_failed"),
        ([SENT_UNNAMED, SENT], "auth_failed"),
        ([PLUGIN, FAILED, SENT], "auth_failed"),
        ([SCRIPT, FAILED, SENT, SENT], "auth_failed"),
        ([PLUGIN, SCRIPT, FAILED, SENT], "auth_failed"),
        (["TLS Auth Error: peer provided a blank username", FAILED, SENT], "auth_error"),
        (["TLS Error: Username (129) or password (9) too long", SENT], "auth_error"),
        ([FAILED, CHALLENGE, CHALLENGE], "auth_failed"),
        (
            ["TLS: Username/auth-token authentication failed for username 'x'", SENT],
            "auth_token_failed",
        ),
        (
            [
                "Timestamp (1) of auth-token is out of the renewal window",
                "--auth-gen-token: auth-token from client expired",
                "TLS: Username/auth-token authentication failed for username 'x'",
                "SENT CONTROL [x]: 'AUTH_FAILED,SESSION: token expired' (status=1)",
            ],
            "auth_session_expired",
        ),
        ([CONNECT_SCRIPT, SENT_UNNAMED, SENT], "script_failed"),
        ([CONNECT_PLUGIN, "WARNING: client-connect plugin call failed", SENT], "plugin_failed"),
        (
            [
                (
                    "PUSH: No common cipher between server and client. Server data-ciphers: 'A', "
                    "client supports cipher 'B'"
                ),
                (
                    "SENT CONTROL [x]: 'AUTH_FAILED,Data channel cipher negotiation failed "
                    "(no shared cipher)' (status=1)"
                ),
            ],
            "cipher_negotiation_failed",
        ),
        (["MULTI: client has been rejected due to 'disable' directive", SENT], "client_rejected"),
        (
            [
                (
                    "WARNING: Failed running command (--tls-verify script): "
                    "external program exited with error status: 1"
                ),
                "VERIFY SCRIPT ERROR: depth=0, CN=x",
            ],
            "certificate_verify_error",
        ),
        (
            [
                "PLUGIN_CALL: plugin function PLUGIN_TLS_VERIFY failed with status 1: /x.so",
                "VERIFY PLUGIN ERROR: depth=0, CN=x",
            ],
            "certificate_verify_error",
        ),
        (
            [
                (
                    "WARNING: Failed running command (--tls-crypt-v2-verify): "
                    "external program exited with error status: 1"
                ),
                "TLS Error: can not extract tls-crypt-v2 client key from 192.0.2.1:4",
            ],
            "control_packet_unauthenticated",
        ),
        (
            [
                "Timestamp (1) of auth-token is out of the renewal window",
                "SENT CONTROL [x]: 'AUTH_FAILED,SESSION: token expired' (status=1)",
            ],
            "auth_session_expired",
        ),
        (
            [
                "MULTI: no free --ifconfig-pool addresses are available",
                (
                    "MULTI: no dynamic or static remote --ifconfig address is available for "
                    "x/192.0.2.1:4"
                ),
            ],
            "pool_exhausted",
        ),
    ],
)
def test_the_lines_of_one_failure_count_once(messages: list[str], event: str) -> None:
    first, *rest = messages  # the client has its name only after the handshake
    lines = [*of("192.0.2.1:4", first), *of("x/192.0.2.1:4", *rest)]
    assert count(*lines) == {event: 1}


def test_a_challenge_is_no_failure() -> None:
    assert count(*of("x/192.0.2.1:4", CHALLENGE, CHALLENGE)) == {}


def test_a_temporary_failure_is_an_event_of_its_own() -> None:
    sent = "SENT CONTROL [x]: 'AUTH_FAILED,TEMP[backoff 3]:later' (status=1)"
    assert count(*of("x/192.0.2.1:4", sent, sent)) == {"auth_temporarily_failed": 1}


def test_failures_of_several_clients_count_each() -> None:
    lines = [line for port in range(3) for line in of(f"x/192.0.2.1:{port}", FAILED, SENT)]
    assert count(*lines) == {"auth_failed": 3}


def test_a_second_failure_at_the_same_address_counts() -> None:
    assert count(*of("x/192.0.2.1:4", FAILED, SENT, SENT, FAILED, SENT)) == {"auth_failed": 2}
    assert count(*of("x/192.0.2.1:4", SCRIPT, FAILED, SCRIPT, FAILED)) == {"auth_failed": 2}
    assert count(*of("x/192.0.2.1:4", SCRIPT, FAILED, FAILED)) == {"auth_failed": 2}


def test_a_client_that_comes_back_from_the_same_port_fails_again() -> None:
    assert count(*of("x/192.0.2.1:4", SENT, SENT, GONE, SENT, SENT)) == {"auth_failed": 2}


def test_a_failure_long_after_another_counts() -> None:
    lines = of("x/192.0.2.1:4", FAILED, SENT)
    assert count(*lines, times=[1000, 1060]) == {"auth_failed": 1}
    assert count(*lines, times=[1000, 1061]) == {"auth_failed": 2}


def test_a_rejected_management_client_decision_counts_where_it_is_sent() -> None:
    """`client-deny` is logged without the client, so the line that names the client counts."""
    assert count("MULTI: connection rejected: no, CLI:no", *of("x/192.0.2.1:4", SENT)) == {
        "auth_failed": 1
    }


def test_the_number_of_remembered_clients_has_a_limit() -> None:
    lines = FailureLines()
    failed, sent = failure_line(FAILED), failure_line(SENT)
    assert failed is not None
    assert sent is not None
    for port in range(5000):
        assert not lines.is_repeated(f"192.0.2.1:{port}", failed, 1)
    assert lines.is_repeated("192.0.2.1:4999", sent, 1)
    assert not lines.is_repeated("192.0.2.1:1", sent, 1)


def test_the_number_of_remembered_texts_of_a_client_has_a_limit() -> None:
    lines = FailureLines()
    for number in range(100):
        line = failure_line(f"SENT CONTROL [x]: 'AUTH_FAILED,{number}' (status=1)")
        assert line is not None
        assert not lines.is_repeated("x/192.0.2.1:4", line, 1)
    (texts,) = lines._seen.values()
    assert list(texts) == [f"AUTH_FAILED,{number}" for number in range(80, 100)]
