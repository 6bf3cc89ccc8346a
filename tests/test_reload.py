import asyncio

import pytest
from prometheus_client import CollectorRegistry

from exporter.config import Config, ConfigError, DaemonConfig, Problem
from exporter.config.target import ReloadDiff
from exporter.management.endpoint import parse_endpoint
from exporter.metrics.self_metrics import SelfMetrics
from exporter.reload import ConfigReloader
from tests.blocking import forbid_blocking
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
    told = [message for message in log.messages if "reload failed" in message]
    assert len(told) == len(PROBLEMS)


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
