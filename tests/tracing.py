"""Tests that need the program at its full speed, which a tracer such as coverage's takes away."""

import sys

import pytest

needs_full_speed = pytest.mark.skipif(
    sys.gettrace() is not None, reason="a traced program does not read so many lines a second"
)
