"""Standings on disk: what each backfill leaves of its scale sets at T, for a run with `--resume` (contract: Resume).

Files lie in the folder of their run, and count once that has left its mark beside it, when all that it publishes is there.
Of each scale set the standing with the latest T counts; of those, that of the latest run.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.failures import UsageError
from pipelines.record.folder import files, put, read, read_all, remove, remove_folder
from pipelines.record.settled import REMEMBERED, RunChain, forget_settled
from schemas.time import DAY, from_micros, to_micros
from transforms.coders import StandingCoder
from transforms.core.columns.arrow import no_rows
from transforms.core.ledger.input_facts import FACTS, facts_of_standing, merged_facts
from transforms.core.standing.standing import Standing, narrowed, split_standing

_FOLDER: Final = "_trueup/standing"
_CODER: Final = StandingCoder()
_STARTED: Final = "%Y%m%dT%H%M%S%fZ"


class Run(NamedTuple):
    """A run that leaves standings. Times in microseconds."""

    until: int
    """T."""
    started: int
    policy: str
    """Its hash."""
    after: Mapping[str, int] = {}
    """The runs that it goes on from, and those that they went on from: until when each knew."""

    @property
    def mark(self) -> bytes:
        """What the mark says."""
        return json.dumps(self._asdict(), sort_keys=True).encode()


class StandingFile(NamedTuple):
    """A file of standings, and for which of its scale sets it is the newest (None: for all)."""

    path: str
    sets: tuple[str, ...] | None
    settled: RunChain
    """The chain of runs that ends with its run, and what they have settled."""


class PastStandings(NamedTuple):
    """The standings from which a run can go on."""

    parts: tuple[StandingFile, ...]
    facts: pa.RecordBatch
    """FACTS of the scale sets."""

    @property
    def until(self) -> int | None:
        """T of the latest of them; None if there is nothing."""
        latest: int | None = pc.max(self.facts.column("latest")).as_py()
        return None if latest is None else latest + 1

    @property
    def line(self) -> dict[str, int]:
        """The runs that whoever goes on from it goes on from: see `Run.after`."""
        return {name: until for part in self.parts for name, until in part.settled.runs.items()}


NOTHING: Final = PastStandings((), no_rows(FACTS))


def run_name(started: int) -> str:
    """A name for a run of its own, by which its age can be told."""
    return f"{from_micros(started):{_STARTED}}-{uuid.uuid4().hex[:8]}"


def run_started(name: str) -> int:
    """When a run of some name began, in microseconds.

    >>> run_started(run_name(5_000_001))
    5000001
    """
    return to_micros(datetime.strptime(f"{name.partition('-')[0]}+0000", f"{_STARTED}%z"))


def leave_standings(root: str, run: str, left: list[pa.RecordBatch]) -> None:
    """Writes the standings of CHECKPOINTS, which are compressed already, to a file of a run."""
    table = pa.Table.from_batches(left).select(["scale_set_ids", "standing"])
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="none", row_group_size=1, use_dictionary=False, write_statistics=False)
    put(root, f"{_FOLDER}/{run}/{uuid.uuid4().hex}.parquet", sink.getvalue())


def commit_standings(root: str, name: str, run: Run) -> None:
    """Makes the standings of a run valid, and removes those that they supersede."""
    if not files(root, f"{_FOLDER}/{name}/*.parquet"):
        return
    put(root, f"{_FOLDER}/{name}.json", run.mark)
    runs = _runs(root)
    needed = {_run_of(path) for path in _newest(root, runs)[0].values()}
    a_day_ago = f"{from_micros(run.started - DAY):{_STARTED}}"
    for other in runs.keys() - needed:
        for mark in files(root, f"{_FOLDER}/{other}.json"):
            remove(mark)
        remove_folder(root, f"{_FOLDER}/{other}")
    for folder in _folders(root) - runs.keys():
        if folder < a_day_ago:  # of a run that was killed
            remove_folder(root, f"{_FOLDER}/{folder}")
    forget_settled(root, needed.union(*(runs[each].after for each in needed)), a_day_ago)


def find_standings(root: str, policy: str) -> PastStandings:
    """What a run with a policy can go on from; nothing where nothing was left.

    Raises:
        UsageError: what was left was made with another policy.
    """
    parts = _parts(root, policy)
    facts = [facts_of_standing(standing) for part in parts for standing in read_standings(part)]
    return PastStandings(parts, merged_facts(facts))


def standings_by_set(root: str, policy: str) -> dict[str, bytes]:
    """What a stream with a policy can go on from: the standing of each scale set, encoded.

    Raises:
        UsageError: what was left was made with another policy.
    """
    standings = (standing for part in _parts(root, policy) for standing in read_standings(part))
    return {name: _CODER.encode(own) for standing in standings for name, own in split_standing(standing, None)}


def read_standings(part: StandingFile) -> Iterator[Standing]:
    """The standings that count in a file."""
    sets = None if part.sets is None else pa.array(part.sets, pa.string())
    with read(part.path) as source:
        for batch in pq.ParquetFile(source).iter_batches(batch_size=1, columns=["standing"]):
            for content in batch.column(0):
                standing: Standing = _CODER.decode(content.as_buffer())
                yield standing if sets is None else narrowed(standing, sets)


def _runs(root: str) -> dict[str, Run]:
    paths = files(root, f"{_FOLDER}/*.json")
    marks = [json.loads(content) for content in read_all(root, f"{_FOLDER}/*.json")]
    return {_run_of(path): Run(**mark) for path, mark in zip(paths, marks, strict=True)}


def _parts(root: str, policy: str) -> tuple[StandingFile, ...]:
    runs = _runs(root)
    newest, sizes = _newest(root, runs)
    wanted: dict[str, list[str]] = defaultdict(list)
    for name, path in newest.items():
        wanted[path].append(name)
    for path in wanted:
        held = runs[_run_of(path)].policy
        if held != policy:
            raise UsageError(
                f"--resume: the policy of what {root} goes on from, {held}, is required, got {policy}; "
                "a backfill without --resume begins anew with another."
            )
    return tuple(
        StandingFile(path, None if len(sets) == sizes[path] else tuple(sets), RunChain(root, _line(_run_of(path), runs)))
        for path, sets in sorted(wanted.items())
    )


def _line(name: str, runs: Mapping[str, Run]) -> dict[str, int]:
    """A run and those that it goes on from, as far back as what they have settled is remembered."""
    first = runs[name].until - REMEMBERED
    return {each: until for each, until in {**runs[name].after, name: runs[name].until}.items() if until > first}


def _newest(root: str, runs: Mapping[str, Run]) -> tuple[dict[str, str], dict[str, int]]:
    """The file of each scale set whose standing of it counts, and how many scale sets each file holds."""
    newest: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for name in sorted(runs, key=lambda name: (runs[name].until, runs[name].started, name)):
        for path in files(root, f"{_FOLDER}/{name}/*.parquet"):
            ids = _ids(path)
            newest |= dict.fromkeys(ids, path)
            sizes[path] = len(ids)
    return newest, sizes


def _ids(path: str) -> list[str]:
    with read(path) as source:
        lists = pq.ParquetFile(source).read(columns=["scale_set_ids"]).column(0)
    return [str(name) for name in pc.list_flatten(lists).to_pylist()]


def _folders(root: str) -> set[str]:
    return {_run_of(path) for path in files(root, f"{_FOLDER}/*/*.parquet")}


def _run_of(path: str) -> str:
    """The run that a file or a mark is of."""
    *_, folder, name = path.replace("\\", "/").split("/")
    return name.removesuffix(".json") if name.endswith(".json") else folder
