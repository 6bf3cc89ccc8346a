"""`python -m bench [--quick] [MEASURE…]`: run measures and print what they found."""

import argparse
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import MappingProxyType

from bench import table
from bench.effort import FULL, QUICK, Effort
from bench.figures import Figure
from bench.measures import churn, fleet, hung, memory, page, polling, rendering, stages, start
from bench.progress import say

Measure = Callable[[Effort], list[Figure]]

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "start": start.measure,
        "memory": memory.measure,
        "churn": churn.measure,
        "polling": polling.measure,
        "stages": stages.measure,
        "page": page.measure,
        "rendering": rendering.measure,
        "fleet": fleet.measure,
        "hung": hung.measure,
    }
)
"""All measures by name, in the order of the table."""


def main() -> None:
    """Run what the command line names; everything by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)} (all)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher figures")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.measures) - set(MEASURES))
    if unknown:
        parser.error(f"no such measure: {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    names: Sequence[str] = arguments.measures or tuple(MEASURES)
    machine = table.machine()
    figures = [
        figure for name in names for figure in _run(name, QUICK if arguments.quick else FULL)
    ]
    print(f"{machine}\n\n{table.render(figures)}")


def _run(name: str, effort: Effort) -> list[Figure]:
    """Run one measure in an interpreter of its own."""
    say(f"{name}:")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(MEASURES[name], effort).result()


if __name__ == "__main__":
    main()
