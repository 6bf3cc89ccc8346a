"""Daemons that wait for input: the exporter releases the slot and never answers."""

import logging
import signal
from pathlib import Path
from time import time

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from exporter.management.commands import Command
from tests.real import raw_session
from tests.real.changes import decreased_since_up, increase
from tests.real.client import Credentials, client
from tests.real.clock import wait_for_next_second
from tests.real.daemon import HELD, INITIALISED
from tests.real.lab import Lab
from tests.real.log_reader import commands
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import server, user_password_options

HOLD = "openvpn_hold_waiting"
PROMPT = "openvpn_prompt_waiting"
PROMPTS = "openvpn_prompts_total"
RECONNECTS = "openvpn_reconnects_total"
FAILURES = "openvpn_password_failures_total"
CONNECTS = "openvpn_exporter_connects_total"
PASSWORD_PROMPT = "Need password(s) from management interface"
PASSPHRASE = "open sesame"
DEADLINE = 2.0
ALLOWED = {command.text for command in Command}


def waiting(page: Page) -> dict[str, float]:
    return {kind: value for kind, value in page.values(PROMPT, by="kind").items() if value}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return every warning of the exporter, with its fields."""
    return [
        str(vars(record))
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith("exporter")
    ]


def encrypted(key: Path, lab: Lab) -> Path:
    plain = load_pem_private_key(key.read_bytes(), password=None)
    secret = BestAvailableEncryption(PASSPHRASE.encode())
    text = plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
    return lab.file(text.decode())


async def accept_client(authenticator: raw_session.Session) -> None:
    """Accept the next client that connects."""
    while not (line := await authenticator.notification()).startswith(">CLIENT:CONNECT,"):
        pass
    _, number, key = line.split(",")
    await authenticator.request(f"client-auth-nt {number} {key}")


async def test_exporter_releases_a_held_daemon_and_monitors_it_after_its_release(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(lab, "--management-hold", ready=HELD) as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), prompt_retry_interval=1.0
        )
        async with scraping(config) as scraper:
            await office.daemon.wait_for_log("MANAGEMENT: Client connected")
            async with raw_session.connect(
                office.management.address, deadline=DEADLINE
            ) as operator:
                assert await operator.notification() == ">HOLD:Waiting for hold release:0"
                await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                sent = commands(office.daemon)
                held = await scraper.wait_down("hold")
                assert await operator.request("hold release") == "SUCCESS: hold release succeeded"
                await office.daemon.wait_for_log(INITIALISED)
            released = await scraper.wait_up()

    assert set(sent) <= ALLOWED
    assert sent[-1] == "quit"
    assert (held.value(HOLD), released.value(HOLD)) == (1, 0)
    assert released.value("openvpn_state", state="CONNECTED") == 1
    [warning] = [line for line in warnings(caplog) if "hold release" in line]
    assert "office" in warning
    assert decreased(scraper.pages) == []


async def test_exporter_releases_a_daemon_that_is_held_again(lab: Lab) -> None:
    async with server(lab, "--management-hold", ready=HELD) as office:
        await raw_session.request(office.management.address, "hold release")
        await office.daemon.wait_for_log(INITIALISED)
        config = msgspec.structs.replace(
            daemon_config(office.management), prompt_retry_interval=0.2
        )
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            office.daemon.signal(signal.SIGUSR1)
            held = await scraper.wait_down("hold")
            async with raw_session.connect(
                office.management.address, deadline=DEADLINE
            ) as operator:
                await operator.request("hold release")
            after = await scraper.wait_up()

    assert (before.value(HOLD), held.value(HOLD), after.value(HOLD)) == (0, 1, 0)
    assert increase(before, after, RECONNECTS, by="reason") == {"SIGUSR1": 1}
    assert decreased(scraper.pages) == []


async def test_exporter_does_not_answer_a_user_name_prompt(lab: Lab) -> None:
    options = ("--auth-user-pass", "--management-query-passwords")
    async with (
        server(lab, *user_password_options()) as office,
        client(office, "alice", *options, management=lab.tcp(), ready=PASSWORD_PROMPT) as alice,
    ):
        config = msgspec.structs.replace(daemon_config(alice.management), prompt_retry_interval=0.2)
        async with scraping(config) as scraper:
            prompted = await scraper.wait_down("prompt")
            async with raw_session.connect(alice.management.address, deadline=DEADLINE) as operator:
                assert await operator.notification() == ">PASSWORD:Need 'Auth' username/password"
                await alice.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                sent = commands(alice.daemon)
                await operator.request('username "Auth" alice')
                await operator.request('password "Auth" good')
            await alice.daemon.wait_for_log(INITIALISED)
            after = await scraper.wait_up()

    assert set(sent) <= ALLOWED
    assert waiting(prompted) == {"Auth": 1}
    assert prompted.value(PROMPTS, kind="Auth") >= 1
    assert waiting(after) == {}
    assert after.value("openvpn_state", state="CONNECTED") == 1


async def test_exporter_does_not_answer_a_passphrase_prompt(lab: Lab) -> None:
    certificate = lab.authority.issue("server")
    encrypted_key = (
        "--cert",
        str(certificate.certificate),
        "--key",
        str(encrypted(certificate.key, lab)),
    )
    options = (*encrypted_key, "--management-query-passwords")
    async with server(lab, *options, ready=PASSWORD_PROMPT) as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), prompt_retry_interval=0.2
        )
        async with scraping(config) as scraper:
            prompted = await scraper.wait_down("prompt")
            async with raw_session.connect(
                office.management.address, deadline=DEADLINE
            ) as operator:
                assert await operator.notification() == ">PASSWORD:Need 'Private Key' password"
                await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                sent = commands(office.daemon)
                await operator.request(f'password "Private Key" "{PASSPHRASE}"')
            await office.daemon.wait_for_log(INITIALISED)
            after = await scraper.wait_up()

    assert set(sent) <= ALLOWED
    assert waiting(prompted) == {"Private Key": 1}
    assert waiting(after) == {}
    assert after.value("openvpn_server_connected_clients") == 0


async def test_exporter_leaves_the_slot_to_the_client_that_authenticates(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    user = Credentials("alice", "s3cret")
    async with server(lab, *user_password_options(), "--management-client-auth") as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), prompt_retry_interval=0.1
        )
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            async with client(office, "alice", user=user, ready="Peer Connection") as alice:
                released = await scraper.wait_down("client_auth")
                async with raw_session.connect(
                    office.management.address, deadline=DEADLINE
                ) as authenticator:
                    await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                    sent = commands(office.daemon)
                    mark = alice.daemon.mark()
                    alice.daemon.signal(signal.SIGUSR1)
                    await accept_client(authenticator)
                    await alice.daemon.wait_for_log(INITIALISED, since=mark)
            # Many times longer than prompt_retry_interval.
            await wait_for_next_second(await wait_for_next_second(time()))
            later = await scraper.page()

    assert set(sent) <= ALLOWED
    assert waiting(before) == {}
    assert waiting(released) == waiting(later) == {"client_auth": 1}
    assert later.down_reason() == "client_auth"
    assert later.value(CONNECTS) == 1
    assert later.value(PROMPTS, kind="client_auth") == 1
    [warning] = [line for line in warnings(caplog) if "--management-client-auth" in line]
    assert "s3cret" not in warning + later.body + caplog.text


async def test_refused_password_is_counted_once_in_each_counter(lab: Lab) -> None:
    script = lab.script("exit 0")
    user = Credentials("alice")
    async with (
        server(lab, *user_password_options(script)) as office,
        client(office, "alice", user=user, management=lab.tcp()) as alice,
    ):
        # An unread command turns the close into a reset, and TCP then drops the later lines.
        config = msgspec.structs.replace(daemon_config(alice.management), poll_interval=60.0)
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            script.write_text("#!/bin/sh\nexit 1\n")
            alice.daemon.signal(signal.SIGUSR1)
            await alice.daemon.wait_for_end()
            after = await scraper.wait_down("refused")

    assert increase(before, after, FAILURES, by="kind") == {"Auth": 1}
    events = increase(before, after, "openvpn_log_events_total", by="event")
    assert events == {"auth_failed_received": 1}
    assert increase(before, after, RECONNECTS, by="reason") == {"SIGUSR1": 1}
    states = increase(before, after, "openvpn_state_transitions_total", by="state")
    assert states == {"RECONNECTING": 1, "WAIT": 1, "AUTH": 1, "EXITING": 1}
    assert decreased_since_up(scraper.pages) == []
