"""Fuzzes the parsers of what a daemon sends.

make fuzz                                    every target, a minute each
make fuzz ARGS="protocol --seconds 3600"     one target, an hour
make fuzz ARGS="protocol .fuzz/protocol-…"   run a saved input again

An input that fails is minimized and saved under .fuzz/, and the command that runs it again is
printed. Add the input of a repaired fault to the tests.
"""

import argparse
import hashlib
import random
from pathlib import Path

from tests.fuzz.fuzzer import Target, corpus, failure, find, minimize
from tests.fuzz.targets import TARGETS

SAVED = Path(".fuzz")


def fuzz(name: str, target: Target, seed: int, seconds: float) -> None:
    """Fuzz a target for so long; raises the exception of an input that fails."""
    print(f"== {name}: {seconds:g} s, seed {seed}", flush=True)  # noqa: T201
    inputs, failing = find(target, corpus(name), random.Random(seed), seconds)
    if failing is None:
        print(f"{inputs} inputs, none fails", flush=True)  # noqa: T201
        return
    print(f"input {inputs} fails", flush=True)  # noqa: T201
    data = minimize(target, failing)
    file = SAVED / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    SAVED.mkdir(exist_ok=True)
    file.write_bytes(data)
    print(f'Run it again: make fuzz ARGS="{name} {file}"', flush=True)  # noqa: T201
    run(target, data)


def run(target: Target, data: bytes) -> None:
    """Run one input; raises the exception with which it fails."""
    error = failure(target, data)
    if error is not None:
        raise error


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="?", choices=TARGETS, help="default: every target")
    parser.add_argument("input", nargs="?", type=Path, help="a saved input, to run it alone")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target (60)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parsed = parser.parse_args()
    if parsed.input is not None:
        run(TARGETS[parsed.target], parsed.input.read_bytes())
        return
    for name in [parsed.target] if parsed.target else TARGETS:
        fuzz(name, TARGETS[name], parsed.seed, parsed.seconds)


if __name__ == "__main__":
    main()
