"""No secret that the program reads is in its log or in a response.

The program runs with the debug level, against daemons that send every kind of secret of OpenVPN.
"""

import asyncio
import base64
import contextlib
import re
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
from exporter.web.pages.static import STYLE
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
from tests.port_probe.vectors import DATA
from tests.test_cli import PROGRAM, ROOT, run

MANAGEMENT = "cipherbadger"
"""The management password that a daemon accepts."""
REJECTED = "wrongwombat"
"""The management password that another daemon rejects."""
DAEMON_SECRETS = {
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
"""Secrets that daemons send to their management client."""

USER = "prometheus"
PASSWORD = "passwordpanda"
"""The password of a user of the web server."""
WRONG_PASSWORD = "mistypedmole"
"""A wrong password of a request."""
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()

KEY = "keykangaroo-keykangaroo"
"""The key of the pseudonyms."""
CLIENT = "personpuma"
"""A client of daemons with privacy `pseudonym` or `none`."""
TLS_KEY = (DATA / "static.key").read_text()
"""The key of a port that is probed."""
EXPECTED_CLIENT = "absentalpaca"
"""An expected client of the same daemons."""

SECRETS = (
    KEY,
    *TLS_KEY.splitlines()[4:-1],
    CLIENT,
    EXPECTED_CLIENT,
    MANAGEMENT,
    REJECTED,
    *DAEMON_SECRETS.values(),
    PASSWORD,
    WRONG_PASSWORD,
    HASH,
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    base64.b64encode(f"{USER}:{WRONG_PASSWORD}".encode()).decode(),
)

HARMLESS_MESSAGES = [
    f">PASSWORD:Auth-Token:{DAEMON_SECRETS['token']}",
    f">INFOMSG:WEB_AUTH::https://vpn.example.org/{DAEMON_SECRETS['address']}",
    f">ECHO:1795404000,setenv-safe {DAEMON_SECRETS['echoed']}",
    f'>LOG:1795404000,D,MANAGEMENT: CMD \'password "Auth" "{DAEMON_SECRETS["typed"]}"\'',
    ">CLIENT:ESTABLISHED,0",
    ">CLIENT:ENV,common_name=alice",
    f">CLIENT:ENV,password={DAEMON_SECRETS['user']}",
    f">CLIENT:ENV,session_id={DAEMON_SECRETS['session']}",
    ">CLIENT:ENV,END",
    (
        ">PASSWORD:Verification Failed: 'Auth' "
        f"['CRV1:R:{DAEMON_SECRETS['session']}:eA==:{DAEMON_SECRETS['reason']}']"
    ),
]
"""Messages after which the exporter stays connected."""

CLIENT_PROMPTS = (
    [
        f">PASSWORD:Need 'Auth' username/password SC:1,{DAEMON_SECRETS['challenge']}",
    ],
    [
        f">NEED-STR:Need '{DAEMON_SECRETS['question']}' string MSG:{DAEMON_SECRETS['question']}",
    ],
    [
        f">PK_SIGN:{DAEMON_SECRETS['signature']},RSA_PKCS1_PADDING",
    ],
    [
        ">CLIENT:CONNECT,0,1",
        ">CLIENT:ENV,username=alice",
        f">CLIENT:ENV,password={DAEMON_SECRETS['user']}",
        ">CLIENT:ENV,END",
    ],
)
"""Messages after which the exporter disconnects, each of another daemon."""

LOG_HISTORY = f'1795404000,D,MANAGEMENT: CMD \'password "Auth" "{DAEMON_SECRETS["typed"]}"\''
"""A line of the daemon's log history."""

PRIVACY_MODES = ("pseudonym", "none")
"""Privacy modes without names; the names of their daemons start with the mode."""

Script = Callable[[FakeDaemon, asyncio.Event], Awaitable[None]]
"""Plays a daemon, and sets the event at its end."""


async def serve(daemon: FakeDaemon, done: asyncio.Event) -> None:
    """Accept the password, send secrets between two polls, and reply until `quit`."""
    session = await daemon.accept()
    session.send_bytes(PROMPT)
    assert await session.read_line() == MANAGEMENT.encode()
    session.send_lines(b"SUCCESS: password is correct", GREETING)
    replies = {**REPLIES, b"log all": (LOG_HISTORY.encode(), b"END")}
    await session.reply_to_polls(replies=replies)
    session.send_lines(*encoded(HARMLESS_MESSAGES))
    await session.reply_to_polls(replies=replies)
    done.set()
    await reply_until_quit(session, replies)


async def serve_private_client(daemon: FakeDaemon, done: asyncio.Event) -> None:
    """Send the name of a client in the status and in the log."""
    session = await daemon.accept_and_greet()
    replies = {
        command: [line.replace(b"alice", CLIENT.encode()) for line in lines]
        for command, lines in REPLIES.items()
    }
    await session.reply_to_polls(replies=replies)
    session.send_lines(f">LOG:1795404000,I,{CLIENT}/192.0.2.7:4 TLS Error".encode())
    await session.reply_to_polls(replies=replies)
    done.set()
    await reply_until_quit(session, replies)


async def exit_with_error(daemon: FakeDaemon, done: asyncio.Event) -> None:
    """Send the name of a client in a fatal error."""
    session = await daemon.accept_and_greet()
    await session.reply_to_polls()
    session.send_lines(f">FATAL:{CLIENT} was too much".encode())
    session.close()
    done.set()


async def send_invalid_status(daemon: FakeDaemon, done: asyncio.Event) -> None:
    """Send the name of a client in place of the head of a status."""
    session = await daemon.accept_and_greet()
    await session.reply_to_polls(replies={**REPLIES, b"status 3": (f"{CLIENT},1".encode(), b"END")})
    await session.wait_closed()
    done.set()


async def prompt_for_token(daemon: FakeDaemon, done: asyncio.Event) -> None:
    """Send the name of a client as the name of a token."""
    session = await daemon.accept_and_greet()
    session.send_lines(f">PASSWORD:Need '{CLIENT} token' password".encode())
    await session.reply(until=b"", replies=REPLIES)
    done.set()


async def speak_another_protocol(daemon: FakeDaemon, done: asyncio.Event) -> None:
    """Send the name of a client as the first line."""
    session = await daemon.accept()
    session.send_lines(f"{CLIENT}/192.0.2.7:4 hi".encode())
    await session.wait_closed()
    done.set()


async def reply_until_quit(session: FakeSession, replies: Replies) -> None:
    while (line := await session.read_line()) not in {b"", b"quit"}:
        session.send_lines(*replies[line])


async def reject_password(daemon: FakeDaemon, done: asyncio.Event) -> None:
    """Reject the password as OpenVPN does: with another prompt."""
    session = await daemon.accept()
    session.send_bytes(PROMPT)
    assert await session.read_line() == REJECTED.encode()
    session.send_bytes(PROMPT)
    await session.wait_closed()
    done.set()


def prompt(question: list[str]) -> Script:
    """Return a daemon that replies to a poll, then sends a prompt."""

    async def script(daemon: FakeDaemon, done: asyncio.Event) -> None:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls()
        session.send_lines(*encoded(question))
        await session.wait_closed()
        done.set()

    return script


def encoded(lines: list[str]) -> list[bytes]:
    return [line.encode() for line in lines]


SCRIPTS: dict[str, Script] = {
    "serves": serve,
    **{f"{mode}-serves": serve_private_client for mode in PRIVACY_MODES},
    **{f"{mode}-dies": exit_with_error for mode in PRIVACY_MODES},
    **{f"{mode}-nonsense": send_invalid_status for mode in PRIVACY_MODES},
    **{f"{mode}-token": prompt_for_token for mode in PRIVACY_MODES},
    **{f"{mode}-stranger": speak_another_protocol for mode in PRIVACY_MODES},
    "refuses": reject_password,
    **{f"waits-{number}": prompt(question) for number, question in enumerate(CLIENT_PROMPTS)},
}


DAEMONS = [*SCRIPTS, *(f"{mode}-file" for mode in PRIVACY_MODES), "unreachable", "unknown"]

REQUESTS = [
    ("GET", "/"),
    ("GET", "/metrics"),
    ("GET", "/config"),
    ("GET", "/sd"),
    ("GET", "/docs"),
    ("GET", "/docs/"),
    ("GET", "/docs/security"),
    ("GET", f"/{STYLE.url}"),
    ("GET", "/api/v1/daemons"),
    *(("GET", f"/api/v1/daemons/{name}") for name in DAEMONS),
    *(("GET", f"/daemons/{name}") for name in DAEMONS),
    ("GET", "/probe"),
    *(("GET", f"/probe?target={name}") for name in DAEMONS),
    *(("GET", f"/probe?target={name}&debug=true") for name in DAEMONS),
    ("GET", "/-/healthy"),
    ("GET", "/-/ready"),
    ("GET", "/nothing"),
    ("DELETE", "/metrics"),
    ("POST", "/-/reload"),
]
"""Requests of every endpoint, and errors."""


@contextlib.asynccontextmanager
async def daemons() -> AsyncIterator[dict[str, FakeDaemon]]:
    async with contextlib.AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(fake_daemon()) for name in SCRIPTS}


def configure(directory: Path, fakes: dict[str, FakeDaemon]) -> Path:
    """Write the configuration and the password files; return its path."""
    (directory / "serves.password").write_text(MANAGEMENT)
    (directory / "refuses.password").write_text(REJECTED)
    (directory / "privacy.key").write_text(KEY)
    entries = [
        {"name": name, "management": str(daemon.endpoint)}
        | ({"password_file": f"{name}.password"} if name in {"serves", "refuses"} else {})
        | _private(name, directory)
        for name, daemon in fakes.items()
    ]
    entries += [
        {"name": f"{mode}-file"} | _private(f"{mode}-file", directory) for mode in PRIVACY_MODES
    ]
    entries.append({"name": "unreachable", "management": f"127.0.0.1:{free_port()}"})
    (directory / "web.yaml").write_text(yaml.safe_dump({"basic_auth_users": {USER: HASH}}))
    path = directory / "config.yaml"
    (directory / "tls.key").write_text(TLS_KEY)
    target = f"127.0.0.1:{free_port()}/udp"
    ports = [{"name": "port", "target": target, "tls_auth": "tls.key", "allow_traces": True}]
    clients = {"privacy_key_file": "privacy.key"}
    settings = {
        "poll_interval": "1s",
        "daemons": entries,
        "clients": clients,
        "expected_clients": [CLIENT, EXPECTED_CLIENT, f"{EXPECTED_CLIENT}*"],
        "port_probes": ports,
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def _private(name: str, directory: Path) -> dict[str, object]:
    """Return the additional keys of a daemon with privacy."""
    mode = name.partition("-")[0]
    if mode not in PRIVACY_MODES:
        return {}
    status_file = directory / f"{name}.status"
    status_file.write_text(f"{CLIENT},1\nEND\n")
    return {
        "privacy": mode,
        "expected_clients": [CLIENT, EXPECTED_CLIENT],
        "status_file": str(status_file),
    }


@pytest.fixture
async def outputs(tmp_path: Path) -> dict[str, str]:
    """Run the program; return its log and the response of each request."""
    port = free_port()
    flags = (
        f"--web.listen-address=127.0.0.1:{port}",
        f"--web.config.file={tmp_path / 'web.yaml'}",
        "--log.level=debug",
    )
    async with daemons() as fakes:
        config = configure(tmp_path, fakes)
        with (tmp_path / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *PROGRAM, "--config.file", str(config), *flags, cwd=ROOT, stdout=log, stderr=log
            )
            done = {name: asyncio.Event() for name in SCRIPTS}
            scripts = [play(fakes[name], done[name]) for name, play in SCRIPTS.items()]
            playing = asyncio.gather(*scripts)
            try:
                async with asyncio.timeout(TEST_TIMEOUT):
                    await asyncio.gather(*(event.wait() for event in done.values()))
                replies = await send_all_requests(f"http://127.0.0.1:{port}")
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()
                await playing
    return replies | {"log": (tmp_path / "log").read_text()}


async def send_all_requests(base: str) -> dict[str, str]:
    """Send every request with the right password, then with a wrong one."""
    async with session_with(PASSWORD) as known:
        replies = {
            f"{method} {path}": await request(known, method, base + path)
            for method, path in REQUESTS
        }
    async with session_with(WRONG_PASSWORD) as unknown:
        rejected = {
            f"{method} {path} refused": await request(unknown, method, base + path)
            for method, path in REQUESTS
        }
    assert {response.partition(" ")[0] for response in rejected.values()} == {"401"}
    return replies | rejected


def session_with(password: str) -> ClientSession:
    return ClientSession(headers={"Authorization": encode_basic_auth(USER, password)})


async def request(session: ClientSession, method: str, url: str) -> str:
    """Return the whole response: status, headers and body."""
    async with session.request(method, url) as response:
        return f"{response.status} {response.headers}\n{await response.text()}"


async def test_no_secret_is_in_the_log_or_in_a_response(outputs: dict[str, str]) -> None:
    assert "daemon is up" in outputs["log"]
    assert 'openvpn_down_reason{daemon="refuses",reason="auth"} 1' in outputs["GET /metrics"]
    assert 'openvpn_down_reason{daemon="waits-0",reason="prompt"} 1' in outputs["GET /metrics"]
    assert 'openvpn_down_reason{daemon="waits-3",reason="client_auth"} 1' in outputs["GET /metrics"]
    assert (
        'openvpn_password_failures_total{daemon="serves",kind="Auth"} 1' in outputs["GET /metrics"]
    )
    sessions = 'openvpn_server_client_sessions{daemon="%s-serves",common_name="'
    assert sessions % "pseudonym" + "p-" in outputs["GET /metrics"]
    assert sessions % "none" not in outputs["GET /metrics"]
    assert 'openvpn_down_reason{daemon="none-dies",reason="closed"} 1' in outputs["GET /metrics"]
    assert 'openvpn_down_reason{daemon="none-token",reason="prompt"} 1' in outputs["GET /metrics"]
    for name in ("none-nonsense", "none-file", "none-stranger"):
        assert (
            f'openvpn_down_reason{{daemon="{name}",reason="protocol"}} 1' in outputs["GET /metrics"]
        )
    assert re.search("tls_auth: .*/tls.key", outputs["GET /config"])
    assert outputs["GET /config"].count("expected_clients:\n  - p-") == 6
    assert "PASSWORD 2" in outputs["GET /probe?target=serves&debug=true"]
    leaks = [
        (output, secret) for output, text in outputs.items() for secret in SECRETS if secret in text
    ]
    assert leaks == []


def test_every_endpoint_is_requested() -> None:
    async def reload() -> ReloadDiff:
        raise NotImplementedError

    exposition = Exposition(FAMILIES, SelfMetrics().registry)
    routes = application(list, exposition, telemetry_path="/metrics", reload=reload).router.routes()
    served = {
        (route.method, route.resource.canonical)
        for route in routes
        if route.resource is not None and route.method not in {"HEAD", "PUT"}
    }
    requests = {(method, path.partition("?")[0]) for method, path in REQUESTS}
    for method, path in served:
        pattern = re.compile(re.sub(r"\{[a-z]+\}", "[^/]+", path))
        assert any(method == other and pattern.fullmatch(at) for other, at in requests), path


def test_invalid_password_file_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "office.password").write_text(f"{MANAGEMENT}\tsecond word\n")
    config = tmp_path / "config.yaml"
    daemon = "{name: office, management: '127.0.0.1:1', password_file: office.password}"
    config.write_text(f"daemons: [{daemon}]\n")
    done = run("--config.file", str(config), "--log.level=debug")
    assert done.returncode == 2
    assert "office.password" in done.stderr
    assert MANAGEMENT not in done.stdout + done.stderr
