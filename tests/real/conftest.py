"""All tests in this directory run in a network namespace of their own and share one lab."""

from pathlib import Path

import pytest

from tests.real import namespace
from tests.real.lab import Lab

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The process cannot leave the namespace again, so all other tests must run first.
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


@pytest.fixture(scope="session", autouse=True)
def original_namespace() -> str:
    before = namespace.current()
    namespace.enter()
    return before


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.create(tmp_path_factory.mktemp("lab"))
