"""Daemons that wait for somebody else: the exporter makes room, and never answers itself."""

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
ASKED_FOR_A_PASSWORD = "Need password(s) from management interface"
PASSPHRASE = "open sesame"
TWO_SECONDS = 2.0
HARMLESS = {command.text for command in Command}


def waiting(page: Page) -> dict[str, float]:
    return {kind: value for kind, value in page.values(PROMPT, by="kind").items() if value}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give every line of the exporter's log, with its fields."""
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


async def let_in(guard: raw_session.Session) -> None:
    """Accept the next client that asks."""
    while not (line := await guard.notification()).startswith(">CLIENT:CONNECT,"):
        pass
    _, number, key = line.split(",")
    await guard.request(f"client-auth-nt {number} {key}")


async def test_a_held_daemon_is_left_in_time_and_watched_when_it_was_released(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(lab, "--management-hold", ready=HELD) as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), prompt_retry_interval=1.0
        )
        async with scraping(config) as scraper:
            await office.daemon.wait_for_log("MANAGEMENT: Client connected")
            async with raw_session.connect(
                office.management.address, deadline=TWO_SECONDS
            ) as person:
                assert await person.notification() == ">HOLD:Waiting for hold release:0"
                await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                ours = commands(office.daemon)
                held = await scraper.wait_down("hold")
                assert await person.request("hold release") == "SUCCESS: hold release succeeded"
                await office.daemon.wait_for_log(INITIALISED)
            released = await scraper.wait_up()

    assert set(ours) <= HARMLESS
    assert ours[-1] == "quit"
    assert (held.value(HOLD), released.value(HOLD)) == (1, 0)
    assert released.value("openvpn_state", state="CONNECTED") == 1
    [warning] = [line for line in warnings(caplog) if "hold release" in line]
    assert "office" in warning
    assert decreased(scraper.pages) == []


async def test_a_daemon_that_is_held_again_is_left_again(lab: Lab) -> None:
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
                office.management.address, deadline=TWO_SECONDS
            ) as person:
                await person.request("hold release")
            after = await scraper.wait_up()

    assert (before.value(HOLD), held.value(HOLD), after.value(HOLD)) == (0, 1, 0)
    assert increase(before, after, RECONNECTS, by="reason") == {"SIGUSR1": 1}
    assert decreased(scraper.pages) == []


async def test_a_user_name_is_left_to_a_person_to_give(lab: Lab) -> None:
    asking = ("--auth-user-pass", "--management-query-passwords")
    async with (
        server(lab, *user_password_options()) as office,
        client(office, "alice", *asking, management=lab.tcp(), ready=ASKED_FOR_A_PASSWORD) as alice,
    ):
        config = msgspec.structs.replace(daemon_config(alice.management), prompt_retry_interval=0.2)
        async with scraping(config) as scraper:
            asked = await scraper.wait_down("prompt")
            async with raw_session.connect(
                alice.management.address, deadline=TWO_SECONDS
            ) as person:
                assert await person.notification() == ">PASSWORD:Need 'Auth' username/password"
                await alice.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                ours = commands(alice.daemon)
                await person.request('username "Auth" alice')
                await person.request('password "Auth" good')
            await alice.daemon.wait_for_log(INITIALISED)
            after = await scraper.wait_up()

    assert set(ours) <= HARMLESS
    assert waiting(asked) == {"Auth": 1}
    assert asked.value(PROMPTS, kind="Auth") >= 1
    assert waiting(after) == {}
    assert after.value("openvpn_state", state="CONNECTED") == 1


async def test_a_passphrase_is_left_to_a_person_to_give(lab: Lab) -> None:
    certificate = lab.authority.issue("server")
    locked = ("--cert", str(certificate.certificate), "--key", str(encrypted(certificate.key, lab)))
    options = (*locked, "--management-query-passwords")
    async with server(lab, *options, ready=ASKED_FOR_A_PASSWORD) as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), prompt_retry_interval=0.2
        )
        async with scraping(config) as scraper:
            asked = await scraper.wait_down("prompt")
            async with raw_session.connect(
                office.management.address, deadline=TWO_SECONDS
            ) as person:
                assert await person.notification() == ">PASSWORD:Need 'Private Key' password"
                await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                ours = commands(office.daemon)
                await person.request(f'password "Private Key" "{PASSPHRASE}"')
            await office.daemon.wait_for_log(INITIALISED)
            after = await scraper.wait_up()

    assert set(ours) <= HARMLESS
    assert waiting(asked) == {"Private Key": 1}
    assert waiting(after) == {}
    assert after.value("openvpn_server_connected_clients") == 0


async def test_who_authenticates_clients_gets_the_slot_and_keeps_it(
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
                left = await scraper.wait_down("client_auth")
                async with raw_session.connect(
                    office.management.address, deadline=TWO_SECONDS
                ) as guard:
                    await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
                    ours = commands(office.daemon)
                    mark = alice.daemon.mark()
                    alice.daemon.signal(signal.SIGUSR1)
                    await let_in(guard)
                    await alice.daemon.wait_for_log(INITIALISED, since=mark)
            # Many times as long as it steps aside for others.
            await wait_for_next_second(await wait_for_next_second(time()))
            last = await scraper.page()

    assert set(ours) <= HARMLESS
    assert waiting(before) == {}
    assert waiting(left) == waiting(last) == {"client_auth": 1}
    assert last.down_reason() == "client_auth"
    assert last.value(CONNECTS) == 1
    assert last.value(PROMPTS, kind="client_auth") == 1
    [warning] = [line for line in warnings(caplog) if "--management-client-auth" in line]
    assert "s3cret" not in warning + last.body + caplog.text


async def test_a_password_that_the_server_refuses_counts_once_in_each_counter(lab: Lab) -> None:
    verdict = lab.script("exit 0")
    user = Credentials("alice")
    async with (
        server(lab, *user_password_options(verdict)) as office,
        client(office, "alice", user=user, management=lab.tcp()) as alice,
    ):
        # A command that the daemon leaves unread makes its end a reset: TCP drops the last words.
        config = msgspec.structs.replace(daemon_config(alice.management), poll_interval=60.0)
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            verdict.write_text("#!/bin/sh\nexit 1\n")
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
