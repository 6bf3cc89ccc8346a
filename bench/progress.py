"""Tells a person that something is going on."""

import sys


def say(text: str) -> None:
    """Write a line to standard error, so that standard output has the table alone."""
    print(f"   {text}", file=sys.stderr, flush=True)
