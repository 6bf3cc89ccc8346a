"""The probes of all daemons and entries together: their plans, and what contradicts."""

from collections.abc import Iterator

import msgspec

from exporter.config.errors import Problem
from exporter.config.probe_plan import PlanError, ProbePlan, daemon_plan, entry_plan
from exporter.config.schema import Config, DaemonConfig


def with_probe_plans(config: Config) -> tuple[Config, list[Problem]]:
    """Return the configuration with the plan of each daemon, and the problems of all probes.

    Reads the files of keys in OpenVPN's own configurations.
    """
    problems: list[Problem] = []
    plans: dict[str, ProbePlan] = {}
    daemons = []
    for index, daemon in enumerate(config.daemons):
        path = f"daemons[{index}].port_probe"
        try:
            plan = _plan(daemon)
        except PlanError as error:
            problems.append(_problem(path, error))
            plan = None
        daemons.append(msgspec.structs.replace(daemon, probe_plan=plan))
        if plan is not None:
            plans[path] = plan
    for index, entry in enumerate(config.port_probes):
        path = f"port_probes[{index}]"
        try:
            plans[path] = entry_plan(entry)
        except PlanError as error:
            problems.append(_problem(path, error))
    problems += [*_duplicate_names(config), *_duplicate_targets(plans)]
    return msgspec.structs.replace(config, daemons=tuple(daemons)), problems


def _plan(daemon: DaemonConfig) -> ProbePlan | None:
    if daemon.port_probe is None or not daemon.port_probe.enabled:
        return None
    return daemon_plan(daemon.port_probe, daemon.openvpn_config)


def _problem(path: str, error: PlanError) -> Problem:
    return Problem(key=f"{path}.{error.key}" if error.key else path, text=error.text)


def _duplicate_names(config: Config) -> Iterator[Problem]:
    names = {daemon.name for daemon in config.daemons}
    for index, entry in enumerate(config.port_probes):
        if entry.name in names:
            text = f"{entry.name} is the name of a daemon: set port_probe there, or use another"
            yield Problem(key=f"port_probes[{index}].name", text=text)


def _duplicate_targets(plans: dict[str, ProbePlan]) -> Iterator[Problem]:
    """Refuse a port that is named twice: it would be probed more often than it should."""
    seen: dict[tuple[str, str, int], str] = {}
    for path, plan in plans.items():
        for target in plan.targets:
            port = target.address, target.protocol.value
            versions = (4, 6) if target.ip_version is None else (target.ip_version,)
            earlier = [seen[*port, version] for version in versions if (*port, version) in seen]
            if earlier:
                text = f"{target} is already probed by {earlier[0]}: name a port once"
                yield Problem(key=path, text=text)
            seen |= {(*port, version): path for version in versions}
