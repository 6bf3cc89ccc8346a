"""A daemon in client mode: one tunnel that breaks now and then and comes back."""

from dataclasses import dataclass
from random import Random

from exporter.simulator.daemon.daemon import Daemon, LoadStats, Unsupported
from exporter.simulator.daemon.prompt import Answers, Prompt, Question
from exporter.simulator.daemon.settings import Settings
from exporter.simulator.daemon.state import Endpoints, State
from exporter.simulator.daemon.status import TunnelCounters, tunnel_status
from exporter.simulator.population.counter import LinearCounter, activity_ticks

_HANDSHAKE_READ = 3163
_HANDSHAKE_WRITE = 2995
_HELLO_WRITE = 14
_REPLAY = (
    "AEAD Decrypt error: bad packet ID (may be a replay): [ #{} ] -- see the man page entry for "
    "--replay-window for more info or silence this warning with --mute-replay-warnings"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The user a simulated server lets in."""

    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelSettings(Settings):
    """The configuration of a client.

    `breaks_every` is the mean of seconds between two losses of the server, or None for never.
    With a `question` the daemon asks the management client and stands still meanwhile. The server
    lets in whoever has the `credentials`, or anybody without.
    """

    remote: str = "203.0.113.5"
    port: int = 1194
    breaks_every: float | None = 900.0
    question: Question | None = None
    credentials: Credentials | None = None
    receive_rate: int = 900
    send_rate: int = 150


class TunnelDaemon(Daemon):
    """A client of some server."""

    settings: TunnelSettings

    def __init__(self, settings: TunnelSettings, *, rng: Random, start: float) -> None:
        """Run since `start`."""
        super().__init__(settings, start=start)
        self._rng = rng
        self._initialised = False
        self._server_back_in = 0.0
        self._read = LinearCounter()
        self._write = LinearCounter()
        self._read_before = 0
        self._written_before = 0
        self._start()

    @property
    def remotes(self) -> list[str] | None:
        """The one server, once it was tried."""
        if not self._initialised:
            return None
        return [f"{self.settings.remote},{self.settings.port},udp4,enabled"]

    def status(self, version: int) -> list[str]:
        """Return the statistics of the current connection; the version doesn't matter."""
        if not self._initialised:
            raise Unsupported
        tick = activity_ticks(self.now)
        read, write = self._read.at(tick), self._write.at(tick)
        payload = max(0, read - _HANDSHAKE_READ)
        counters = TunnelCounters(
            tun_read=max(0, write - _HANDSHAKE_WRITE) * 15 // 16,
            tun_write=payload * 15 // 16,
            link_read=read,
            link_write=write,
            auth_read=payload,
        )
        return tunnel_status(counters, now=int(self.now))

    def load_stats(self) -> LoadStats:
        """Return the bytes of all connections together."""
        tick = activity_ticks(self.now)
        received = self._read_before + self._read.at(tick)
        return LoadStats(0, received, self._written_before + self._write.at(tick))

    def inject_server_loss(self, seconds: float) -> None:
        """Notice that the server is silent; it is back after so many seconds."""
        self.log(1, "I", "[vpn-server] Inactivity timeout (--ping-restart), restarting")
        self._server_back_in = seconds
        self.restart("ping-restart", hard=False)

    def inject_replays(self, count: int) -> None:
        """Get so many packets a second time."""
        for number in range(count):
            self.log(1, "N", _REPLAY.format(number))

    def _initialise(self, now: float) -> None:
        if self.settings.question is None:
            self._connect({})
        else:
            self.prompt = Prompt(self.settings.question, self._answered)
            self.send_line(self.prompt.question.request)

    def _answered(self, answers: Answers) -> None:
        self.prompt = None
        # Not at once: the reply to the last answer comes first.
        self.scheduler.call_at(self.now, lambda now: self._connect(answers))

    def _connect(self, answers: Answers) -> None:
        self._initialised = True
        self._write = LinearCounter.started(activity_ticks(self.now), value=_HELLO_WRITE, rate=1)
        self.enter_state(State.WAIT)
        pause = self._server_back_in + self._rng.uniform(0.02, 0.2)
        self._server_back_in = 0.0
        self.scheduler.call_at(self.now + pause, lambda now: self._authenticate(answers))

    def _authenticate(self, answers: Answers) -> None:
        self.enter_state(State.AUTH)
        self.log(1, "I", f"[vpn-server] Peer Connection Initiated with [AF_INET]{self._peer}")
        done = self._connected if self._accepts(answers) else self._rejected
        self.scheduler.call_at(self.now + self._rng.uniform(0.01, 0.3), done)

    def _accepts(self, answers: Answers) -> bool:
        wanted = self.settings.credentials
        if wanted is None:
            return True
        return wanted == Credentials(answers.get("username", ""), answers.get("password", ""))

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
        self.enter_state(State.CONNECTED, "SUCCESS", ends)
        if settings.breaks_every is not None:
            self.scheduler.call_at(
                now + self._rng.expovariate(1 / settings.breaks_every), self._lose_server
            )

    def _rejected(self, now: float) -> None:
        self.log(0, "", "AUTH: Received control message: AUTH_FAILED")
        self.send_line(">PASSWORD:Verification Failed: 'Auth'")
        if self.persistent_flags.auth_retry == "none":
            self.enter_state(State.EXITING, "auth-failure")
            self.exited = True
        else:
            self.restart("auth-failure", hard=False)

    def _lose_server(self, now: float) -> None:
        self.inject_server_loss(self._rng.uniform(1.0, 20.0))

    def _stop(self) -> None:
        stats = self.load_stats()
        self._read_before, self._written_before = stats.received, stats.sent
        self._read = self._write = LinearCounter()

    def _report_traffic(self) -> None:
        stats = self.load_stats()
        self.send_line(f">BYTECOUNT:{stats.received},{stats.sent}")

    @property
    def _peer(self) -> str:
        return f"{self.settings.remote}:{self.settings.port}"
