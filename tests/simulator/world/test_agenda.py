import math
from functools import partial

from exporter.simulator.world.agenda import Agenda


def run(agenda: Agenda, until: float) -> None:
    while agenda.due <= until:
        agenda.run_next()


def test_actions_run_in_order_of_time_and_of_planning() -> None:
    agenda, seen = Agenda(), list[tuple[str, float]]()

    def see(name: str, now: float) -> None:
        seen.append((name, now))

    for when, name in ((3.0, "third"), (1.0, "first"), (1.0, "second"), (9.0, "never")):
        agenda.at(when, partial(see, name))
    run(agenda, 3.0)
    assert seen == [("first", 1.0), ("second", 1.0), ("third", 3.0)]
    assert agenda.due == 9.0


def test_what_an_action_plans_runs_too() -> None:
    agenda, seen = Agenda(), list[float]()

    def again(left: int, now: float) -> None:
        seen.append(now)
        if left:
            agenda.at(now + 1, partial(again, left - 1))

    agenda.at(1.0, partial(again, 2))
    run(agenda, 10.0)
    assert seen == [1.0, 2.0, 3.0]


def test_nothing_is_due_on_an_empty_agenda() -> None:
    agenda = Agenda()
    agenda.at(1.0, lambda now: None)
    agenda.clear()
    assert agenda.due == math.inf
