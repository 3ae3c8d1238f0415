"""Glances at the pieces of a bounded input as one (contract: Commands)."""

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam

from transforms.core.decode.glance import Glance


@dataclass(eq=False)
class GatherGlances(beam.PTransform):
    """Glances at pieces into the one at the whole input; an empty one of an input without pieces."""

    def expand(self, glances: beam.PCollection) -> beam.PCollection:
        """Any number of `Glance` to one."""
        return glances | "AddUp" >> beam.CombineGlobally(_AddUp())


@beam.typehints.with_input_types(Glance)
@beam.typehints.with_output_types(Glance)
class _AddUp(beam.CombineFn):
    """The sum of glances."""

    def create_accumulator(self) -> Glance:
        return Glance()

    def add_input(self, accumulator: Glance, glance: Glance) -> Glance:
        return accumulator + glance

    def merge_accumulators(self, accumulators: Iterable[Glance]) -> Glance:
        return sum(accumulators, Glance())

    def extract_output(self, accumulator: Glance) -> Glance:
        return accumulator
