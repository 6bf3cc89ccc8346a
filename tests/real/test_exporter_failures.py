"""Failures in the log of real daemons: each is counted once, under the right event."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.at_once import Outcomes, run_at_once
from tests.real.changes import increase
from tests.real.client import Credentials, client
from tests.real.daemon import running
from tests.real.lab import Lab
from tests.real.scraping import daemon_config, scraping
from tests.real.server import Server, server, user_password_options

EVENTS = "openvpn_log_events_total"
WRONG_PASSWORD = Credentials("alice", "bad")
REJECTED = "AUTH: Received control message: AUTH_FAILED"
CLIENT_REMOVED = "client-instance"
PAM = Path("/usr/lib/x86_64-linux-gnu/openvpn/plugins/openvpn-plugin-auth-pam.so")

DEFERRED = 'echo 0 > "$auth_control_file"; exit 2'
"""The script announces a deferred result that it has written already."""


def deferred_with_reason(reason: str) -> str:
    return f'printf %s "{reason}" > "$auth_failed_reason_file"; {DEFERRED}'


async def login(office: Server) -> None:
    async with client(office, "alice", user=WRONG_PASSWORD, ready=REJECTED):
        await office.daemon.wait_for_log(CLIENT_REMOVED)


async def handshake(office: Server) -> None:
    async with client(office, "alice", ready="link remote: [AF_INET]"):
        await office.daemon.wait_for_log(CLIENT_REMOVED)


async def other_cipher(office: Server) -> None:
    async with client(office, "alice", "--data-ciphers", "AES-128-GCM", ready=REJECTED):
        await office.daemon.wait_for_log(CLIENT_REMOVED)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of a client, and the events of the server that must be counted."""

    name: str
    options: Callable[[Lab], Sequence[str]]
    trigger: Callable[[Server], Awaitable[None]]
    events: dict[str, float]

    def __str__(self) -> str:
        return self.name


def verify_with(body: str) -> Callable[[Lab], Sequence[str]]:
    return lambda lab: user_password_options(lab.script(body))


def disabled_client(lab: Lab) -> Sequence[str]:
    directory = lab.directory / f"ccd-{lab.next_number()}"
    directory.mkdir()
    (directory / "alice").write_text("disable\n")
    return ("--client-config-dir", str(directory))


FAILURES = [
    Failure("a script rejects a login", verify_with("exit 1"), login, {"auth_failed": 1}),
    Failure("a script rejects a login later", verify_with(DEFERRED), login, {"auth_failed": 1}),
    Failure(
        "a script gives a reason",
        verify_with(deferred_with_reason("account locked")),
        login,
        {"auth_failed": 1},
    ),
    Failure(
        "a script asks for a second factor",
        verify_with(deferred_with_reason("CRV1:R:c3Rh:YQ==:code?")),
        login,
        {},
    ),
    Failure(
        "a session token has expired",
        verify_with(deferred_with_reason("SESSION: token expired")),
        login,
        {"auth_session_expired": 1},
    ),
    Failure(
        "a plugin rejects a login",
        lambda _: ("--plugin", str(PAM), "no-such-service"),
        login,
        {"auth_failed": 1},
    ),
    Failure(
        "a client sends no password",
        verify_with("exit 0"),
        handshake,
        {"credentials_missing": 1, "tls_handshake_failed": 1},
    ),
    Failure(
        "a connect script fails",
        lambda lab: ("--script-security", "2", "--client-connect", str(lab.script("exit 1"))),
        login,
        {"script_failed": 1},
    ),
    Failure("a client is disabled", disabled_client, login, {"client_rejected": 1}),
    Failure(
        "client and server have no common cipher",
        lambda _: ("--data-ciphers", "AES-256-GCM"),
        other_cipher,
        {"cipher_negotiation_failed": 1},
    ),
]


@pytest.fixture(scope="module")
def counted(lab: Lab) -> Outcomes[dict[str, float]]:
    """The events that were counted at each failure."""

    async def count(failure: Failure) -> dict[str, float]:
        async with (
            server(lab, *failure.options(lab)) as office,
            scraping(daemon_config(office.management)) as scraper,
        ):
            before = await scraper.wait_up()
            await failure.trigger(office)
            after = await scraper.wait_polled()
        return increase(before, after, EVENTS, by="event")

    return run_at_once(count, FAILURES)


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_failure_is_counted_once(counted: Outcomes[dict[str, float]], failure: Failure) -> None:
    assert counted.of(failure) == failure.events


async def test_client_with_an_address_that_is_rejected_is_pending(lab: Lab) -> None:
    """Its row, with the address, is there for five more seconds."""
    async with (
        server(lab, "--data-ciphers", "AES-256-GCM") as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        async with client(office, "alice", "--data-ciphers", "AES-128-GCM", ready=REJECTED):
            page = await scraper.wait_polled()
        assert page.value("openvpn_server_connected_clients") == 0
        assert page.value("openvpn_server_pending_clients") == 1


async def test_unreadable_crl_is_counted(lab: Lab) -> None:
    crl = lab.directory / f"crl-{lab.next_number()}.pem"
    crl.write_bytes(lab.authority.empty_crl())
    async with (
        server(lab, "--crl-verify", str(crl)) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        before = await scraper.wait_up()
        crl.unlink()
        async with client(office, "alice"):
            after = await scraper.wait_polled()

    lines = office.daemon.log.count("Failed to stat CRL file")
    assert lines >= 1
    assert increase(before, after, EVENTS, by="event") == {"crl_unreadable": lines}


async def test_revoked_certificate_in_a_directory_is_counted(lab: Lab) -> None:
    directory = lab.directory / f"crl-{lab.next_number()}"
    directory.mkdir()
    alice = lab.authority.issue("alice")
    (directory / str(alice.serial)).touch()
    async with (
        server(lab, "--crl-verify", str(directory), "dir") as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        before = await scraper.wait_up()
        async with client(office, "alice", *alice.options(), ready="link remote: [AF_INET]"):
            await office.daemon.wait_for_log(CLIENT_REMOVED)
        after = await scraper.wait_polled()

    assert increase(before, after, EVENTS, by="event")["certificate_verify_error"] == 1


async def test_refused_tcp_connection_is_counted(lab: Lab) -> None:
    management = lab.tcp()
    options = [
        *("--client", "--dev", "null", "--proto", "tcp4", "--nobind", "--verb", "3"),
        *("--remote", "127.0.0.1", str(lab.port()), "--connect-retry", "1"),
        *lab.authority.issue("alice").options(),
        *management.options(),
    ]
    async with (
        running("alone", options, directory=lab.directory, ready="TCP: connect to") as daemon,
        scraping(daemon_config(management)) as scraper,
    ):
        before = await scraper.wait_up()
        mark = daemon.mark()
        await daemon.wait_for_log("failed: Connection refused", since=mark)
        await scraper.wait_for(
            lambda page: increase(before, page, EVENTS, by="event").keys() == {"tcp_connect_failed"}
        )


async def test_muted_lines_are_counted(lab: Lab) -> None:
    async with (
        server(lab, "--mute", "1", ready="--mute triggered") as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        before = await scraper.wait_up()
        async with client(office, "alice"):
            after = await scraper.wait_polled()

    assert increase(before, after, EVENTS, by="event")["lines_muted"] >= 1
