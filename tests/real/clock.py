"""The wall clock in whole seconds, as OpenVPN prints it."""

from time import time

from tests.real.waiting import eventually


async def wait_for_next_second(before: float) -> int:
    """Wait until the Unix time in seconds is greater than ``before``; return the new time."""

    async def look() -> int | None:
        now = int(time())
        return now if now > before else None

    return await eventually(look)
