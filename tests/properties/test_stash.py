"""Acknowledgement under any interleaving of reading, checkpoints, crashes, restarts and moves between processes.

The model is a runner like Flink: a checkpoint is cut at some moment and completes later; when it does, the finalizers of all
bundles that have ended by then run, those after the cut too. The next checkpoint is cut only after the one before has
completed. A crash forgets the finalizers, and restores the shard to the last checkpoint that completed: in the same process,
whose acknowledgements are still there, or in another.
"""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from transforms.core.subscription.acknowledgements import Acknowledgements, ShardPosition

START = ShardPosition(0, "")
STEPS = st.lists(st.sampled_from(["read", "cut", "complete", "crash", "move", "refuse"]), max_size=60)


@dataclass
class Runner:
    """One shard, its processes, and what is durable."""

    stashes: list[Acknowledgements] = field(default_factory=lambda: [Acknowledgements(), Acknowledgements()])
    process: int = 0
    place: ShardPosition = START
    effects: tuple[str, ...] = ()
    """What the bundles so far have led to."""
    cut: tuple[ShardPosition, tuple[str, ...]] | None = None
    durable: tuple[ShardPosition, tuple[str, ...]] = (START, ())
    ended: list[tuple[int, ShardPosition]] = field(default_factory=list)
    """Bundles whose finalizers have not run."""
    acknowledged: set[str] = field(default_factory=set)
    messages: int = 0
    attempts: int = 0

    def read(self) -> None:
        at = self._begin()
        one = f"m{self.messages}"
        self.messages += 1
        self.stashes[self.process].take(0, at, [one])
        self.place, self.effects = at.next(), (*self.effects, one)
        self.ended.append((self.process, at))

    def refuse(self) -> None:
        """A bundle fails after it has handed over; it runs again from its place."""
        self.stashes[self.process].take(0, self._begin(), ["failed"])

    def checkpoint(self) -> None:
        if self.cut is None:
            self.cut = self.place, self.effects

    def complete(self) -> None:
        if self.cut is None:
            return
        self.durable, self.cut = self.cut, None
        ended, self.ended = self.ended, []
        for process, place in ended:
            ids = self.stashes[process].finalize(0, place)
            assert set(ids) <= set(self.durable[1]), "acknowledged before it was durable"
            assert not self.acknowledged & set(ids)
            self.acknowledged |= set(ids)

    def crash(self) -> None:
        self.place, self.effects = self.durable
        self.cut, self.ended = None, []

    def move(self) -> None:
        self.crash()
        self.process = 1 - self.process

    def _begin(self) -> ShardPosition:
        self.attempts += 1
        return self.stashes[self.process].resume(0, self.place, str(self.attempts))[0]


@given(STEPS)
def test_nothing_is_acknowledged_that_is_in_no_completed_checkpoint_and_all_is_in_the_end(steps: list[str]) -> None:
    runner = Runner()
    act = {"cut": runner.checkpoint}
    for step in steps:
        act.get(step, getattr(runner, step, runner.read))()
    calm = runner.messages
    for _ in range(3):
        runner.read()
        runner.checkpoint()
        runner.complete()
    mine = {one for bundle in runner.stashes[runner.process]._shards[0].bundles.values() for one in bundle.ids}
    assert mine <= {f"m{number}" for number in range(calm, runner.messages)}
