"""Ports without a daemon follow the configuration."""

import asyncio

import pytest

from exporter.config.port_probe import PortProbeEntry
from exporter.monitor.port_prober import PortProber
from exporter.monitor.probed_ports import ProbedPorts
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult
from exporter.port_probe.target import parse_target
from exporter.state.port_probes import PortReport
from tests.log_capture import LogCapture

ANSWERED = ProbeResult(ProbeOutcome.ANSWERED, 0.5)


class Probers:
    """Stands for the probers: the stagger of each that runs."""

    def __init__(self) -> None:
        self.running: list[float] = []

    async def run(self, stagger: float) -> None:
        self.running.append(stagger)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.running.remove(stagger)


@pytest.fixture
def probers(monkeypatch: pytest.MonkeyPatch) -> Probers:
    found = Probers()
    monkeypatch.setattr(PortProber, "run", lambda _, stagger: found.run(stagger))
    return found


def entry(name: str, target: str = "192.0.2.1:1194/udp", interval: float = 60.0) -> PortProbeEntry:
    return PortProbeEntry(
        name=name, target=parse_target(target), interval=interval, allow_traces=True
    )


async def test_entries_are_probed_at_different_times_until_closed(probers: Probers) -> None:
    ports = ProbedPorts()
    await ports.apply([entry("a"), entry("b", "192.0.2.2:1/udp")])
    await asyncio.sleep(0)
    assert probers.running == [0, 0.5]
    assert [port.name for port in ports.ports] == ["a", "b"]
    await ports.close()
    assert probers.running == []
    assert ports.ports == []


async def test_a_reload_starts_no_probes_when_the_exporter_stops(probers: Probers) -> None:
    ports = ProbedPorts()
    await ports.apply([entry("a")])
    await asyncio.sleep(0)
    reload = asyncio.create_task(ports.apply([entry("b")]))
    await asyncio.sleep(0)
    await ports.close()
    await reload
    await asyncio.sleep(0)
    assert probers.running == []
    assert ports.ports == []


async def test_all_tasks_can_be_stopped_before_they_are_awaited(probers: Probers) -> None:
    ports = ProbedPorts()
    await ports.apply([entry("a")])
    await asyncio.sleep(0)
    ports.stop()
    await asyncio.sleep(0)
    assert probers.running == []
    await ports.close()


async def test_an_unchanged_entry_goes_on(probers: Probers) -> None:
    ports = ProbedPorts()
    await ports.apply([entry("a"), entry("b", "192.0.2.2:1/udp")])
    await asyncio.sleep(0)
    (first, second) = ports.ports
    await ports.apply([entry("b", "192.0.2.2:1/udp")])
    assert ports.ports == [second]
    assert first is not second
    assert probers.running == [0.5]
    await ports.close()


async def test_results_of_a_target_stay_when_other_keys_change(probers: Probers) -> None:
    ports = ProbedPorts()
    await ports.apply([entry("a")])
    (port,) = ports.ports
    target = parse_target("192.0.2.1:1194/udp")
    port.port_probes.record(PortReport(target, {"4": ANSWERED}))
    await ports.apply([entry("a", interval=30.0)])
    assert ports.ports == [port]
    assert port.port_probes.ports.keys() == {(target, "4")}
    await ports.apply([entry("a", "192.0.2.3:1194/udp")])
    assert port.port_probes.ports == {}
    await ports.close()


async def test_the_end_of_a_task_is_logged(
    monkeypatch: pytest.MonkeyPatch, log: LogCapture
) -> None:
    async def crash(_: object, __: float) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(PortProber, "run", crash)
    ports = ProbedPorts()
    await ports.apply([entry("a")])
    fields = await log.wait_for("monitor task crashed")
    assert fields["task"] == "port probe a"
    await ports.close()
