import asyncio
import contextlib
import errno
import threading

import pytest
from prometheus_client import CollectorRegistry

from exporter.config import Config, ConfigError, DaemonConfig, Problem
from exporter.config.target import ReloadDiff
from exporter.management.endpoint import parse_endpoint
from exporter.metrics.self_metrics import SelfMetrics
from exporter.reload import MAX_HANGING, ConfigReloader
from tests.blocking import forbid_blocking
from tests.fake_daemon import TEST_TIMEOUT
from tests.log_capture import LogCapture, log

__all__ = ["forbid_blocking", "log"]

CONFIG = Config(daemons=(DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505")),))
PROBLEMS = (
    Problem(source="config.yaml", text="wrong", line=3),
    Problem(source="config.yaml", text="worse", line=4),
)


def successful(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("openvpn_exporter_config_last_reload_successful")


def since(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value(
        "openvpn_exporter_config_last_reload_success_timestamp_seconds"
    )


def bad() -> Config:
    raise ConfigError(PROBLEMS)


async def test_a_valid_configuration_is_applied(log: LogCapture) -> None:
    applied: list[Config] = []

    async def apply(config: Config) -> ReloadDiff:
        applied.append(config)
        return ReloadDiff(added=("office",))

    own = SelfMetrics()
    plan = await ConfigReloader(lambda: CONFIG, apply, own)()
    assert applied == [CONFIG]
    assert plan.added == ("office",)
    assert successful(own.registry) == 1
    assert (since(own.registry) or 0) > 0
    assert "configuration reloaded" in log.messages


async def test_an_invalid_configuration_changes_nothing_and_is_logged(
    log: LogCapture,
) -> None:
    async def apply(_: Config) -> ReloadDiff:
        raise AssertionError("a bad configuration was applied")

    own = SelfMetrics()
    own.reload_succeeded(7.0)
    with pytest.raises(ConfigError):
        await ConfigReloader(bad, apply, own)()
    assert successful(own.registry) == 0
    assert since(own.registry) == 7.0
    failures = [message for message in log.messages if "reload failed" in message]
    assert len(failures) == len(PROBLEMS)


async def test_reloads_run_one_after_the_other() -> None:
    going = 0
    most = 0

    async def apply(_: Config) -> ReloadDiff:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await asyncio.sleep(0)
        going -= 1
        return ReloadDiff()

    reload = ConfigReloader(lambda: CONFIG, apply, SelfMetrics())
    await asyncio.gather(*(reload() for _ in range(3)))
    assert (most, going) == (1, 0)


class BlockedLoad:
    """Loads the configuration; each load waits in its thread until `released` is set."""

    def __init__(self) -> None:
        self.started = 0
        self.released = threading.Event()
        self._is_started = threading.Event()

    def __call__(self) -> Config:
        released = self.released
        self.started += 1
        self._is_started.set()
        assert released.wait(TEST_TIMEOUT)
        return CONFIG

    async def has_started(self) -> None:
        assert await asyncio.to_thread(self._is_started.wait, TEST_TIMEOUT)


async def apply_nothing(_: Config) -> ReloadDiff:
    return ReloadDiff()


async def test_calls_that_wait_share_one_reload() -> None:
    load = BlockedLoad()
    reload = ConfigReloader(load, apply_nothing, SelfMetrics())
    first = [asyncio.create_task(reload()) for _ in range(5)]
    await load.has_started()
    # The files may have changed after they were opened: these share the next reload.
    later = [asyncio.create_task(reload()) for _ in range(50)]
    await asyncio.sleep(0)
    load.released.set()
    await asyncio.gather(*first, *later)
    assert load.started == 2


async def test_a_cancelled_call_does_not_end_the_reload_of_others() -> None:
    load = BlockedLoad()
    reload = ConfigReloader(load, apply_nothing, SelfMetrics())
    cancelled, other = (asyncio.create_task(reload()) for _ in range(2))
    await load.has_started()
    cancelled.cancel()
    load.released.set()
    assert await other == ReloadDiff()


async def test_a_reload_that_hangs_fails_and_delays_no_later_one(
    log: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, own = BlockedLoad(), SelfMetrics()
    reload = ConfigReloader(load, apply_nothing, own)
    with monkeypatch.context() as patched:
        patched.setattr("exporter.reload.LOAD_TIMEOUT", 0.01)
        with pytest.raises(ConfigError, match=r"timeout after 0\.01 s"):
            await reload()
    assert successful(own.registry) == 0
    assert [message for message in log.messages if "reload failed" in message]
    hanging, load.released = load.released, threading.Event()
    load.released.set()
    assert await reload() == ReloadDiff()
    assert successful(own.registry) == 1
    hanging.set()


async def test_threads_that_hang_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    load = BlockedLoad()
    reload = ConfigReloader(load, apply_nothing, SelfMetrics())
    monkeypatch.setattr("exporter.reload.LOAD_TIMEOUT", 0.01)
    for _ in range(MAX_HANGING + 3):
        with pytest.raises(ConfigError):
            await reload()
    assert load.started == MAX_HANGING
    load.released.set()
    monkeypatch.setattr("exporter.reload.LOAD_TIMEOUT", TEST_TIMEOUT)
    async with asyncio.timeout(TEST_TIMEOUT):
        while True:
            with contextlib.suppress(ConfigError):  # the threads have not ended yet
                assert await reload() == ReloadDiff()
                break


async def test_a_thread_that_cannot_be_started_is_a_failed_reload(log: LogCapture) -> None:
    def load() -> Config:
        raise OSError(errno.EAGAIN, "cannot start a thread: limit reached")

    with pytest.raises(ConfigError, match="cannot start a thread"):
        await ConfigReloader(load, apply_nothing, SelfMetrics())()
    assert any("reload failed" in message for message in log.messages)
