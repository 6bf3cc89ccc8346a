"""One daemon as a value: health, state, problem, versions, totals and rates."""

import enum
from collections.abc import Sequence

import msgspec

from exporter.certificates.issued import CertificateState
from exporter.management.errors import DownReason
from exporter.management.reconnect_reasons import reconnect_reason
from exporter.management.state import Mode, State, StateName
from exporter.management.status import ServerStatus, StatusSource
from exporter.state.daemon import DaemonState

PROBLEM_LIMIT = 400
"""Most characters of a problem, which includes text of the peer."""

_WITH_REASON = frozenset({StateName.RECONNECTING, StateName.EXITING})
_RESULTS = frozenset({"SUCCESS", "ERROR", "ROUTE_ERROR"})
"""Descriptions of CONNECTED."""


class Health(enum.StrEnum):
    """The health of a daemon, from the worst to the best; the order of the landing page."""

    DOWN = "down"
    DEGRADED = "degraded"
    PENDING = "pending"
    UP = "up"


class DaemonView(msgspec.Struct, frozen=True, kw_only=True):
    """One daemon.

    Times are Unix times in seconds. What is unknown is None, for texts too. `state` is OpenVPN's.
    `down_reason` is the label value of `openvpn_down_reason`, `problem` the same as a sentence.
    The bytes are those of `openvpn_received_bytes_total` and `openvpn_sent_bytes_total`; a rate is
    the mean between the last two polls. Clients are counted for servers only; `max_clients` is the
    smaller one of the configured limit and the address pool; `revoked_clients` and
    `expired_clients` are connected with such a certificate, None without a list of them. The
    interface is shared at `share_addresses`, to `share_tools`; `share_problems` say where it can't
    be.
    """

    name: str
    address: str
    health: Health
    up: bool
    source: StatusSource | None
    state: StateName | None
    state_since: int | None
    down_reason: DownReason | None
    problem: str | None
    mode: Mode | None
    version: str | None
    platform: str | None
    management_version: str | None
    start_time: int | None
    polled_at: float | None
    received_bytes: int | None
    sent_bytes: int | None
    received_bytes_per_second: float | None
    sent_bytes_per_second: float | None
    connected_clients: int | None
    pending_clients: int | None
    max_clients: int | None
    revoked_clients: int | None
    expired_clients: int | None
    share_addresses: tuple[str, ...]
    share_tools: int | None
    share_problems: tuple[str, ...]

    @property
    def sharing(self) -> str:
        """Where the management interface is shared and with how many tools; "" if it is not."""
        tools = f"{self.share_tools} tool{'' if self.share_tools == 1 else 's'}"
        shared = f"shared at {' '.join(self.share_addresses)}: {tools}"
        return "; ".join([shared] * bool(self.share_addresses) + [*self.share_problems])

    @property
    def status(self) -> str:
        """The state of OpenVPN as far as it is known, else what is known instead."""
        if self.health in {Health.DOWN, Health.PENDING}:
            return self.health.value
        return self.state.value if self.state else "up"


class StateView(msgspec.Struct, frozen=True):
    """An entry of the state history; `reason` is "" for most states.

    It is one of the label values of `openvpn_reconnects_total`, or the result of connecting: the
    text of the daemon may contain a name, or a challenge of the login.
    """

    time: int
    state: StateName
    reason: str = ""


def daemon_view(daemon: DaemonState) -> DaemonView:
    """Return the view of a daemon."""
    health = _health(daemon)
    version = daemon.version if daemon.management_up else None
    rate = daemon.traffic.rate if daemon.up else None
    was_polled = daemon.polled_at is not None
    server = daemon.status if isinstance(daemon.status, ServerStatus) else None
    counts = daemon.client_certificates.counts if server else None
    share, problems = daemon.target.daemon.share, daemon.sharing.problems
    shared = map(str, share.listen) if share else ()
    limits = [limit for limit in (daemon.max_clients, daemon.address_pool_size) if limit]
    return DaemonView(
        name=daemon.name,
        address=str(daemon.target.address),
        health=health,
        up=daemon.up,
        source=daemon.source if daemon.up else None,
        state=daemon.state.name if daemon.state else None,
        state_since=daemon.state.time if daemon.state else None,
        down_reason=daemon.down_reason,
        problem=_problem(daemon),
        mode=daemon.mode,
        version=(version.version or None) if version else None,
        platform=(version.platform or None) if version else None,
        management_version=(version.management_version or None) if version else None,
        start_time=daemon.process.start_time if daemon.management_up else None,
        polled_at=daemon.polled_at,
        received_bytes=daemon.traffic.received_bytes if was_polled else None,
        sent_bytes=daemon.traffic.sent_bytes if was_polled else None,
        received_bytes_per_second=rate.received if rate else None,
        sent_bytes_per_second=rate.sent if rate else None,
        connected_clients=len(server.clients) if server else None,
        pending_clients=len(server.pending) if server else None,
        max_clients=min(limits) if server and limits else None,
        revoked_clients=counts[CertificateState.REVOKED] if counts else None,
        expired_clients=counts[CertificateState.EXPIRED] if counts else None,
        share_addresses=tuple(address for address in shared if address not in problems),
        share_tools=daemon.sharing.tools if share else None,
        share_problems=tuple(problems.values()) if share else (),
    )


def state_history(daemon: DaemonState) -> Sequence[StateView]:
    """Return the last states of the daemon's process, newest first; 100 at most."""
    return [
        StateView(state.time, state.name, _reason(state))
        for state in reversed(daemon.process.states)
    ]


def _health(daemon: DaemonState) -> Health:
    if daemon.down_reason is not None:
        return Health.DEGRADED if daemon.up else Health.DOWN
    if not daemon.up:
        return Health.PENDING
    is_connected = daemon.state is None or daemon.state.name is StateName.CONNECTED
    return Health.UP if is_connected else Health.DEGRADED


def _problem(daemon: DaemonState) -> str | None:
    if daemon.down_reason is None:
        return None
    problem = daemon.down_message
    return f"{problem[: PROBLEM_LIMIT - 1]}…" if len(problem) > PROBLEM_LIMIT else problem


def _reason(state: State) -> str:
    if state.name in _WITH_REASON:
        return reconnect_reason(state.description)
    return state.description if state.description in _RESULTS else ""
