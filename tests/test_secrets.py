"""No secret that passes through the program comes out of it: neither in its log nor in a page.

The program runs at its most talkative, against daemons that say all the secrets OpenVPN knows of.
"""

import asyncio
import base64
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import bcrypt
import pytest
import yaml
from aiohttp import ClientSession, encode_basic_auth

from exporter.config.target import ReloadDiff
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.web.routes import application
from tests.fake_daemon import (
    GREETING,
    PROMPT,
    REPLIES,
    TEST_TIMEOUT,
    FakeDaemon,
    FakeSession,
    Replies,
    fake_daemon,
    free_port,
)
from tests.test_cli import PROGRAM, ROOT, run

MANAGEMENT = "cipherbadger"
"""The management password that a daemon accepts."""
REFUSED = "wrongwombat"
"""The management password that another daemon refuses."""
SPOKEN = {
    "token": "tokentapir",
    "session": "sessionsloth",
    "user": "userurchin",
    "challenge": "challengecheetah",
    "reason": "reasonraccoon",
    "address": "addressadder",
    "typed": "typedtoad",
    "echoed": "echoedemu",
    "question": "questionquail",
    "signature": "signaturesnail",
}
"""What daemons say that only their management client is meant to hear."""

USER = "prometheus"
PASSWORD = "passwordpanda"
"""Of a user of the web server."""
MISTYPED = "mistypedmole"
"""What somebody else tries."""
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()

KEY = "keykangaroo-keykangaroo"
"""Of pseudonyms."""
PERSON = "personpuma"
"""A client of daemons that show pseudonyms only, or nobody."""
ABSENT = "absentalpaca"
"""Whom the same daemons expect."""

SECRETS = (
    KEY,
    PERSON,
    ABSENT,
    MANAGEMENT,
    REFUSED,
    *SPOKEN.values(),
    PASSWORD,
    MISTYPED,
    HASH,
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    base64.b64encode(f"{USER}:{MISTYPED}".encode()).decode(),
)

ASIDE = [
    f">PASSWORD:Auth-Token:{SPOKEN['token']}",
    f">INFOMSG:WEB_AUTH::https://vpn.example.org/{SPOKEN['address']}",
    f">ECHO:1795404000,setenv-safe {SPOKEN['echoed']}",
    f'>LOG:1795404000,D,MANAGEMENT: CMD \'password "Auth" "{SPOKEN["typed"]}"\'',
    ">CLIENT:ESTABLISHED,0",
    ">CLIENT:ENV,common_name=alice",
    f">CLIENT:ENV,password={SPOKEN['user']}",
    f">CLIENT:ENV,session_id={SPOKEN['session']}",
    ">CLIENT:ENV,END",
    f">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:{SPOKEN['session']}:eA==:{SPOKEN['reason']}']",
]
"""Messages that don't make the exporter leave."""

QUESTIONS = (
    [
        f">PASSWORD:Need 'Auth' username/password SC:1,{SPOKEN['challenge']}",
    ],
    [
        f">NEED-STR:Need '{SPOKEN['question']}' string MSG:{SPOKEN['question']}",
    ],
    [
        f">PK_SIGN:{SPOKEN['signature']},RSA_PKCS1_PADDING",
    ],
    [
        ">CLIENT:CONNECT,0,1",
        ">CLIENT:ENV,username=alice",
        f">CLIENT:ENV,password={SPOKEN['user']}",
        ">CLIENT:ENV,END",
    ],
)
"""Messages that make it leave, each of another daemon."""

REMEMBERED = f'1795404000,D,MANAGEMENT: CMD \'password "Auth" "{SPOKEN["typed"]}"\''
"""A line of the log that the daemon remembers."""

PRIVATE = ("pseudonym", "none")
"""Ways to show clients by which no name is shown; the names of their daemons begin so."""

Script = Callable[[FakeDaemon, asyncio.Event], Awaitable[None]]
"""Plays a daemon, and sets the event once all is said and heard."""


async def serves(daemon: FakeDaemon, said: asyncio.Event) -> None:
    """Ask for the right password, say secrets between two polls, and go on for as long as asked."""
    session = await daemon.accept()
    session.send_bytes(PROMPT)
    assert await session.read_line() == MANAGEMENT.encode()
    session.send_lines(b"SUCCESS: password is correct", GREETING)
    answers = {**REPLIES, b"log all": (REMEMBERED.encode(), b"END")}
    await session.reply_to_polls(replies=answers)
    session.send_lines(*encoded(ASIDE))
    await session.reply_to_polls(replies=answers)
    said.set()
    await goes_on(session, answers)


async def has_a_private_client(daemon: FakeDaemon, said: asyncio.Event) -> None:
    """Show the name of somebody in its status and in its log."""
    session = await daemon.accept_and_greet()
    answers = {
        question: [line.replace(b"alice", PERSON.encode()) for line in lines]
        for question, lines in REPLIES.items()
    }
    await session.reply_to_polls(replies=answers)
    session.send_lines(f">LOG:1795404000,I,{PERSON}/192.0.2.7:4 TLS Error".encode())
    await session.reply_to_polls(replies=answers)
    said.set()
    await goes_on(session, answers)


async def dies(daemon: FakeDaemon, said: asyncio.Event) -> None:
    """Name somebody in its last words."""
    session = await daemon.accept_and_greet()
    await session.reply_to_polls()
    session.send_lines(f">FATAL:{PERSON} was too much".encode())
    session.close()
    said.set()


async def talks_nonsense(daemon: FakeDaemon, said: asyncio.Event) -> None:
    """Name somebody where the beginning of a status should be."""
    session = await daemon.accept_and_greet()
    await session.reply_to_polls(replies={**REPLIES, b"status 3": (f"{PERSON},1".encode(), b"END")})
    await session.wait_closed()
    said.set()


async def goes_on(session: FakeSession, answers: Replies) -> None:
    while (line := await session.read_line()) not in {b"", b"quit"}:
        session.send_lines(*answers[line])


async def refuses(daemon: FakeDaemon, said: asyncio.Event) -> None:
    """Refuse the password as OpenVPN does: by asking again."""
    session = await daemon.accept()
    session.send_bytes(PROMPT)
    assert await session.read_line() == REFUSED.encode()
    session.send_bytes(PROMPT)
    await session.wait_closed()
    said.set()


def waits(question: list[str]) -> Script:
    """Return a daemon that answers a poll, then wants an answer itself."""

    async def script(daemon: FakeDaemon, said: asyncio.Event) -> None:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls()
        session.send_lines(*encoded(question))
        await session.wait_closed()
        said.set()

    return script


def encoded(lines: list[str]) -> list[bytes]:
    return [line.encode() for line in lines]


SCRIPTS: dict[str, Script] = {
    "serves": serves,
    **{f"{mode}-serves": has_a_private_client for mode in PRIVATE},
    **{f"{mode}-dies": dies for mode in PRIVATE},
    **{f"{mode}-nonsense": talks_nonsense for mode in PRIVATE},
    "refuses": refuses,
    **{f"waits-{number}": waits(question) for number, question in enumerate(QUESTIONS)},
}


WATCHED = [*SCRIPTS, *(f"{mode}-file" for mode in PRIVATE), "nobody", "unknown"]

REQUESTS = [
    ("GET", "/"),
    ("GET", "/metrics"),
    ("GET", "/config"),
    ("GET", "/sd"),
    ("GET", "/probe"),
    *(("GET", f"/probe?target={name}") for name in WATCHED),
    *(("GET", f"/probe?target={name}&debug=true") for name in WATCHED),
    ("GET", "/-/healthy"),
    ("GET", "/-/ready"),
    ("GET", "/nothing"),
    ("DELETE", "/metrics"),
    ("POST", "/-/reload"),
]
"""Every endpoint, and errors."""


@contextlib.asynccontextmanager
async def daemons() -> AsyncIterator[dict[str, FakeDaemon]]:
    async with contextlib.AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(fake_daemon()) for name in SCRIPTS}


def configure(directory: Path, peers: dict[str, FakeDaemon]) -> Path:
    """Write the configuration and the password files; return its path."""
    (directory / "serves.password").write_text(MANAGEMENT)
    (directory / "refuses.password").write_text(REFUSED)
    (directory / "privacy.key").write_text(KEY)
    watched = [
        {"name": name, "management": str(daemon.endpoint)}
        | ({"password_file": f"{name}.password"} if name in {"serves", "refuses"} else {})
        | _private(name, directory)
        for name, daemon in peers.items()
    ]
    watched += [{"name": f"{mode}-file"} | _private(f"{mode}-file", directory) for mode in PRIVATE]
    watched.append({"name": "nobody", "management": f"127.0.0.1:{free_port()}"})
    (directory / "web.yaml").write_text(yaml.safe_dump({"basic_auth_users": {USER: HASH}}))
    path = directory / "config.yaml"
    clients = {"privacy_key_file": "privacy.key"}
    settings = {"poll_interval": "1s", "daemons": watched, "clients": clients}
    path.write_text(yaml.safe_dump(settings))
    return path


def _private(name: str, directory: Path) -> dict[str, object]:
    """Return what a private daemon has that others don't."""
    mode = name.partition("-")[0]
    if mode not in PRIVATE:
        return {}
    nonsense = directory / f"{name}.status"
    nonsense.write_text(f"{PERSON},1\nEND\n")
    return {
        "privacy": mode,
        "expected_clients": [PERSON, ABSENT],
        "status_file": str(nonsense),
    }


@pytest.fixture
async def said(tmp_path: Path) -> dict[str, str]:
    """Run the program; return its log and what each request was answered."""
    port = free_port()
    flags = (
        f"--web.listen-address=127.0.0.1:{port}",
        f"--web.config.file={tmp_path / 'web.yaml'}",
        "--log.level=debug",
    )
    async with daemons() as peers:
        config = configure(tmp_path, peers)
        with (tmp_path / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *PROGRAM, "--config.file", str(config), *flags, cwd=ROOT, stdout=log, stderr=log
            )
            told = {name: asyncio.Event() for name in SCRIPTS}
            scripts = [play(peers[name], told[name]) for name, play in SCRIPTS.items()]
            playing = asyncio.gather(*scripts)
            try:
                async with asyncio.timeout(TEST_TIMEOUT):
                    await asyncio.gather(*(event.wait() for event in told.values()))
                answers = await ask_everything(f"http://127.0.0.1:{port}")
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()
                await playing
    return answers | {"log": (tmp_path / "log").read_text()}


async def ask_everything(base: str) -> dict[str, str]:
    """Make every request as a user who is known, then as one who isn't."""
    async with signed_in(PASSWORD) as known:
        answers = {
            f"{method} {path}": await ask(known, method, base + path) for method, path in REQUESTS
        }
    async with signed_in(MISTYPED) as unknown:
        refusals = {
            f"{method} {path} refused": await ask(unknown, method, base + path)
            for method, path in REQUESTS
        }
    assert {refusal.partition(" ")[0] for refusal in refusals.values()} == {"401"}
    return answers | refusals


def signed_in(password: str) -> ClientSession:
    return ClientSession(headers={"Authorization": encode_basic_auth(USER, password)})


async def ask(session: ClientSession, method: str, url: str) -> str:
    """Return all that comes back: the headers and the body."""
    async with session.request(method, url) as response:
        return f"{response.status} {response.headers}\n{await response.text()}"


async def test_no_secret_comes_out_anywhere(said: dict[str, str]) -> None:
    assert "daemon is up" in said["log"]
    assert 'openvpn_down_reason{daemon="refuses",reason="auth"} 1' in said["GET /metrics"]
    assert 'openvpn_down_reason{daemon="waits-0",reason="prompt"} 1' in said["GET /metrics"]
    assert 'openvpn_down_reason{daemon="waits-3",reason="client_auth"} 1' in said["GET /metrics"]
    assert 'openvpn_password_failures_total{daemon="serves",kind="Auth"} 1' in said["GET /metrics"]
    sessions = 'openvpn_server_client_sessions{daemon="%s-serves",common_name="'
    assert sessions % "pseudonym" + "p-" in said["GET /metrics"]
    assert sessions % "none" not in said["GET /metrics"]
    assert 'openvpn_down_reason{daemon="none-dies",reason="closed"} 1' in said["GET /metrics"]
    for name in ("none-nonsense", "none-file"):
        assert f'openvpn_down_reason{{daemon="{name}",reason="protocol"}} 1' in said["GET /metrics"]
    assert said["GET /config"].count("expected_clients:\n  - p-") == 4
    assert "PASSWORD 2" in said["GET /probe?target=serves&debug=true"]
    leaks = [
        (place, secret) for place, text in said.items() for secret in SECRETS if secret in text
    ]
    assert leaks == []


def test_every_endpoint_is_asked() -> None:
    async def reload() -> ReloadDiff:
        raise NotImplementedError

    exposition = Exposition(FAMILIES, SelfMetrics().registry)
    routes = application(list, exposition, telemetry_path="/metrics", reload=reload).router.routes()
    served = {
        (route.method, route.resource.canonical)
        for route in routes
        if route.resource is not None and route.method not in {"HEAD", "PUT"}
    }
    assert served <= {(method, path.partition("?")[0]) for method, path in REQUESTS}


def test_a_password_file_that_is_refused_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "office.password").write_text(f"{MANAGEMENT}\nsecond line\n")
    config = tmp_path / "config.yaml"
    daemon = "{name: office, management: '127.0.0.1:1', password_file: office.password}"
    config.write_text(f"daemons: [{daemon}]\n")
    done = run("--config.file", str(config), "--log.level=debug")
    assert done.returncode == 2
    assert "office.password" in done.stderr
    assert MANAGEMENT not in done.stdout + done.stderr
