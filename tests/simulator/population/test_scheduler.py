import math
from functools import partial

from exporter.simulator.population.scheduler import Scheduler


def run(scheduler: Scheduler, until: float) -> None:
    while scheduler.next_due <= until:
        scheduler.run_next()


def test_actions_run_in_order_of_time_and_of_scheduling() -> None:
    scheduler, seen = Scheduler(), list[tuple[str, float]]()

    def see(name: str, now: float) -> None:
        seen.append((name, now))

    for when, name in ((3.0, "third"), (1.0, "first"), (1.0, "second"), (9.0, "never")):
        scheduler.call_at(when, partial(see, name))
    run(scheduler, 3.0)
    assert seen == [("first", 1.0), ("second", 1.0), ("third", 3.0)]
    assert scheduler.next_due == 9.0


def test_an_action_may_schedule_another() -> None:
    scheduler, seen = Scheduler(), list[float]()

    def again(left: int, now: float) -> None:
        seen.append(now)
        if left:
            scheduler.call_at(now + 1, partial(again, left - 1))

    scheduler.call_at(1.0, partial(again, 2))
    run(scheduler, 10.0)
    assert seen == [1.0, 2.0, 3.0]


def test_nothing_is_due_on_an_empty_scheduler() -> None:
    scheduler = Scheduler()
    scheduler.call_at(1.0, lambda now: None)
    scheduler.clear()
    assert scheduler.next_due == math.inf
