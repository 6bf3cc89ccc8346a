"""The clock on the wall, as OpenVPN reads it: in whole seconds."""

from time import time

from tests.real.waiting import eventually


async def wait_for_next_second(before: float) -> int:
    """Wait until what begins is dated later than ``before``, a Unix time; give the new time."""

    async def look() -> int | None:
        now = int(time())
        return now if now > before else None

    return await eventually(look)
