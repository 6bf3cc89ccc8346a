"""When ports are probed, at which addresses, and what is recorded and logged."""

import asyncio
import errno
import itertools
import socket
from collections.abc import Callable, Sequence

import pytest

from exporter.config.port_probe import MIN_INTERVAL
from exporter.config.probe_plan import ProbePlan
from exporter.monitor import port_prober
from exporter.monitor.port_prober import START_DELAY, PortProber
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult, SkipReason
from exporter.port_probe.target import ProbeTarget, parse_target
from exporter.port_probe.wrapping import PlainWrapping, ServerKey
from exporter.state.port_probes import PortReport, ProbedPort
from exporter.transport.connector import ResolvedAddress, Resolver
from exporter.transport.port_probe import PortAddress
from tests.log_capture import LogCapture
from tests.monitor.skipping_clock import SkippingClockLoop
from tests.port_probe.vectors import SERVER_KEY

V4 = parse_target("192.0.2.1:1194/udp")
V6 = parse_target("[2001:db8::1]:1194/udp")
NAME = parse_target("vpn.example.org:1194/udp")
ADDRESS_V4 = ResolvedAddress(socket.AF_INET, "192.0.2.1")
ADDRESS_V6 = ResolvedAddress(socket.AF_INET6, "2001:db8::1")
INTERVAL = 60.0

Reply = Callable[[PortAddress], ProbeOutcome]


class Network:
    """Answers probes and lookups of names at once; `times` are those of the probes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reply: Reply = lambda _: ProbeOutcome.ANSWERED
        self.names: Callable[[], Sequence[ResolvedAddress]] = lambda: [ADDRESS_V4]
        self.probed: list[tuple[float, PortAddress]] = []
        monkeypatch.setattr(port_prober, "probe_port", self.probe)
        monkeypatch.setattr(Resolver, "addresses", self.addresses)

    async def probe(self, port: PortAddress, *_: object, **__: object) -> ProbeResult:
        self.probed.append((asyncio.get_running_loop().time(), port))
        return ProbeResult(self.reply(port), 0.5)

    async def addresses(self) -> Sequence[ResolvedAddress]:
        return self.names()

    def times(self, host: str = "192.0.2.1") -> list[float]:
        return [round(time, 3) for time, port in self.probed if port.address.host == host]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


def plan(*targets: ProbeTarget, interval: float = INTERVAL) -> ProbePlan:
    return ProbePlan(
        targets=targets, key=PlainWrapping(), interval=interval, timeout=3.0, allow_traces=False
    )


def run(
    prober: PortProber, seconds: float, *, stagger: float = 0.0, port: ProbedPort | None = None
) -> None:
    """Run a prober for so many seconds of its loop's time."""

    async def run_for() -> None:
        task = asyncio.create_task(prober.run(stagger))
        await asyncio.sleep(seconds)
        assert not task.done(), task
        task.cancel()

    with asyncio.Runner(loop_factory=SkippingClockLoop) as runner:
        runner.run(run_for())


def report(prober: PortProber, target: ProbeTarget) -> PortReport:
    with asyncio.Runner(loop_factory=SkippingClockLoop) as runner:
        return runner.run(prober.probe(target))


@pytest.fixture
def port(network: Network) -> ProbedPort:
    """A port whose addresses are in order: IPv4 literals resolve to themselves."""

    def literal() -> Sequence[ResolvedAddress]:
        return [ADDRESS_V4]

    network.names = literal
    return ProbedPort("office")


def test_a_port_is_probed_once_in_an_interval(network: Network, port: ProbedPort) -> None:
    run(PortProber(port, plan(V4)), 3 * INTERVAL)
    assert network.times() == [START_DELAY, START_DELAY + 60, START_DELAY + 120]
    assert port.port_probes.ports[V4, "4"].outcomes[ProbeOutcome.ANSWERED] == 3


@pytest.mark.parametrize("stagger", [0.25, 0.5, 0.75])
def test_daemons_of_a_fleet_are_probed_at_different_times(
    network: Network, port: ProbedPort, stagger: float
) -> None:
    run(PortProber(port, plan(V4)), 2 * INTERVAL, stagger=stagger)
    first = START_DELAY + stagger * INTERVAL
    assert network.times() == [first, first + 60]


def test_targets_are_spread_over_the_interval(network: Network, port: ProbedPort) -> None:
    targets = [parse_target(f"192.0.2.1:{number}/udp") for number in range(1, 5)]
    run(PortProber(port, plan(*targets)), INTERVAL)
    assert network.times() == [START_DELAY + offset for offset in (0, 15, 30, 45)]


def test_a_probe_that_is_skipped_is_tried_again_soon(network: Network, port: ProbedPort) -> None:
    reasons = iter([SkipReason.VERSION_UNKNOWN, SkipReason.MAX_CLIENTS, None, None])
    run(PortProber(port, plan(V4), skip_check=lambda _: next(reasons)), 100)
    first = START_DELAY + 2 * MIN_INTERVAL
    assert network.times() == [first, first + INTERVAL]


def test_a_reload_does_not_probe_more_often(network: Network, port: ProbedPort) -> None:
    async def reload() -> None:
        for _ in range(20):
            task = asyncio.create_task(PortProber(port, plan(V4)).run(0.0))
            await asyncio.sleep(3)
            task.cancel()

    with asyncio.Runner(loop_factory=SkippingClockLoop) as runner:
        runner.run(reload())
    times = network.times()
    assert len(times) > 1
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= MIN_INTERVAL


def test_a_name_is_probed_at_the_first_address_of_each_ip_version(
    network: Network, port: ProbedPort
) -> None:
    other = ResolvedAddress(socket.AF_INET, "192.0.2.200")
    network.names = lambda: [ADDRESS_V6, ADDRESS_V4, other]
    network.reply = lambda each: (
        ProbeOutcome.ANSWERED if each.address == ADDRESS_V4 else ProbeOutcome.UNREACHABLE
    )
    found = report(PortProber(port, plan(NAME)), NAME)
    outcomes = {version: result.outcome for version, result in found.results.items()}
    assert outcomes == {"4": ProbeOutcome.ANSWERED, "6": ProbeOutcome.UNREACHABLE}
    assert len(network.probed) == 2


@pytest.mark.parametrize(("proto", "version"), [("udp4", "4"), ("udp6", "6")])
def test_a_target_of_one_ip_version_is_probed_there_alone(
    network: Network, port: ProbedPort, proto: str, version: str
) -> None:
    network.names = lambda: [ADDRESS_V6, ADDRESS_V4]
    target = parse_target(f"vpn.example.org:1194/{proto}")
    assert report(PortProber(port, plan(target)), target).results.keys() == {version}


@pytest.mark.parametrize(("proto", "version"), [("udp", ""), ("udp6", "6")])
@pytest.mark.parametrize("error", [socket.gaierror(), TimeoutError()])
def test_a_name_that_is_not_resolved_is_an_outcome(
    network: Network, port: ProbedPort, proto: str, version: str, error: OSError
) -> None:
    def fail() -> Sequence[ResolvedAddress]:
        raise error

    network.names = fail
    target = parse_target(f"vpn.example.org:1194/{proto}")
    ((found, result),) = report(PortProber(port, plan(target)), target).results.items()
    assert (found, result.outcome) == (version, ProbeOutcome.NAME_NOT_RESOLVED)


def test_a_name_without_an_address_of_the_ip_version_is_not_resolved(
    network: Network, port: ProbedPort
) -> None:
    target = parse_target("vpn.example.org:1194/udp6")
    ((version, result),) = report(PortProber(port, plan(target)), target).results.items()
    assert (version, result.outcome) == ("6", ProbeOutcome.NAME_NOT_RESOLVED)


def test_a_resolver_that_hangs_delays_a_probe_by_the_timeout(
    network: Network, port: ProbedPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: object) -> Sequence[ResolvedAddress]:
        never: asyncio.Future[Sequence[ResolvedAddress]] = asyncio.Future()
        return await never

    monkeypatch.setattr(Resolver, "addresses", hang)
    ((_, result),) = report(PortProber(port, plan(NAME)), NAME).results.items()
    assert (result.outcome, result.seconds) == (ProbeOutcome.NAME_NOT_RESOLVED, 3.0)


def test_a_limit_of_the_exporter_is_no_outcome_of_the_port(
    network: Network, port: ProbedPort
) -> None:
    def fail(_: PortAddress) -> ProbeOutcome:
        raise OSError(errno.EMFILE, "too many open files")

    network.reply = fail
    found = report(PortProber(port, plan(V4)), V4)
    assert found == PortReport(V4, skipped=SkipReason.EXPORTER_LIMIT)


def test_a_probe_that_is_skipped_sends_nothing(network: Network, port: ProbedPort) -> None:
    prober = PortProber(port, plan(V4), skip_check=lambda _: SkipReason.LEAVES_TRACES)
    assert report(prober, V4) == PortReport(V4, skipped=SkipReason.LEAVES_TRACES)
    assert network.probed == []


def test_the_key_of_a_server_makes_a_key_of_a_client(network: Network, port: ProbedPort) -> None:
    server_plan = ProbePlan(
        targets=(V4,), key=ServerKey(SERVER_KEY), interval=60, timeout=3, allow_traces=False
    )
    first = PortProber(port, server_plan)._wrapping
    second = PortProber(port, server_plan)._wrapping
    assert first != second


def test_changes_are_logged_once(network: Network, port: ProbedPort, log: LogCapture) -> None:
    outcomes = iter(
        [
            ProbeOutcome.ANSWERED,
            *[ProbeOutcome.NO_ANSWER] * 3,
            ProbeOutcome.REFUSED,
            ProbeOutcome.ANSWERED,
        ]
    )
    network.reply = lambda _: next(outcomes)
    run(PortProber(port, plan(V4)), 6 * INTERVAL)
    found = [line.partition("daemon=")[2] for line in log.lines if "daemon=" in line]
    same = "office target=192.0.2.1:1194/udp ip_version=4 outcome="
    assert found == [f"{same}no_answer", f"{same}refused", f"{same}answered"]
    assert log.messages[1:] == ["port does not answer", "port does not answer", "port answers"]
