"""Long steps of one task let others in between."""

import asyncio

from exporter.aio import yield_to_loop


async def test_a_task_that_waits_for_a_timer_comes_in_between_two_steps() -> None:
    loop, steps = asyncio.get_running_loop(), list[str]()
    due, asleep = asyncio.Event(), asyncio.Event()

    async def sleeper() -> None:
        asleep.set()
        await due.wait()
        steps.append("sleeper")

    async def worker() -> None:
        await asleep.wait()
        steps.append("first step")
        loop.call_soon(lambda: loop.call_soon(due.set))
        await yield_to_loop()
        steps.append("second step")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeper())
        tasks.create_task(worker())
    assert steps == ["first step", "sleeper", "second step"]
