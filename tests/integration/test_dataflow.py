"""Streams and backfills on Dataflow as far as they go without the service: built, checked, and staged in an object store.

With `--template_location` Beam does all that it does for a job but ask the service to start it.
"""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2 as api
from apache_beam.runners.runner import create_runner

from pipelines.backfill.backfill import backfill
from pipelines.correction.settings import BackfillSettings
from runners.engines.dataflow.template import arguments_of
from runners.engines.local import options_of, room_of
from schemas.time import DAY
from tests.support.emulator import PROJECT, Emulator
from tests.support.files import at, trueup, two_days, write_events
from tests.support.gcs import BUCKET, cloud_storage
from tests.support.graph import as_released, steps

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
RELEASED = Path(__file__).parents[1] / "golden" / "dataflow_steps.txt"
RECORD = f"gs://{BUCKET}/record"
CLOUD = [f"--project={PROJECT.rpartition('/')[2]}", "--region=europe-west1"]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with cloud_storage(tmp_path_factory.mktemp("gcs")) as client:
        yield client


class Staged(NamedTuple):
    """A job as it was staged: what would be asked of the service, the graph, and the bytes of the workers' package."""

    job: dict[str, Any]
    proto: Any
    package: bytes | None

    @property
    def dependencies(self) -> list[str]:
        (environment,) = self.proto.components.environments.values()
        payloads = [api.ArtifactStagingToRolePayload.FromString(each.role_payload) for each in environment.dependencies]
        return [each.staged_name for each in payloads]


def staged(storage: Any, template: str) -> Staged:
    bucket = storage.bucket(BUCKET)
    job = json.loads(bucket.blob(template).download_as_bytes())
    told = job["environment"]["sdkPipelineOptions"]["options"]
    folder = told["staging_location"].removeprefix(f"gs://{BUCKET}/")
    found = {blob.name.rpartition("/")[2]: blob for blob in storage.list_blobs(BUCKET, prefix=folder)}
    wheel = next((blob.download_as_bytes() for name, blob in found.items() if name.endswith(".whl")), None)
    return Staged(job, api.Pipeline.FromString(found["pipeline.pb"].download_as_bytes()), wheel)


@pytest.fixture(scope="module")
def stream(storage: Any, pubsub: Emulator) -> Staged:
    name = uuid.uuid4().hex
    topic, subscription = pubsub.open(f"dataflow-{name}")
    told = ["--subscription", subscription, "--output", RECORD, "--runner", "DataflowRunner", "--dead-letter", topic]
    done = trueup("stream", *told, "--", *CLOUD, f"--template_location=gs://{BUCKET}/{name}")
    assert (done.status, done.err) == (0, f"the template gs://{BUCKET}/{name} is written; no job was started\n")
    return staged(storage, name)


def test_a_stream_is_staged_with_streaming_engine_and_exactly_once(stream: Staged) -> None:
    job = stream.job
    assert job["type"] == "JOB_TYPE_STREAMING"
    assert {"use_runner_v2", "enable_streaming_engine"} <= set(job["environment"]["experiments"])
    assert "streaming_mode_at_least_once" not in json.dumps(job)
    assert job["name"].startswith("trueup-trueup-tests-dataflow-")


def test_the_staged_steps_are_those_of_the_last_release(stream: Staged) -> None:
    expected = [line for line in RELEASED.read_text().splitlines() if "_PubSubWriteDoFn" not in line]
    assert [line for line in as_released(stream.proto) if "_PubSubWriteDoFn" not in line] == expected
    urns = [step.spec.urn for step in steps(stream.proto)]
    assert (urns.count("beam:transform:pubsub_read:v1"), urns.count("beam:transform:pubsub_write:v1")) == (1, 1)


def test_workers_get_the_wheel_and_no_session_of_the_program(stream: Staged) -> None:
    assert stream.dependencies == ["trueup-0.1.0-py3-none-any.whl", "extra_packages.txt"]
    assert stream.job["environment"]["sdkPipelineOptions"]["options"]["save_main_session"] is False


def test_the_graph_says_how_much_memory_its_steps_want(stream: Staged) -> None:
    (environment,) = stream.proto.components.environments.values()
    assert environment.resource_hints["beam:resources:min_ram_bytes:v1"] == b"4000000000"


def test_the_staged_wheel_can_be_installed_and_run(stream: Staged, tmp_path: Path) -> None:
    assert stream.package is not None
    wheel = tmp_path / "trueup-0.1.0-py3-none-any.whl"
    wheel.write_bytes(stream.package)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(tmp_path / "lib"),
        str(wheel),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    tried = "import sys; sys.path[:0] = [sys.argv[1]]; from transforms.subscription import native; print(native.__file__)"
    found = subprocess.run([sys.executable, "-c", tried, tmp_path / "lib"], cwd="/", capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(tmp_path / "lib"))


def test_with_an_image_no_wheel_is_staged_and_at_least_once_may_be_asked_for(storage: Any, pubsub: Emulator) -> None:
    """By way of the Flex Template's program, which the service starts with a place for the template."""
    name = uuid.uuid4().hex
    _, subscription = pubsub.open(f"dataflow-{name}")
    image, mode = "images.example/p/r/trueup:0.1.0", "streaming_mode_at_least_once"
    given = [*CLOUD, f"--sdk_container_image={image}", f"--dataflow_service_options={mode}"]
    parameters = [f"--subscription={subscription}", f"--output={RECORD}", "--policy=", "--resume=true"]
    done = trueup(*arguments_of([*parameters, *given, "--runner=DataflowRunner", f"--template_location=gs://{BUCKET}/{name}"]))
    assert done.status == 0, done.err
    found = staged(storage, name)
    assert (found.dependencies, found.package) == ([], None)
    (environment,) = found.proto.components.environments.values()
    assert api.DockerPayload.FromString(environment.payload).container_image == image
    assert mode in found.job["environment"]["serviceOptions"]


def test_the_record_is_opened_in_the_object_store(stream: Staged, storage: Any) -> None:
    names = {blob.name for blob in storage.list_blobs(BUCKET, prefix="record/_trueup/")}
    assert {"record/_trueup/grid.json", "record/_trueup/groups"} <= names


def test_a_backfill_is_built_and_staged_and_bounded(storage: Any, tmp_path: Path) -> None:
    storage.bucket(BUCKET).blob("events/a.jsonl").upload_from_filename(write_events(tmp_path / "a.jsonl", two_days()))
    settings = BackfillSettings(
        (f"gs://{BUCKET}/events/*.jsonl",), RECORD, at(0) + 3 * DAY, runner="DataflowRunner", runner_options=tuple(CLOUD)
    )
    template = uuid.uuid4().hex

    class CutError(Exception):
        pass

    def execute(build: Any) -> Any:
        given = [*options, f"--template_location=gs://{BUCKET}/{template}"]
        pipeline = beam.Pipeline(runner=create_runner("DataflowRunner"), options=PipelineOptions(given))
        build(pipeline)
        pipeline.run()
        raise CutError

    with room_of(settings) as (told, scratch), options_of(told) as options, pytest.raises(CutError):
        backfill(told, execute, sys.maxsize, scratch)
    found = staged(storage, template)
    assert found.job["type"] == "JOB_TYPE_BATCH"
    assert found.dependencies == ["trueup-0.1.0-py3-none-any.whl", "extra_packages.txt"]
    assert {each.is_bounded for each in found.proto.components.pcollections.values()} == {api.IsBounded.BOUNDED}
    assert scratch.startswith(RECORD)


def test_what_beam_refuses_is_said_in_one_sentence(storage: Any, pubsub: Emulator) -> None:
    _, subscription = pubsub.open(f"dataflow-{uuid.uuid4().hex}")
    told = ["--subscription", subscription, "--output", RECORD, "--runner", "DataflowRunner"]
    done = trueup("stream", *told, "--", *CLOUD, "--job_name=Not_A_Name")
    assert done.status == 2
    assert done.err.startswith("trueup: DataflowRunner: options that Beam takes are required: ")
    assert len(done.err.splitlines()) == 1


def test_a_place_that_workers_do_not_reach_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    told = ["--subscription", "projects/p/subscriptions/s", "--output", tmp_path / "record", "--runner", "DataflowRunner"]
    assert trueup("stream", *told, "--", *CLOUD).status == 2
    assert not list(tmp_path.iterdir())
