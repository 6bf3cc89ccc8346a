"""The longest hold of the event loop by one hostile daemon or status file."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.benchmark import SampleSizes
from bench.children import hostile_daemons, probed_exporter
from bench.loop_probe import Observation
from bench.report import progress
from bench.result import MILLI, Result, at_most, format_ms

_INTERVAL = 2.0
_LIMIT = 20.0
_FILE_SIZE = 64 << 20


def measure(sizes: SampleSizes) -> list[Result]:
    """Observe the exporter under one attack after the other."""
    seconds = sizes.hostile_seconds
    results: list[Result] = []
    with hostile_daemons() as daemons:
        for kind, (address, *_) in daemons.items():
            progress(kind)
            results.append(_result(kind, _observe((address,), seconds)))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "status")
        file.write_bytes(b"\n" * (_FILE_SIZE - 5) + b"\nEND\n")
        progress("a status file of newlines")
        results.append(_result("a status file of newlines", _observe((), seconds, file)))
    return results


def _observe(addresses: Sequence[str], seconds: float, file: Path | None = None) -> Observation:
    with probed_exporter(*addresses, interval=_INTERVAL, probe=True, status_file=file) as process:
        time.sleep(1)
        process.observe()  # without the start of the exporter
        time.sleep(seconds)
        return process.observe()


def _result(kind: str, observation: Observation) -> Result:
    return Result(
        name=f"longest hold of the event loop: {kind}",
        measured=f"{format_ms(observation.stall_cpu)} CPU time",
        reference=f"{format_ms(observation.stall)} elapsed",
        limit=at_most(observation.stall_cpu * MILLI, _LIMIT, "ms"),
    )
