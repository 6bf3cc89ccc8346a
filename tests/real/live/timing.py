"""The compression of time in the live test."""

SPEED = 40.0
"""Seconds in the rules per second: their shortest window of three minutes takes 4.5."""

SCRAPE_SECONDS = 0.75
"""Seconds between two scrapes and between two evaluations: six fit into that window."""

SCRAPE_INTERVAL = "750ms"
"""The same in Prometheus' notation."""

DEADLINE = 90.0
"""Seconds after which a wait fails, even on a busy machine."""
