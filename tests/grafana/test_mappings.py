import pytest

from exporter.management.errors import DownReason
from exporter.management.prompts import PROMPT_KINDS
from exporter.management.state import StateName
from grafana import mappings
from grafana.queries import DAEMONS_MATCHERS, Selector
from tests.grafana.dashboard_files import PANELS, Json, values

TABLES = [table for table in vars(mappings).values() if isinstance(table, tuple)]
TABLES = [table for table in TABLES if table and isinstance(table[0], mappings.MappedValue)]


def test_state_values_are_unique() -> None:
    assert {mapped.text for mapped in mappings.STATES} == set(StateName)
    numbers = [mapped.value for mapped in (mappings.DOWN, *mappings.STATES)]
    assert len(set(numbers)) == len(StateName) + 1


def test_reason_values_are_unique() -> None:
    assert {mapped.text for mapped in mappings.REASONS} == {"up", *DownReason}
    assert len({mapped.value for mapped in mappings.REASONS}) == len(DownReason) + 1


def test_prompt_values_are_unique() -> None:
    assert {mapped.text for mapped in mappings.PROMPTS} == {"none", *PROMPT_KINDS}
    assert len({mapped.value for mapped in mappings.PROMPTS}) == len(PROMPT_KINDS) + 1


def test_down_is_the_lowest_state_and_connected_the_highest() -> None:
    ranked = sorted((mappings.DOWN, *mappings.STATES))
    assert (ranked[0].text, ranked[-1].text) == ("DOWN", "CONNECTED")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table[0].text)
def test_mapped_texts_differ_and_not_only_their_colours(
    table: tuple[mappings.MappedValue, ...],
) -> None:
    assert len({mapped.text for mapped in table}) == len(table)
    assert all(mapped.text for mapped in table)


def test_state_query_uses_the_mapped_values() -> None:
    expression = mappings.state_value(Selector(DAEMONS_MATCHERS))
    for mapped in mappings.STATES:
        matchers = ", ".join((*DAEMONS_MATCHERS, f'state="{mapped.text}"'))
        assert f"{mapped.value} * openvpn_state{{{matchers}}}" in expression


def test_panels_of_states_map_all_states() -> None:
    wanted = {str(mapped.value): mapped.text for mapped in (mappings.DOWN, *mappings.STATES)}
    shown = [texts(panel) for _, panel in PANELS if panel["title"] in {"State", "States"}]
    assert len(shown) == 5
    assert all(mapping == wanted for mapping in shown)


def texts(panel: Json) -> dict[str, str]:
    (mapping,) = next(values(panel["fieldConfig"]["defaults"], "mappings"))
    return {number: result["text"] for number, result in mapping["options"].items()}
