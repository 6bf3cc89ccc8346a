"""Each query of the documentation is valid and uses existing metrics; `real/live` evaluates it."""

import pytest

from tests.alert_rules.shipped import USAGE_LABELS
from tests.docs_queries import docs_queries
from tests.expressions import analyse

QUERIES = docs_queries()


def test_the_pages_have_queries() -> None:
    pages = [name.partition(":")[0] for name in QUERIES]
    assert {"README.md", "migration.md", "runbook.md", "troubleshooting.md"} <= set(pages)
    assert pages.count("migration.md") > 25


@pytest.mark.parametrize("name", QUERIES)
def test_query_uses_existing_series(name: str) -> None:
    assert analyse(QUERIES[name], USAGE_LABELS).problems == ()
