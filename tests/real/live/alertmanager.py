"""A real Alertmanager with the shipped configuration, and those whom it tells."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientConnectionError, ClientSession, web

from tests.alert_rules.shipped import PROMETHEUS
from tests.real.lab import Lab
from tests.real.live.timing import DEADLINE
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.waiting import eventually

PAUSE = 0.1
FIRING = "firing"
RESOLVED = "resolved"
ACTIVE = "active"
SUPPRESSED = "suppressed"


@dataclass(frozen=True, order=True, slots=True)
class Alert:
    """Which alert it is, of which daemon and which of its clients; empty where there is none."""

    name: str
    daemon: str = ""
    client: str = ""

    @classmethod
    def read(cls, labels: dict[str, str]) -> "Alert":
        """Tell by its labels."""
        return cls(labels["alertname"], labels.get("daemon", ""), labels.get("common_name", ""))


@dataclass(frozen=True, slots=True)
class Notification:
    """What one receiver was told of one alert."""

    receiver: str
    status: str
    alert: Alert
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(slots=True)
class Receivers:
    """Whoever is told: the page of each receiver, and all that came, the oldest first."""

    url: str
    notifications: list[Notification] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take what Alertmanager sends."""
        said = await request.json()
        self.notifications += [
            Notification(
                receiver=said["receiver"],
                status=alert["status"],
                alert=Alert.read(alert["labels"]),
                labels=alert["labels"],
                annotations=alert["annotations"],
            )
            for alert in said["alerts"]
        ]
        return web.Response()

    async def wait_all_resolved(self) -> None:
        """Wait until whoever heard of an alert has heard of its end."""

        async def look() -> bool | None:
            ends = {
                notifications.alert
                for notifications in self.notifications
                if notifications.status == RESOLVED
            }
            return (
                True
                if {notifications.alert for notifications in self.notifications} == ends
                else None
            )

        await eventually(look, deadline=DEADLINE, pause=PAUSE)


class Alertmanager:
    """An Alertmanager that can be asked for its alerts; it is asked often while somebody waits."""

    def __init__(self, session: ClientSession, address: str) -> None:
        self.address = address
        self.states: dict[Alert, set[str]] = {}
        """In which states each alert was ever seen."""
        self._session = session

    async def alerts(self) -> dict[Alert, str] | None:
        """Return the state of each alert, active or suppressed; None while it is still starting."""
        try:
            async with self._session.get(f"http://{self.address}/api/v2/alerts") as answer:
                if answer.status != HTTPStatus.OK:
                    return None
                found = await answer.json()
        except ClientConnectionError:
            return None
        states = {Alert.read(alert["labels"]): alert["status"]["state"] for alert in found}
        for alert, state in states.items():
            self.states.setdefault(alert, set()).add(state)
        return states

    async def wait_for(self, alert: Alert, state: str | None) -> None:
        """Wait until an alert is active, suppressed, or, with None, not there."""

        async def look() -> bool | None:
            alerts = await self.alerts()
            return True if alerts is not None and alerts.get(alert) == state else None

        try:
            await eventually(look, deadline=DEADLINE, pause=PAUSE)
        except TimeoutError as error:
            error.add_note(f"{alert} was not {state}: {await self.alerts()}")
            raise

    async def wait_no_alerts(self) -> None:
        """Wait until there is no alert."""

        async def look() -> bool | None:
            return True if await self.alerts() == {} else None

        try:
            await eventually(look, deadline=DEADLINE, pause=PAUSE)
        except TimeoutError as error:
            error.add_note(f"still there: {await self.alerts()}")
            raise


def test_routes(url: str) -> dict[str, Any]:
    """Return the shipped configuration with hasty routes, and ``url`` in each receiver's place."""
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    assert all(receiver.keys() == {"name"} for receiver in config["receivers"])
    config["receivers"] = [
        receiver | {"webhook_configs": [{"url": f"{url}/{receiver['name']}"}]}
        for receiver in config["receivers"]
    ]
    return config


@asynccontextmanager
async def receivers(lab: Lab) -> AsyncIterator[Receivers]:
    """Have somebody listen at each receiver's place."""
    port = lab.port()
    receivers_ = Receivers(f"http://{LOOPBACK}:{port}")
    app = web.Application()
    app.router.add_post("/{receiver}", receivers_.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield receivers_
    finally:
        await runner.cleanup()


@asynccontextmanager
async def alertmanager(lab: Lab, result: Receivers, directory: Path) -> AsyncIterator[Alertmanager]:
    """Run one that tells them, alone and of no cluster."""
    file = directory / "alertmanager.yml"
    file.write_text(yaml.safe_dump(test_routes(result.url)))
    address = f"{LOOPBACK}:{lab.port()}"
    options = [
        f"--config.file={file}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    async with (
        program("prometheus-alertmanager", *options, log=directory / "alertmanager.log"),
        ClientSession() as session,
    ):
        prom = Alertmanager(session, address)
        await prom.wait_no_alerts()
        yield prom
