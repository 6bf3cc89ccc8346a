"""The ports that are probed without a daemon: started and stopped as the configuration says."""

import asyncio
from collections.abc import Sequence

import msgspec

from exporter.aio import cancel_and_wait
from exporter.config.port_probe import PortProbeEntry
from exporter.config.probe_plan import entry_plan
from exporter.monitor.pool import log_crash
from exporter.state.port_probes import ProbedPort


class _ProbedPortEntry(msgspec.Struct, frozen=True):
    config: PortProbeEntry
    port: ProbedPort
    task: asyncio.Task[None]


class ProbedPorts:
    """Probes the ports that were applied last, until it is closed."""

    def __init__(self) -> None:
        self._entries: dict[str, _ProbedPortEntry] = {}
        self._is_closed = False

    @property
    def ports(self) -> Sequence[ProbedPort]:
        """The ports, in the order of the configuration."""
        return [entry.port for entry in self._entries.values()]

    async def apply(self, configs: Sequence[PortProbeEntry]) -> None:
        """Probe these ports from now on; what is known of an unchanged target stays."""
        old = self._entries
        unchanged = {
            config.name
            for config in configs
            if config.name in old and old[config.name].config == config
        }
        await cancel_and_wait(entry.task for name, entry in old.items() if name not in unchanged)
        if self._is_closed:  # meanwhile
            return
        self._entries = {
            config.name: old[config.name]
            if config.name in unchanged
            else _start(config, old.get(config.name), index / len(configs))
            for index, config in enumerate(configs)
        }

    def stop(self) -> None:
        """Cancel the tasks; `close` waits for their end."""
        for entry in self._entries.values():
            entry.task.cancel()

    async def close(self) -> None:
        """Stop all probes."""
        self._is_closed = True
        await cancel_and_wait(entry.task for entry in self._entries.values())
        self._entries = {}


def _start(
    config: PortProbeEntry, old: _ProbedPortEntry | None, stagger: float
) -> _ProbedPortEntry:
    from exporter.monitor.port_prober import PortProber  # noqa: PLC0415 -- only for these

    port = old.port if old is not None else ProbedPort(config.name)
    port.port_probes.reconfigure([config.target])
    prober = PortProber(port, entry_plan(config))
    task = asyncio.create_task(prober.run(stagger), name=f"port probe {config.name}")
    task.add_done_callback(log_crash)
    return _ProbedPortEntry(config, port, task)
