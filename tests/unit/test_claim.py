"""What only one may write: of many who try at once, one does, and all know who."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.record.folder import claim, put_over


def test_of_many_who_claim_at_once_all_get_what_one_has_written(tmp_path: Path) -> None:
    started = threading.Barrier(8)

    def claimed(number: int) -> bytes:
        started.wait()
        return claim(str(tmp_path), "_trueup/one", f"{number}".encode())

    with ThreadPoolExecutor(8) as pool:
        (held,) = set(pool.map(claimed, range(8)))
    assert (tmp_path / "_trueup/one").read_bytes() == held
    assert not list((tmp_path / "_trueup/unfinished").iterdir())


def test_what_came_between_a_look_and_the_write_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def later(source: str, target: str) -> None:
        put_over(str(tmp_path), "one", b"other")
        link(source, target)

    monkeypatch.setattr(os, "link", later)
    assert claim(str(tmp_path), "one", b"own") == b"other"


def test_where_a_file_system_has_no_links_the_file_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    assert claim(str(tmp_path), "one", b"own") == b"own"
    assert (tmp_path / "one").read_bytes() == b"own"
