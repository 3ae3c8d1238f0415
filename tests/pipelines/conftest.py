"""What several modules of this folder read."""

from collections.abc import Iterator

import pytest

from tests.support.published import Published, published
from tests.support.remembering import arguments_remembered


@pytest.fixture(scope="session", autouse=True)
def quicker_graphs() -> Iterator[None]:
    """Hundreds of small graphs are made by these tests."""
    with arguments_remembered():
        yield


@pytest.fixture(scope="session")
def four_issues(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A record that was published four times; nobody writes to it."""
    return published(tmp_path_factory.mktemp("published") / "it's a record")
