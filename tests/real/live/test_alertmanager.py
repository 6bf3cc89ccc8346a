"""The example configuration in a real Alertmanager: what is one notification, and what is none."""

from collections.abc import Iterable
from pathlib import Path

from aiohttp import ClientSession

from tests.alert_rules.shipped import alerts
from tests.real.lab import Lab
from tests.real.live.alertmanager import (
    ACTIVE,
    SUPPRESSED,
    Alert,
    Alertmanager,
    fake_receivers,
    running_alertmanager,
)

SEVERITIES = {alert.alert: alert.labels["severity"] for alert in alerts()}
DAEMONS = [f"daemon-{number}" for number in range(12)]

Labels = dict[str, str]


def labels(name: str, daemon: str = "", *, cluster: str = "", instance: str = "vpn:9176") -> Labels:
    """Return the labels of an alert of the rules; without those that are empty."""
    found = {"alertname": name, "severity": SEVERITIES[name], "job": "openvpn"}
    found |= {"instance": instance, "daemon": daemon, "cluster": cluster}
    return {label: value for label, value in found.items() if value}


async def send(alertmanager: Alertmanager, sent: Iterable[Labels]) -> None:
    """Send alerts as Prometheus does."""
    url = f"http://{alertmanager.address}/api/v2/alerts"
    async with (
        ClientSession() as session,
        session.post(url, json=[{"labels": each} for each in sent]) as response,
    ):
        response.raise_for_status()


async def test_twelve_daemons_of_a_host_are_one_page(lab: Lab, tmp_path: Path) -> None:
    async with (
        fake_receivers(lab) as receivers,
        running_alertmanager(lab, receivers, tmp_path) as alertmanager,
    ):
        lost = [labels("OpenVPNDaemonDown", daemon) for daemon in DAEMONS]
        lost += [labels("OpenVPNExpectedClientMissing", daemon) for daemon in DAEMONS]
        elsewhere = labels("OpenVPNDaemonDown", DAEMONS[0], instance="branch:9176")
        await send(alertmanager, [*lost, elsewhere])
        await receivers.wait_until(lambda: len(receivers.groups) >= len({"vpn", "branch"}))
        assert sorted(len(group) for group in receivers.groups) == [1, len(DAEMONS)]
        assert {sent.receiver for sent in receivers.notifications} == {"pager"}


async def test_exporter_that_is_down_is_one_page(lab: Lab, tmp_path: Path) -> None:
    async with (
        fake_receivers(lab) as receivers,
        running_alertmanager(lab, receivers, tmp_path) as alertmanager,
    ):
        lost = [labels("OpenVPNDaemonDown", daemon) for daemon in DAEMONS]
        await send(alertmanager, [labels("OpenVPNExporterDown"), *lost])
        for daemon in DAEMONS:
            await alertmanager.wait_for(Alert("OpenVPNDaemonDown", daemon), SUPPRESSED)
        await receivers.wait_until(lambda: bool(receivers.groups))
        assert [[sent.alert.name for sent in group] for group in receivers.groups] == [
            ["OpenVPNExporterDown"]
        ]


async def test_cluster_does_not_inhibit_its_namesake(lab: Lab, tmp_path: Path) -> None:
    async with (
        fake_receivers(lab) as receivers,
        running_alertmanager(lab, receivers, tmp_path) as alertmanager,
    ):
        down = labels("OpenVPNDaemonDown", "office", cluster="east")
        await send(alertmanager, [down, labels("OpenVPNNotConnected", "office", cluster="west")])
        await alertmanager.wait_for(Alert("OpenVPNNotConnected", "office"), ACTIVE)
        await receivers.wait_until(lambda: len(receivers.groups) >= len({"east", "west"}))
        assert alertmanager.states[Alert("OpenVPNNotConnected", "office")] == {ACTIVE}
