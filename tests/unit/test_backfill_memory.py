"""How much memory a backfill needs: by what is evaluated at a time."""

import pyarrow as pa
import pytest

from pipelines.backfill import memory
from pipelines.backfill.memory import (
    BASE,
    BYTES_OF_EVALUATION,
    BYTES_OF_EVENT,
    BYTES_OF_RESULT,
    bytes_for,
    partitions_for,
    sets_beyond,
)
from transforms.ledger import PART_EVENTS
from transforms.publish import FLUSH_ROWS


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_each_core_evaluates_a_part_and_no_more(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(memory, "cores", lambda: cores)
    monkeypatch.setattr(memory, "FLUSH_ROWS", 0)
    most = cores * PART_EVENTS
    assert bytes_for(most) == BASE + most * (BYTES_OF_EVENT + BYTES_OF_EVALUATION)
    assert bytes_for(most + 1) == bytes_for(most) + BYTES_OF_EVENT


def test_results_are_held_until_they_are_enough_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "cores", lambda: 1)
    assert bytes_for(FLUSH_ROWS) - bytes_for(FLUSH_ROWS - 1) == BYTES_OF_EVENT + BYTES_OF_RESULT
    assert bytes_for(FLUSH_ROWS + 1) - bytes_for(FLUSH_ROWS) == BYTES_OF_EVENT


def test_more_cores_need_more_parts_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "cores", lambda: 2)
    few = partitions_for(10_000_000, 2**31)
    monkeypatch.setattr(memory, "cores", lambda: 4)
    assert 1 < few < partitions_for(10_000_000, 2**31)


def test_a_scale_set_of_more_events_than_a_part_is_evaluated_whole() -> None:
    number = 10 * PART_EVENTS
    needed = BASE + number * (BYTES_OF_EVENT + BYTES_OF_EVALUATION)
    facts = pa.record_batch({"scale_set_id": ["a", "b"], "events": [number, number + 1]})
    assert sets_beyond(facts, needed) == ("b",)
