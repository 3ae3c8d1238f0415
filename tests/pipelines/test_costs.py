"""What a backfill costs, in numbers that are the same on every machine: what is encoded, held, evaluated together and at once."""

import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.support.files import current, trueup, two_days, write_events
from transforms.core.evaluation.evaluate import Evaluation, evaluate
from transforms.core.ledger.decisions import LedgerInput
from transforms.passing import as_token

SETS = "abcdefgh"
EACH = len(two_days("a"))
BYTES_OF_EVENT = 300
"""Most bytes that one of the few events here holds between the steps; 120 of them where there are many, whose ids are shared."""

SIZES: list[int] = []
TOGETHER = threading.Barrier(2)


def evaluated_by_two(events: pa.RecordBatch, *more: Any) -> Evaluation:
    """No thread goes on before another one has come here, too. Of the module, since Beam pickles what it hands to a step."""
    TOGETHER.wait(100)
    SIZES.append(len(events))
    return evaluate(events, *more)


@pytest.fixture(name="folder", scope="module")
def written_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    for number, name in enumerate(SETS):
        write_events(folder / f"{number}.jsonl", two_days(name))
    return folder


def backfilled(folder: Path, output: Path) -> dict[str, Any]:
    return trueup("backfill", "--input", folder, "--output", output, "--json").json


def test_between_the_steps_each_event_lies_once_and_never_as_bytes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[Any] = []

    def noted(element: object) -> bytes:
        token = as_token(element)
        assert token is not None
        passed.append(element)
        return token

    monkeypatch.setattr("transforms.coders.as_token", noted)
    events = backfilled(folder, tmp_path)["records"]["in"]
    batches = [element.events if isinstance(element, LedgerInput) else element for element in passed]
    kept = {id(batch): batch for batch in batches if "event_id" in batch.schema.names and len(batch)}
    assert sum(len(batch) for batch in kept.values()) == events == len(SETS) * EACH
    assert sum(batch.nbytes for batch in kept.values()) < BYTES_OF_EVENT * events
    assert len(passed) < 10 * len(SETS)


def test_parts_of_the_scale_sets_are_evaluated_once_each_and_two_at_a_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = backfilled(folder, tmp_path / "whole")
    SIZES.clear()
    monkeypatch.setattr("pipelines.backfill.backfill.evaluate", evaluated_by_two)
    monkeypatch.setattr("transforms.ledger.PART_EVENTS", 2 * EACH)
    monkeypatch.setattr("transforms.ledger.cores", lambda: 2)
    parts = backfilled(folder, tmp_path / "parts")
    assert [2 * EACH] * (len(SETS) // 2) == SIZES
    assert parts["records"] == whole["records"]
    assert current(tmp_path / "parts") == current(tmp_path / "whole")
