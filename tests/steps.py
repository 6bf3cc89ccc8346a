"""Counted steps: the lines of the exporter that a call executes, whatever the machine's speed."""

import gc
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import exporter

_SOURCE = str(Path(exporter.__file__).parent)
_CONSTANT = 200
"""Steps that do not depend on the size of the input."""

T = TypeVar("T")

Trace = Callable[[FrameType, str, Any], Any]


def count_steps(call: Callable[[], object]) -> int:
    """Return how many lines of the exporter `call` executes; each pass of a loop counts."""
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> Trace | None:
        nonlocal steps
        if not frame.f_code.co_filename.startswith(_SOURCE):
            return None
        if event == "line":
            steps += 1
        return trace

    before = sys.gettrace()
    gc.disable()  # a finalizer is no step of the call
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        gc.enable()
    return steps


def longest_step(generator: Generator[None, None, object]) -> int:
    """Return the most steps that a generator executes between two yields."""
    longest = 0
    is_over = False

    def step() -> None:
        nonlocal is_over
        try:
            next(generator)
        except StopIteration:
            is_over = True

    while not is_over:
        longest = max(longest, count_steps(step))
    return longest


def most_freed(generator: Generator[Any, None, object]) -> int:
    """Return the most blocks of memory that a generator frees between two yields, or at its end."""
    freed = [0]
    before = sys.getallocatedblocks()
    gc.disable()
    try:
        for _ in generator:
            after = sys.getallocatedblocks()
            freed.append(before - after)
            before = after
        freed.append(before - sys.getallocatedblocks())
    finally:
        gc.enable()
    return max(freed)


def assert_linear(call: Callable[[int], Callable[[], object]], size: int) -> None:
    """Assert that an input of twice the size takes at most twice the steps.

    `call` returns the call for an input of a size, which is made before the steps are counted.
    """
    once, twice = count_steps(call(size)), count_steps(call(2 * size))
    assert twice <= 2 * once + _CONSTANT, (once, twice)
