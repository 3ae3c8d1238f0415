"""One cluster for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.flink import Processes, flink


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A JobManager and a TaskManager."""
    with flink(tmp_path_factory.mktemp("flink")) as running:
        running.add_task_manager()
        yield running
