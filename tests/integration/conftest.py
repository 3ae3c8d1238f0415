"""Real parts, started once for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.emulator import Emulator, emulator


@pytest.fixture(scope="session")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The Pub/Sub emulator."""
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running
