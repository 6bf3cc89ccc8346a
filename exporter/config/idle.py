"""The keys `idle_after` and `idle_rate` of `clients`: which clients are idle."""

from typing import Annotated

from exporter.config.keys import KeySpec
from exporter.config.types import Duration, Integer

IdleAfter = Annotated[
    float,
    KeySpec(
        Duration("10m", "30d"),
        "A client is idle that moves hardly more than keepalives for this time; see "
        "[idle clients](idle-clients.md).",
    ),
]

IdleRate = Annotated[
    int,
    KeySpec(
        Integer(1_000_000),
        "Bytes per second, received and sent together, below which a client is idle. Keepalives "
        "must be less.",
    ),
]
