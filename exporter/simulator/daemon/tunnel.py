"""A daemon in client mode: one tunnel that loses its server now and then and reconnects."""

from dataclasses import dataclass
from random import Random

from exporter.simulator.daemon.daemon import Daemon, ProcessTotals, Unsupported
from exporter.simulator.daemon.history import Endpoints, SimulatedState
from exporter.simulator.daemon.settings import Settings
from exporter.simulator.daemon.status import TunnelStatistics, tunnel_status
from exporter.simulator.population.counter import LinearCounter, activity_ticks

PRIVATE_KEY_REQUEST = ">PASSWORD:Need 'Private Key' password"
"""The request of a daemon with an encrypted key and `--management-query-passwords`."""

_HANDSHAKE_READ = 3163
_HANDSHAKE_WRITE = 2995
_HELLO_WRITE = 14
_REPLAY = (
    "AEAD Decrypt error: bad packet ID (may be a replay): [ #{} ] -- see the man page entry for "
    "--replay-window for more info or silence this warning with --mute-replay-warnings"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelSettings(Settings):
    """The configuration of a client.

    `breaks_every` is the mean of seconds between two losses of the server, or None for never.
    A daemon with a `prompt` sends this line and waits until it is answered.
    """

    remote: str = "203.0.113.5"
    port: int = 1194
    breaks_every: float | None = 900.0
    prompt: str | None = None
    receive_rate: int = 900
    send_rate: int = 150


class TunnelDaemon(Daemon):
    """A client of some server."""

    settings: TunnelSettings

    def __init__(self, settings: TunnelSettings, *, rng: Random, start: float) -> None:
        super().__init__(settings, start=start)
        self._rng = rng
        self._initialised = False
        self._server_back_in = 0.0
        self._read = LinearCounter()
        self._write = LinearCounter()
        self._read_before = 0
        self._written_before = 0
        self._start()

    def status(self, version: int) -> list[str]:
        """Return the statistics of the current connection; the version is ignored."""
        if not self._initialised:
            raise Unsupported
        tick = activity_ticks(self.now)
        read, write = self._read.at(tick), self._write.at(tick)
        payload = max(0, read - _HANDSHAKE_READ)
        counters = TunnelStatistics(
            tun_read=max(0, write - _HANDSHAKE_WRITE) * 15 // 16,
            tun_write=payload * 15 // 16,
            link_read=read,
            link_write=write,
            auth_read=payload,
        )
        return tunnel_status(counters, now=int(self.now))

    def load_stats(self) -> ProcessTotals:
        """Return the bytes of all connections together."""
        tick = activity_ticks(self.now)
        received = self._read_before + self._read.at(tick)
        return ProcessTotals(0, received, self._written_before + self._write.at(tick))

    def inject_server_loss(self, seconds: float) -> None:
        """Lose the server; it is back after so many seconds."""
        self.log(1, "I", "[vpn-server] Inactivity timeout (--ping-restart), restarting")
        self._server_back_in = seconds
        self.restart("ping-restart", hard=False)

    def inject_replays(self, count: int) -> None:
        """Receive so many packets a second time."""
        for number in range(count):
            self.log(1, "N", _REPLAY.format(number))

    def answer_prompt(self) -> None:
        """Answer the prompt; the daemon connects."""
        self.pending_request = None
        self._connect()

    def _initialise(self, now: float) -> None:
        if self.settings.prompt is None:
            self._connect()
        else:
            self.request(self.settings.prompt)

    def _connect(self) -> None:
        self._initialised = True
        self._write = LinearCounter.started(activity_ticks(self.now), value=_HELLO_WRITE, rate=1)
        self.enter_state(SimulatedState.WAIT)
        pause = self._server_back_in + self._rng.uniform(0.02, 0.2)
        self._server_back_in = 0.0
        self.scheduler.call_at(self.now + pause, self._authenticate)

    def _authenticate(self, now: float) -> None:
        self.enter_state(SimulatedState.AUTH)
        self.log(1, "I", f"[vpn-server] Peer Connection Initiated with [AF_INET]{self._peer}")
        self.scheduler.call_at(self.now + self._rng.uniform(0.01, 0.3), self._connected)

    def _connected(self, now: float) -> None:
        tick, settings = activity_ticks(now), self.settings
        self._read = LinearCounter.started(tick, value=_HANDSHAKE_READ, rate=settings.receive_rate)
        self._write = LinearCounter.started(tick, value=_HANDSHAKE_WRITE, rate=settings.send_rate)
        self.log(1, "I", "Initialization Sequence Completed")
        ends = Endpoints(
            tunnel="10.8.0.2",
            tunnel_ipv6="fd00:8::1000",
            remote=settings.remote,
            remote_port=str(settings.port),
        )
        self.enter_state(SimulatedState.CONNECTED, "SUCCESS", ends)
        if settings.breaks_every is not None:
            delay = self._rng.expovariate(1 / settings.breaks_every)
            self.scheduler.call_at(now + delay, self._lose_server)

    def _lose_server(self, now: float) -> None:
        self.inject_server_loss(self._rng.uniform(1.0, 20.0))

    def _stop(self) -> None:
        stats = self.load_stats()
        self._read_before, self._written_before = stats.received, stats.sent
        self._read = self._write = LinearCounter()

    @property
    def _peer(self) -> str:
        return f"{self.settings.remote}:{self.settings.port}"
