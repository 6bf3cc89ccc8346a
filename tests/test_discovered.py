"""What is found among OpenVPN's own configurations, from the file to the page and the log."""

import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession

from exporter.app import run_app
from exporter.config import load
from exporter.log import FIELDS
from exporter.web.listener import parse_listen_address

ANY_PORT = parse_listen_address("127.0.0.1:0")
NOT_WATCHED = "openvpn_exporter_discovered_daemons_not_watched"


async def number(url: str) -> str:
    """Give how many daemons the page says are not watched."""
    async with ClientSession() as session, session.get(f"{url}/metrics") as response:
        lines = (await response.text()).splitlines()
    (line,) = (line for line in lines if line.startswith(NOT_WATCHED))
    return line.removeprefix(NOT_WATCHED).strip()


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, str]]:
    """Give what was logged of findings since the last call: level, daemon and kind."""
    fields = [(record.levelno, getattr(record, FIELDS, {})) for record in caplog.records]
    caplog.clear()
    return [
        (level, said["daemon"], str(said["kind"])) for level, said in fields if "finding" in said
    ]


async def test_what_is_not_watched_is_counted_and_told_once_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("discover: ['*.conf']\n")
    (tmp_path / "office.conf").write_text("client\n")
    (tmp_path / "branch.conf").write_text(
        "management ::1 1\nmanagement-signal\nmanagement-forget-disconnect\nmanagement-hold\n"
    )
    caplog.set_level(logging.INFO)
    async with run_app(
        load(path), listen=[ANY_PORT], telemetry_path="/metrics", load_config=lambda: load(path)
    ) as running:
        assert await number(running.urls[0]) == "2.0"
        assert told(caplog) == [
            (logging.ERROR, "branch", "harmful-disconnect"),
            (logging.ERROR, "branch", "harmful-disconnect"),
            (logging.WARNING, "branch", "prompt-owner"),
            (logging.ERROR, "office", "no-management"),
        ]
        (tmp_path / "office.conf").write_text("client\nmanagement ::1 2\n")
        await running.reload()
        assert await number(running.urls[0]) == "1.0"
        assert told(caplog) == []
