"""A record in an object store is the one that a folder of this machine would hold, whatever happens on the way to the store."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.files import at, current, trueup, two_days, write_events
from tests.support.object_stores import Faulty, ObjectStore, Request, faulty, fetched, object_store

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=["gs", "azfs"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with object_store(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_events(tmp_path_factory.mktemp("in") / "events.jsonl", two_days("abc"), extra=["{broken"])


def backfill(events: object, out: object, *options: object) -> dict[str, Any]:
    done = trueup("backfill", "--input", events, "--output", out, "--json", *options)
    assert done.status == 0, done.err
    return done.json


def stamped(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The current rows, but for when they were published."""
    return {name: [{**row, "as_of": None} for row in rows] for name, rows in current(folder).items()}


@pytest.fixture(scope="module")
def here(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("here") / "record"
    backfill(events, out)
    return out


def said(root: object, *arguments: object) -> str:
    """What a command says of a record, but for its place."""
    done = trueup(*arguments, "--data", root)
    assert done.status == 0, done.err
    return done.out.replace(str(root), "RECORD")


def test_a_record_is_as_a_folder_would_hold_it(store: ObjectStore, events: Path, here: Path, tmp_path: Path) -> None:
    root = store.room()
    told = backfill(events, root)
    assert told["cells"]["written"] > 100
    assert stamped(fetched(root, tmp_path)) == stamped(here)
    for command in (["report"], ["report", "--as", "json", "--by", "day"], ["explain", "--scale-set", "a"]):
        assert said(root, *command) == said(here, *command)
    assert backfill(events, root)["cells"] == {"written": 0, "unchanged": told["cells"]["written"]}
