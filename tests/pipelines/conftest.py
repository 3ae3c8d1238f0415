"""What several modules of this folder read."""

import pytest

from tests.support.published import Published, published


@pytest.fixture(scope="session")
def four_issues(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A record that was published four times; nobody writes to it."""
    return published(tmp_path_factory.mktemp("published") / "it's a record")
