import pytest

from exporter.management.errors import DownReason
from exporter.management.prompts import PROMPT_KINDS
from exporter.management.state import StateName
from grafana import words
from grafana.queries import DAEMONS, Scope
from tests.grafana.reading import PANELS, Json, values

TABLES = [table for table in vars(words).values() if isinstance(table, tuple)]
TABLES = [table for table in TABLES if table and isinstance(table[0], words.Word)]


def test_every_state_has_a_number_of_its_own() -> None:
    assert {word.text for word in words.STATES} == set(StateName)
    numbers = [word.number for word in (words.DOWN, *words.STATES)]
    assert len(set(numbers)) == len(StateName) + 1


def test_every_reason_has_a_number_of_its_own() -> None:
    assert {word.text for word in words.REASONS} == {"works", *DownReason}
    assert len({word.number for word in words.REASONS}) == len(DownReason) + 1


def test_every_prompt_has_a_number_of_its_own() -> None:
    assert {word.text for word in words.PROMPTS} == {"nothing", *PROMPT_KINDS}
    assert len({word.number for word in words.PROMPTS}) == len(PROMPT_KINDS) + 1


def test_connected_is_the_best_of_states_and_down_the_worst() -> None:
    ranked = sorted((words.DOWN, *words.STATES))
    assert (ranked[0].text, ranked[-1].text) == ("DOWN", "CONNECTED")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table[0].text)
def test_no_two_words_of_a_vocabulary_are_told_apart_by_colour_alone(
    table: tuple[words.Word, ...],
) -> None:
    assert len({word.text for word in table}) == len(table)
    assert all(word.text for word in table)


def test_each_state_is_asked_for_with_the_number_that_its_word_has() -> None:
    expression = words.state(Scope(DAEMONS))
    for word in words.STATES:
        selector = f'{word.number} * openvpn_state{{{", ".join(DAEMONS)}, state="{word.text}"}}'
        assert selector in expression


def test_every_panel_of_states_knows_every_word() -> None:
    wanted = {str(word.number): word.text for word in (words.DOWN, *words.STATES)}
    shown = [mapped(panel) for _, panel in PANELS if panel["title"] in {"State", "States"}]
    assert len(shown) == 5
    assert all(mapping == wanted for mapping in shown)


def mapped(panel: Json) -> dict[str, str]:
    (mapping,) = next(values(panel["fieldConfig"]["defaults"], "mappings"))
    return {number: result["text"] for number, result in mapping["options"].items()}
