"""A real Alertmanager with the shipped configuration, and fake receivers for it."""

from collections.abc import AsyncIterator, Callable
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
    """An alert by its name, daemon and client; empty where it has none."""

    name: str
    daemon: str = ""
    client: str = ""

    @classmethod
    def from_labels(cls, labels: dict[str, str]) -> "Alert":
        """Return the alert with these labels."""
        return cls(labels["alertname"], labels.get("daemon", ""), labels.get("common_name", ""))


@dataclass(frozen=True, slots=True)
class Notification:
    """One alert in a notification to one receiver."""

    receiver: str
    status: str
    alert: Alert
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(slots=True)
class Receivers:
    """The webhook of each receiver, and the alerts of each request to one, the oldest first."""

    url: str
    groups: list[list[Notification]] = field(default_factory=list)

    @property
    def notifications(self) -> list[Notification]:
        """All alerts of all requests."""
        return [sent for group in self.groups for sent in group]

    async def receive(self, request: web.Request) -> web.Response:
        """Record a notification of Alertmanager."""
        body = await request.json()
        self.groups.append(
            [
                Notification(
                    receiver=body["receiver"],
                    status=alert["status"],
                    alert=Alert.from_labels(alert["labels"]),
                    labels=alert["labels"],
                    annotations=alert["annotations"],
                )
                for alert in body["alerts"]
            ]
        )
        return web.Response()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition of the notifications holds."""

        async def look() -> bool | None:
            return condition() or None

        await eventually(look, deadline=DEADLINE, pause=PAUSE)

    async def wait_all_resolved(self) -> None:
        """Wait until every alert that was notified was also notified as resolved."""

        def all_resolved() -> bool:
            notified = {one.alert for one in self.notifications}
            return notified == {one.alert for one in self.notifications if one.status == RESOLVED}

        await self.wait_until(all_resolved)


class Alertmanager:
    """The HTTP API of an Alertmanager; every wait polls it often."""

    def __init__(self, session: ClientSession, address: str) -> None:
        self.address = address
        self.states: dict[Alert, set[str]] = {}
        """All states in which each alert was seen."""
        self._session = session

    async def alerts(self) -> dict[Alert, str] | None:
        """Return the state of each alert, active or suppressed; None while Alertmanager starts."""
        try:
            async with self._session.get(f"http://{self.address}/api/v2/alerts") as response:
                if response.status != HTTPStatus.OK:
                    return None
                found = await response.json()
        except ClientConnectionError:
            return None
        states = {Alert.from_labels(alert["labels"]): alert["status"]["state"] for alert in found}
        for alert, state in states.items():
            self.states.setdefault(alert, set()).add(state)
        return states

    def forget_states(self, alert: Alert) -> None:
        """Forget the states in which an alert was seen so far."""
        self.states.pop(alert, None)

    async def wait_for(self, alert: Alert, state: str | None) -> None:
        """Wait until an alert is active, suppressed, or, with None, absent."""

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
            error.add_note(f"remaining alerts: {await self.alerts()}")
            raise


def config_with_webhooks(url: str) -> dict[str, Any]:
    """Return the shipped configuration with short waits, and a webhook for each receiver."""
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    assert all(receiver.keys() == {"name"} for receiver in config["receivers"])
    config["receivers"] = [
        receiver | {"webhook_configs": [{"url": f"{url}/{receiver['name']}"}]}
        for receiver in config["receivers"]
    ]
    return config


@asynccontextmanager
async def fake_receivers(lab: Lab) -> AsyncIterator[Receivers]:
    """Serve a webhook for each receiver."""
    port = lab.port()
    receivers = Receivers(f"http://{LOOPBACK}:{port}")
    app = web.Application()
    app.router.add_post("/{receiver}", receivers.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield receivers
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_alertmanager(
    lab: Lab, receivers: Receivers, directory: Path
) -> AsyncIterator[Alertmanager]:
    """Run an Alertmanager, without a cluster, that notifies the receivers."""
    file = directory / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config_with_webhooks(receivers.url)))
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
        alertmanager = Alertmanager(session, address)
        await alertmanager.wait_no_alerts()
        yield alertmanager
