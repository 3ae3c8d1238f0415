"""Files of this machine are found as Beam finds them: one word for what a glob means, whichever file system is asked."""

import re
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems

from transforms.files.filesystems import ListedFile, matching_files

NAMES = (
    "a.json",
    "b.json",
    "deep/a.json",
    "deep/er/a.json",
    "deep/er/b.csv",
    "[x].json",
    "a b.json",
    "^.json",
    "line\nbreak.json",
)
PATTERNS = (
    "*", "**", "*.json", "**.json", "**/*.json", "deep/*", "deep/**", "deep", "deep/", "?.json", "[ab].json", "[!a].json",
    "[^a].json", "[]x].json", "[", "[]", "[!]", "a.json", "none.json", "none/*", "d*/a.json", "*/*/*", "[a-b].json", "**e*",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_what_it_means_to_beam(pattern: str, folder: Path) -> None:
    (matched,) = FileSystems.match([f"{folder}/{pattern}"])
    expected = [ListedFile(one.path, one.size_in_bytes, one.last_updated_in_seconds) for one in matched.metadata_list]
    assert sorted(matching_files(f"{folder}/{pattern}")) == sorted(expected)


def test_a_range_that_runs_backwards_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("[b-a].json is no pattern")):
        matching_files(f"{folder}/[b-a].json")


def test_another_file_system_is_asked_through_beam() -> None:
    with pytest.raises(ValueError, match="Unable to get filesystem"):
        matching_files("nowhere://x/*")
