"""How fast the story goes: hours of the rules in seconds, and as much closer looks."""

SPEED = 40.0
"""Seconds of the rules that pass in one: their shortest window, of two minutes, takes three."""

SCRAPE_SECONDS = 0.75
"""Between two scrapes and between two evaluations: four fit into that window."""

SCRAPE_INTERVAL = "750ms"
"""The same, as Prometheus writes it."""

DEADLINE = 90.0
"""Seconds after which what is waited for will not come any more, however busy the machine is."""
