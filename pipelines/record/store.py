"""The store: what a run reads from and leaves in its output folder (contract: Folder, What a run publishes)."""

import json
import os
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.failures import RunError, UsageError
from pipelines.record.folder import claim, files, is_local, put, put_over, read, read_all
from pipelines.record.settled import leave_settled
from pipelines.record.standing_files import leave_standings
from pipelines.record.tables import Rows, write_files
from schemas.policy import Policy
from schemas.tables.by_name import ROWS
from schemas.tables.reject import REJECTS
from schemas.time import format_duration
from transforms.core.columns.arrow import one_batch
from transforms.core.ledger.changes import Changes

_GRID = "_trueup/grid.json"
_GROUPS = "_trueup/groups"
_REJECT_KEY = ("source", "location", "reason")


class OtherGridError(UsageError):
    """The folder holds another grid than the run's policy."""


@dataclass(frozen=True)
class Store:
    """One output folder. A sink of `transforms.publish`: its versions are whole, and visible only after their rows are there."""

    root: str
    run: str = ""
    """Under whose name standings are left; none are for no name."""

    def check_grid(self, grid: int) -> None:
        """Makes sure that the folder holds this grid, in microseconds, or none yet.

        Raises:
            OtherGridError: it holds another.
        """
        for content in read_all(self.root, _GRID):
            self._compare(content, grid)

    def keep_groups(self, groups: int) -> None:
        """Leaves in the folder by how many groups of scale sets its streams are keyed, if it does not say so yet.

        Raises:
            UsageError: it says that there are others: what a stream has left would not be found.
        """
        held = int(claim(self.root, _GROUPS, f"{groups}\n".encode()))
        if held != groups:
            raise UsageError(
                f"--groups: {held}, with which the streams of {self.root} began, is required, got {groups}; "
                "another number is for another folder."
            )

    def open(self, policy: Policy) -> None:
        """Leaves the grid and the policy in the folder, before any row names them.

        Raises:
            RunError: there is something else in the folder's place.
            OtherGridError: another run has just left another grid.
        """
        if is_local(self.root) and os.path.exists(self.root) and not os.path.isdir(self.root):
            raise RunError(f"{self.root}: a folder is required as output, got a file.")
        self._compare(claim(self.root, _GRID, _json({"grid": format_duration(policy.grid)})), policy.grid)
        path = f"_trueup/policies/{policy.hash}.json"
        if not files(self.root, path):
            put_over(self.root, path, _json(policy.model_dump()))

    def _compare(self, content: bytes, grid: int) -> None:
        held = json.loads(content)["grid"]
        if held != format_duration(grid):
            raise OtherGridError(f"{self.root}: the folder's grid, {held}, is required, got {format_duration(grid)}.")

    def leave_facts(self, run: str, facts: dict[str, Any]) -> None:
        """Leaves what a finished run did, for whoever asks later."""
        put(self.root, f"_trueup/runs/{run}.json", _json(facts))

    def publish(self, changes: list[Changes]) -> None:
        """Writes the rows of some versions, then the `revisions` that make them visible, then the standings that know of them."""
        rows = [Rows(name, [each[place] for each in changes], "start") for place, name in enumerate(ROWS)]
        write_files(self.root, rows)
        write_files(self.root, [Rows("revisions", [each.revisions for each in changes], "cell")])
        left = [each.checkpoints for each in changes if len(each.checkpoints)]
        if self.run and left:
            leave_settled(self.root, self.run, [each.settled for each in changes])
            leave_standings(self.root, self.run, left)

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Writes those rows of REJECTS whose (source, location, reason) is not there yet; says how many."""
        fresh = self._unseen(pa.Table.from_batches(rejects, REJECTS))
        if len(fresh):
            rows = fresh.sort_by([("source", "ascending"), ("arrived", "ascending")])
            write_files(self.root, [Rows("rejects", [one_batch(rows.to_batches(), REJECTS)], "arrived")])
        return len(fresh)

    def _unseen(self, rejects: pa.Table) -> pa.Table:
        keys = [_key(rejects), *(_key(_keys_of(path)) for path in files(self.root, "rejects/day=*/*.parquet"))]
        known = pc.is_in(keys[0], pa.concat_arrays(keys[1:])) if keys[1:] else pa.array([False] * len(rejects))
        first = pa.table({"key": keys[0], "row": range(len(rejects))}).group_by("key").aggregate([("row", "min")])
        is_first = pc.is_in(pa.array(range(len(rejects))), first["row_min"].combine_chunks())
        return rejects.filter(pc.and_(is_first, pc.invert(known)))


def _keys_of(path: str) -> pa.Table:
    with read(path) as source:
        return pq.read_table(source, columns=list(_REJECT_KEY))


def _key(rejects: pa.Table) -> pa.StringArray:
    """One text a row; the separator is one that no path or place holds."""
    texts = [rejects[name].cast(pa.string()) for name in _REJECT_KEY]
    return pc.binary_join_element_wise(*texts, "\x00").combine_chunks().cast(pa.string())


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode()
