"""All tests below this directory live in a network of their own and share one lab."""

from pathlib import Path

import pytest

from tests.real import namespace
from tests.real.lab import Lab

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # There is no way back from the network below, and nobody else's tests shall live in it.
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


@pytest.fixture(scope="session", autouse=True)
def network_before() -> str:
    before = namespace.current()
    namespace.enter()
    return before


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.create(tmp_path_factory.mktemp("lab"))
