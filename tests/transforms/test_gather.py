"""Changes gathered by the runner: few pieces, each the newest versions, nothing lost."""

from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import at, signal, to_batch
from transforms.core.columns.arrow import no_rows
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.ledger.changes import PUBLISHED, Changes, Publication, changed_cells
from transforms.gather import GatherChanges, newest, together


def change(scale_set: str) -> Changes:
    publication = Publication("p", HOUR, at(0), None, at(3600), backfill=False, final=None)
    events = to_batch([signal(0, "1", "Available", scale_set=scale_set)])
    return changed_cells(evaluate(events, Policy(), at(3600)), no_rows(PUBLISHED), publication).changes


def test_all_that_comes_in_a_time_is_one_piece() -> None:
    keys, changes = zip(*(together(change(scale_set)) for scale_set in "aba"), strict=True)
    assert len(set(keys)) == 1
    (piece,) = newest((keys[0], changes))
    assert piece.revisions.column("scale_set_id").to_pylist() == ["a", "b"]


@pytest.mark.parametrize("seconds", [1, 600])
def test_a_piece_goes_on_after_the_time_or_when_it_is_large(seconds: int) -> None:
    # By what the runner is told: of Beam's own, one engine fails with this trigger, and the other never ends.
    pipeline = beam.Pipeline(options=PipelineOptions([]))
    _ = pipeline | beam.Create(["a"]) | beam.Map(change).with_output_types(Changes) | GatherChanges(seconds)
    (trigger,) = triggers(pipeline.to_runner_api())
    time, number = trigger.repeat.subtrigger.after_any.subtriggers
    assert time.after_processing_time.timestamp_transforms[0].delay.delay_millis == seconds * 1000
    assert number.element_count.element_count == 1000


def triggers(proto: Any) -> list[Any]:
    """Of the grouping; behind it Beam puts what would go on from there."""
    parts = proto.components
    groups = [step for step in parts.transforms.values() if step.spec.urn == "beam:transform:group_by_key:v1"]
    taken = [parts.pcollections[name] for step in groups for name in step.inputs.values()]
    return [parts.windowing_strategies[each.windowing_strategy_id].trigger for each in taken]


def test_nothing_comes_of_a_pane_that_is_empty() -> None:
    assert list(newest((0, []))) == []
