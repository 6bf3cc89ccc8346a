"""`python -m bench [--quick] [BENCHMARK…]`: run benchmarks and print their results."""

import argparse
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import MappingProxyType

from bench.benchmark import FULL, QUICK, Benchmark, SampleSizes
from bench.cases import (
    churn,
    daemon_page,
    fleet,
    hostile,
    hung,
    issued,
    large_polls,
    memory,
    page,
    polling,
    rendering,
    sharing,
    stages,
    start,
    storage,
)
from bench.report import describe_machine, format_results, progress
from bench.result import Result

BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType(
    {
        "start": start.measure,
        "memory": memory.measure,
        "churn": churn.measure,
        "polling": polling.measure,
        "large_polls": large_polls.measure,
        "stages": stages.measure,
        "page": page.measure,
        "daemon_page": daemon_page.measure,
        "rendering": rendering.measure,
        "fleet": fleet.measure,
        "hung": hung.measure,
        "hostile": hostile.measure,
        "sharing": sharing.measure,
        "storage": storage.measure,
        "issued": issued.measure,
    }
)
"""All benchmarks by name, in the order of the table."""


def main() -> None:
    """Run the benchmarks that the command line names, by default all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "benchmarks",
        nargs="*",
        metavar="BENCHMARK",
        help=f"one of {', '.join(BENCHMARKS)} (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, less precise")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.benchmarks) - set(BENCHMARKS))
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}")
    names: Sequence[str] = arguments.benchmarks or tuple(BENCHMARKS)
    machine = describe_machine()
    sizes = QUICK if arguments.quick else FULL
    results = [result for name in names for result in _run(name, sizes)]
    print(f"{machine}\n\n{format_results(results)}")


def _run(name: str, sizes: SampleSizes) -> list[Result]:
    """Run one benchmark in a new interpreter: memory and garbage of others do not count."""
    progress(f"{name}:")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(BENCHMARKS[name], sizes).result()


if __name__ == "__main__":
    main()
