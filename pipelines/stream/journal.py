"""The journal of a stream whose runner keeps no state of its own: its events, on disk before their messages are acknowledged.

What a stream is killed with is lost, ledger and all; the one that follows reads the journal and goes on. It is a database of
SQLite. Events are committed by the bundle that reads them, so they are there before the runner calls that bundle final. So that
it grows no longer than what the ledger needs, the ledger emits a checkpoint of each key now and then; events that checkpoints
cover are deleted, and their room is used again.

When is an event covered? Events go on to the ledger together (`turn`), and the next ones not before the ledger has taken those in
(`settle`). After that, a checkpoint that counts as many events of its key as the journal does covers them all. This is noted of
all events of a minute together, a *part*.
"""

import hashlib
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.failures import RunError, UsageError
from pipelines.record.folder import is_local
from transforms.coders import RecordBatchCoder
from transforms.core.columns.arrow import Ints
from transforms.core.columns.batches import concat
from transforms.core.columns.groups import group_codes
from transforms.core.evaluation.duplicates import remove_duplicates

_CODER: Final = RecordBatchCoder()
_VERSION: Final = 1
_PART: Final = 60.0
"""Seconds, about, whose events are a part."""
_TABLES: Final = (
    "CREATE TABLE stream (policy TEXT NOT NULL)",
    # A row is a bundle; `added` in seconds since the epoch.
    "CREATE TABLE events (id INTEGER PRIMARY KEY, part INTEGER NOT NULL, added REAL NOT NULL, batch BLOB NOT NULL)",
    "CREATE INDEX events_of_part ON events (part)",
    # The keys whose events in a settled part no checkpoint covers yet; one does that counts this number of events of the key.
    """CREATE TABLE uncovered (key TEXT NOT NULL, part INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, part))
       WITHOUT ROWID""",
    "CREATE INDEX keys_of_part ON uncovered (part)",
    # The last checkpoint of each key; `taken` is -1 if it is of an earlier run.
    "CREATE TABLE checkpoints (key TEXT PRIMARY KEY, taken INTEGER NOT NULL, standing BLOB NOT NULL)",
)


class Checkpoint(NamedTuple):
    """The state of the ledger for one key."""

    taken: int
    """How many events of the key the ledger had received by then, since the journal was opened; late ones and copies too."""
    content: bytes
    """The encoded standing."""


class Journal:
    """The journal of one subscription in an output folder of this machine, open until it is closed. Thread-safe."""

    def __init__(self, root: str, subscription: str, policy: str, groups: int | None = None) -> None:
        """Opens it.

        Args:
            root: the output folder.
            subscription: whose messages have the events.
            policy: the hash of the policy with which standings are made.
            groups: how many groups of scale sets are keys; None: each scale set is one.

        Raises:
            RunError: another process has it, another version of the program has written it, or the folder is not of this machine.
            UsageError: it was made with another policy.
        """
        if not is_local(root):
            raise RunError(f"--output: a folder of this machine is required with PrismRunner, got {root}.")
        name = hashlib.sha256(subscription.encode()).hexdigest()[:16]
        self.path = Path(root) / "_trueup" / "journal" / f"{name}.sqlite"
        self.root, self.subscription, self.groups = root, subscription, groups
        self._lock = threading.RLock()
        self._appended: Counter[str] = Counter()
        """How many events of each key were appended; `_gone_on`: went on to the ledger; `_closed`: lie in closed parts."""
        self._gone_on: Counter[str] = Counter()
        self._closed: Counter[str] = Counter()
        self._part, self._begun = 1, time.monotonic()
        self._closing: list[str] = []
        """The keys of the part before, until it is settled."""
        self._database = self._connected()
        try:
            self._prepare(policy)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Closes the journal, so that another process, or this one again, may open it."""
        with self._lock:
            self._database.close()

    def append(self, events: list[pa.RecordBatch]) -> None:
        """Appends events; they are on disk when it returns."""
        joined = concat(events)
        row = time.time(), _CODER.encode(joined)
        with self._transaction():
            self._do("INSERT INTO events (part, added, batch) VALUES (?, ?, ?)", self._part, *row)
            self._appended.update(dict(_numbers(joined, self.groups)))

    def turn(self) -> None:
        """Notes that all events appended so far have gone on to the ledger, or do so now."""
        with self._lock:
            self._gone_on = self._appended.copy()
            if not self._closing and time.monotonic() >= self._begun + _PART:
                self._closing = [key for key, number in self._gone_on.items() if number > self._closed[key]]
                self._part, self._begun, self._closed = self._part + 1, time.monotonic(), self._gone_on

    def settle(self) -> None:
        """Notes that the ledger has taken in everything that went on to it."""
        with self._lock:
            keys, self._closing = self._closing, []
            if keys:
                # Events of a key may be taken in in another order: only all that have gone on tell by their number.
                with self._transaction():
                    self._do_many(
                        "INSERT INTO uncovered VALUES (?, ?, ?)", [(key, self._part - 1, self._gone_on[key]) for key in keys]
                    )
                    self._cover(keys)

    def store(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Stores checkpoints; they are on disk when it returns. Events that are no longer needed are deleted."""
        with self._transaction():
            rows = [(key, *checkpoint) for key, checkpoint in checkpoints.items()]
            self._do_many("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)", rows)
            self._cover(checkpoints)

    def standings(self) -> dict[str, bytes]:
        """The last standing of each key, encoded."""
        with self._lock:
            return dict(self._do("SELECT key, standing FROM checkpoints"))

    def since(self) -> float | None:
        """When the first of its events was appended, in seconds since the epoch; None if it has none."""
        with self._lock:
            found: float | None = self._do("SELECT min(added) FROM events").fetchone()[0]
        return found

    def recalled(self, rejected: frozenset[str] = frozenset()) -> pa.RecordBatch:
        """The events of earlier processes that no checkpoint covers, each once.

        Args:
            rejected: ids of events that came too late, and are rejected for good.
        """
        with self._lock:
            keys: dict[int, set[str]] = defaultdict(set)
            for part, key in self._do("SELECT part, key FROM uncovered"):
                keys[part].add(key)
            rows = self._do("SELECT part, batch FROM events ORDER BY id")
            found = concat([_of_keys(_CODER.decode(batch), keys[part], self.groups) for part, batch in rows])
        late = pc.is_in(found.column("event_id"), pa.array(sorted(rejected), pa.string()))
        return remove_duplicates(found.filter(pc.invert(late)))[0]

    def _connected(self) -> sqlite3.Connection:
        self._require_own(not self.path.with_suffix("").exists())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # In this mode the lock is held until the end, and goes with the process.
            for statement in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
                database.execute(f"PRAGMA {statement}")
            database.execute("BEGIN IMMEDIATE").execute("COMMIT")
        except sqlite3.OperationalError as error:
            database.close()
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            sentence = f"{self.root}: one stream of {self.subscription} at a time is required, another is running."
            raise RunError(sentence) from None
        return database

    def _prepare(self, policy: str) -> None:
        """Makes the tables, or checks them; what there is of an earlier run is covered by the next checkpoint of its key."""
        with self._transaction():
            (version,) = self._do("PRAGMA user_version").fetchone()
            self._require_own(version in (0, _VERSION))
            if version == 0:
                for statement in (*_TABLES, f"PRAGMA user_version = {_VERSION}"):
                    self._do(statement)
                self._do("INSERT INTO stream VALUES (?)", policy)
            self._require_policy(policy)
            self._do("UPDATE checkpoints SET taken = -1")
            self._do("UPDATE uncovered SET number = 0")
            unsettled = self._do("SELECT part, batch FROM events WHERE part NOT IN (SELECT part FROM uncovered)")
            keys = {(key, part) for part, batch in unsettled for key, _ in _numbers(_CODER.decode(batch), self.groups)}
            self._do_many("INSERT INTO uncovered VALUES (?, ?, 0)", keys)
            self._part += self._do("SELECT coalesce(max(part), 0) FROM events").fetchone()[0]

    def _require_own(self, own: bool) -> None:
        if not own:
            raise RunError(
                f"{self.path}: a journal that this version of the program has written is required, got one of another version; "
                "go on with that one, or begin in another folder."
            )

    def _require_policy(self, policy: str) -> None:
        (held,) = self._do("SELECT policy FROM stream").fetchone()
        if held != policy:
            raise UsageError(
                f"--policy: the policy with which this stream began in {self.root}, {held}, is required, got {policy}; "
                "another one is for another folder."
            )

    def _cover(self, keys: Iterable[str]) -> None:
        """Notes what the checkpoints of some keys cover, and deletes the events of parts that are covered for all keys."""
        statement = "DELETE FROM uncovered WHERE key = ?1 AND number <= (SELECT taken FROM checkpoints WHERE key = ?1)"
        self._do_many(statement, [(key,) for key in keys])
        covered = "part < ? AND NOT EXISTS (SELECT 1 FROM uncovered WHERE uncovered.part = events.part)"
        self._do(f"DELETE FROM events WHERE {covered}", self._part - bool(self._closing))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._do("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._do("ROLLBACK")
                raise
            self._do("COMMIT")

    def _do(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._database.execute(statement, values)

    def _do_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._database.executemany(statement, rows)


def _keyed(events: pa.RecordBatch, groups: int | None) -> tuple[list[str], Ints]:
    """Keys, and for each event which of them is its own."""
    ids = events.column("scale_set_id")
    own: Ints = ids.indices.to_numpy()
    if groups is None:
        return ids.dictionary.to_pylist(), own
    return [str(group) for group in range(groups)], group_codes(ids.dictionary, groups)[own]


def _numbers(events: pa.RecordBatch, groups: int | None) -> list[tuple[str, int]]:
    """The keys that there are, and how many events each has."""
    keys, own = _keyed(events, groups)
    numbers = np.bincount(own, minlength=len(keys))
    return [(keys[at], int(numbers[at])) for at in np.flatnonzero(numbers).tolist()]


def _of_keys(events: pa.RecordBatch, wanted: Set[str], groups: int | None) -> pa.RecordBatch:
    keys, own = _keyed(events, groups)
    is_wanted = np.array([key in wanted for key in keys], np.bool_)
    return events if is_wanted.all() else events.filter(pa.array(is_wanted[own]))
