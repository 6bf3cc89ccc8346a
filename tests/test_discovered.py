"""Discovered daemons from the configuration file to the metrics and the log."""

import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession

from exporter.app import run_app
from exporter.config.loader import load
from exporter.log import FIELDS
from exporter.web.listener import parse_listen_address

ANY_PORT = parse_listen_address("127.0.0.1:0")
METRIC = "openvpn_exporter_discovered_daemons_skipped"


async def skipped_daemons(url: str) -> str:
    """Return the number of skipped daemons in the metrics."""
    async with ClientSession() as session, session.get(f"{url}/metrics") as response:
        lines = (await response.text()).splitlines()
    (line,) = (line for line in lines if line.startswith(METRIC))
    return line.removeprefix(METRIC).strip()


def logged_findings(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, str]]:
    """Return the findings logged since the last call: level, daemon and kind."""
    fields = [(record.levelno, getattr(record, FIELDS, {})) for record in caplog.records]
    caplog.clear()
    return [
        (level, event["daemon"], str(event["kind"]))
        for level, event in fields
        if "finding" in event
    ]


async def test_skipped_daemons_are_counted_and_logged_once_until_resolved(
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
        assert await skipped_daemons(running.urls[0]) == "2.0"
        assert logged_findings(caplog) == [
            (logging.ERROR, "branch", "harmful-disconnect"),
            (logging.ERROR, "branch", "harmful-disconnect"),
            (logging.WARNING, "branch", "prompt-owner"),
            (logging.ERROR, "office", "no-management"),
        ]
        (tmp_path / "office.conf").write_text("client\nmanagement ::1 2\n")
        await running.reload()
        assert await skipped_daemons(running.urls[0]) == "1.0"
        assert logged_findings(caplog) == []
