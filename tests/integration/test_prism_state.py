"""State on the real Prism: what a slow bundle has written is there afterwards."""

import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import Timestamp

from runners.engines.prism import local_binary, prism
from tests.support.emulator import missing

pytestmark = [pytest.mark.integration, pytest.mark.depends_on_speed("rounds come by the clock")]
KEYS = 12
ROUNDS = 3
APART = 3.0
"""Seconds between two rounds."""
HELD: dict[str, list[int]] = {}
"""What each key's state holds at the end: the steps run in this process."""
BEGUN: list[int] = []


@beam.typehints.with_input_types(tuple[str, int])
class Keep(beam.DoFn):
    """Takes its time with each number, keeps it, and notes at the end what is kept."""

    NUMBERS = BagStateSpec("numbers", VarIntCoder())
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def process(
        self,
        keyed: tuple[str, int],
        numbers: Any = beam.DoFn.StateParam(NUMBERS),
        end: Any = beam.DoFn.TimerParam(END),
    ) -> None:
        # The first of the second round takes long: were its bundle split, it would be over after that of the others.
        slow = len(BEGUN) == KEYS
        BEGUN.append(keyed[1])
        time.sleep(2.0 if slow else 0.01)
        numbers.add(keyed[1])
        end.set(GlobalWindow().max_timestamp())

    @on_timer(END)
    def at_end(self, key: Any = beam.DoFn.KeyParam, numbers: Any = beam.DoFn.StateParam(NUMBERS)) -> None:
        HELD[key] = sorted(numbers.read())


def to_all_keys(moment: Timestamp, began: float) -> list[tuple[str, int]]:
    return [(f"key {key}", round((float(moment) - began) / APART)) for key in range(KEYS)]


def test_a_slow_bundle_loses_no_state(tmp_path: Path) -> None:
    if local_binary() is None:
        missing("Prism: `go install` it at Beam's version (.ci/tools does), or let TRUEUP_PRISM name it")
    HELD.clear()
    BEGUN.clear()
    began = time.time() + 1.0
    with prism(str(tmp_path), ()) as options:
        pipeline = beam.Pipeline(runner=create_runner("PrismRunner"), options=PipelineOptions(options))
        rounds = pipeline | PeriodicImpulse(began, began + (ROUNDS - 0.5) * APART, APART)
        rounds | beam.FlatMap(to_all_keys, began) | "Keep" >> beam.ParDo(Keep())
        pipeline.run().wait_until_finish()
    assert {f"key {number}": [*range(ROUNDS)] for number in range(KEYS)} == HELD
