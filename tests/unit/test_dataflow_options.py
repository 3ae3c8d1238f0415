"""What a stream, or a backfill, hands to Dataflow: no session of the program, and a package or an image for the workers."""

import zipfile
from pathlib import Path

import pytest

from pipelines.failures import UsageError
from runners.engines.dataflow.options import HINT, dataflow_options
from runners.engines.dataflow.package import packed

OUTPUT = "gs://bucket/record"
CLOUD = ["--project=project", "--region=europe-west1"]
WHEEL = "trueup-0.1.0-py3-none-any.whl"


def options(folder: Path, *more: str, output: str = OUTPUT, streaming: bool = True, cloud: list[str] = CLOUD) -> list[str]:
    return dataflow_options([*cloud, *more], "trueup-p-s-", output, str(folder), streaming)


def test_a_stream_gets_what_it_needs(tmp_path: Path) -> None:
    assert options(tmp_path) == [
        *CLOUD,
        "--job_name=trueup-p-s",
        f"--temp_location={OUTPUT}/_trueup/dataflow",
        f"--resource_hint={HINT}",
        f"--extra_package={tmp_path}/{WHEEL}",
        "--no_save_main_session",
        "--streaming",
        "--enable_streaming_engine",
    ]


def test_a_backfill_is_no_stream(tmp_path: Path) -> None:
    assert options(tmp_path, streaming=False) == options(tmp_path)[:-2]


@pytest.mark.parametrize(
    "given",
    [
        "--job_name=mine",
        "--temp_location=gs://other/place",
        "--resource_hint=min_ram=8GB",
        "--extra_package=/wheels/trueup-0.2.0-py3-none-any.whl",
    ],
)
def test_what_the_user_says_goes_over_it(tmp_path: Path, given: str) -> None:
    found = options(tmp_path, given)
    assert [each for each in found if each.startswith(given.split("=")[0])] == [given]
    assert len(found) == len(options(tmp_path))


def test_workers_of_an_image_install_nothing(tmp_path: Path) -> None:
    found = options(tmp_path, "--sdk_container_image=images.example/p/r/trueup:1")
    assert "--sdk_location=container" in found
    assert not [each for each in found if "extra_package" in each]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("output", "given", "sentence"),
    [
        ("/tmp/record", CLOUD, "--output: a place that workers elsewhere reach is required (gs://BUCKET/...), got /tmp/record."),
        (OUTPUT, CLOUD[1:], "DataflowRunner: a project is required (-- --project=NAME), got none."),
        (OUTPUT, CLOUD[:1], "DataflowRunner: a region is required (-- --region=NAME), got none."),
        (
            OUTPUT,
            [*CLOUD, "--save_main_session"],
            "--save_main_session: no session of this program is required by the workers, got the flag.",
        ),
        (
            "azfs://account/record",
            CLOUD,
            "DataflowRunner: a place for its own files is required (-- --temp_location=gs://BUCKET/...), got none.",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, output: str, given: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        options(tmp_path, output=output, cloud=given)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("given", ["--dry_run=True", "--template_location=gs://b/t"])
def test_a_backfill_needs_a_job_that_runs(tmp_path: Path, given: str) -> None:
    assert given in options(tmp_path, given)
    with pytest.raises(UsageError, match="a job that runs is required of a backfill"):
        options(tmp_path, given, streaming=False)


def test_the_package_has_all_rooms_and_is_the_same_each_time(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    first, second = (Path(packed(str(folder))) for folder in folders)
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert {name.split("/")[0] for name in names} == {"schemas", "transforms", "pipelines", "runners", "trueup-0.1.0.dist-info"}
    assert {"runners/cli.py", "pipelines/views/queries/02_worst_sets.sql", "trueup-0.1.0.dist-info/METADATA"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]
