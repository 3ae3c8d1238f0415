"""Files of this machine are found as Beam finds them: one word for what a glob means, whichever file system is asked."""

import re
import sys
from pathlib import Path
from unittest import mock

import pytest
from apache_beam.io.filesystems import FileSystems

from transforms.files.filesystems import ListedFile, matching_files
from transforms.files.stores import forget_stores

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


def test_a_store_whose_client_is_not_installed_names_the_extra() -> None:
    forget_stores()
    with (
        mock.patch.dict(sys.modules, {"botocore.exceptions": None}),
        pytest.raises(ValueError, match=r"pip install 'trueup\[aws\]'"),
    ):
        matching_files("s3://bucket/x")


@pytest.mark.parametrize("path", ["azfs://account", "azfs://account/**"])
def test_a_path_without_a_container_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING", "AccountName=account;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/account;"
    )
    forget_stores()
    with pytest.raises(ValueError, match="a path like azfs://ACCOUNT/CONTAINER/NAME is required"):
        matching_files(path)
    forget_stores()
