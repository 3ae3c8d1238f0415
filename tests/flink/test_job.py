"""`trueup stream --runner FlinkRunner` against a real cluster, with a stand-in for the job server that hands over another job."""

import json
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from runners.engines.flink.cluster import Job
from tests.support.emulator import Emulator
from tests.support.flink import Processes, end, streaming, wait
from tests.support.graph import STEPS
from tests.support.job_service import JobService, job_service

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.timeout(600),
    pytest.mark.depends_on_speed("jobs must run and take checkpoints within a time"),
]


def given(processes: Processes, service: JobService) -> list[str]:
    return [f"--flink_master={processes.cluster.address}", f"--job_endpoint=localhost:{service.port}"]


def opened(pubsub: Emulator) -> tuple[str, str]:
    """A subscription, and the name that its job has."""
    name = f"job-{uuid.uuid4().hex}"
    return pubsub.open(name)[1], f"trueup-trueup-tests-{name}"


def running(processes: Processes, name: str, process: "subprocess.Popen[str]") -> Job:
    """The job of a stream, when it runs and has a checkpoint."""
    cluster = processes.cluster
    job: Job = wait(180, lambda: cluster.running(name), process)
    wait(60, lambda: cluster.state(job.id) == "RUNNING" and cluster.newest(job.id), process)
    return job


def ended(process: "subprocess.Popen[str]", seconds: float = 90) -> tuple[int, str]:
    """The status with which a stream ends, and what it has said."""
    said = process.communicate(timeout=seconds)[1]
    assert "Traceback" not in said
    return process.returncode, said


def trail(out: Path) -> tuple[Path, dict[str, Any]]:
    (path,) = out.glob("_trueup/flink/*.json")
    return path, json.loads(path.read_text())


def test_ctrl_c_stops_with_a_savepoint_from_which_the_next_run_goes_on(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    (subscription, name), cluster = opened(pubsub), processes.cluster
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            job = running(processes, name, process)
            with streaming(subscription, tmp_path, *given(processes, service)) as second:
                status, said = ended(second)
            assert status == 1
            assert f"one program that looks after the stream is required, process {process.pid} on " in said
            process.send_signal(signal.SIGINT)
            status, said = ended(process)
        assert status == 0, said
        wait(30, lambda: cluster.state(job.id) == "FINISHED")
        savepoint = said.splitlines()[-1].removeprefix("stopped; the next run goes on from ")
        assert savepoint.startswith(f"file:{processes.folder}/savepoints/savepoint-")
        assert len(said.splitlines()) == 3, said
        assert "savepoint_path" not in service.options()
        with streaming(subscription, tmp_path, "--detach", *given(processes, service)) as process:
            status, said = ended(process)
        assert status == 0, said
        assert f"going on from {savepoint}" in said
        assert service.options()["savepoint_path"] == savepoint
        cluster.stop(wait(30, lambda: cluster.running(name)).id, None, 60)


def test_a_program_that_was_killed_finds_its_job_again_also_if_it_had_not_noted_it(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    (subscription, name), cluster = opened(pubsub), processes.cluster
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            job = running(processes, name, process)
            wait(30, lambda: trail(tmp_path)[1]["job"] == job.id, process)
            process.kill()
        with streaming(subscription, tmp_path, "--detach", "--idle", "2m", *given(processes, service)) as process:
            status, said = ended(process)
        assert status == 1
        assert f"the options with which job {job.id} runs are required, got others (flink stop {job.id} first)" in said
        path, noted = trail(tmp_path)
        path.write_text(json.dumps({**noted, "job": None}))
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            wait(60, lambda: trail(tmp_path)[1]["job"] == job.id, process)
            wait(30, lambda: trail(tmp_path)[1]["checkpoint"], process)
            process.send_signal(signal.SIGTERM)
            status, said = ended(process)
        assert status == 0, said
        assert f"found job {job.id} ({name})" in said
        assert len(service.prepared) == 1
        wait(30, lambda: cluster.state(job.id) == "FINISHED")


def test_a_job_of_that_name_that_no_trail_tells_of_is_left_alone(processes: Processes, pubsub: Emulator, tmp_path: Path) -> None:
    subscription, name = opened(pubsub)
    processes.unbounded_job(name)
    job = wait(60, lambda: processes.cluster.running(name))
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            status, said = ended(process)
        assert status == 1
        assert f"no running job named {name} is required, got {job.id} (flink stop {job.id})" in said
        assert not service.prepared
    processes.cluster.cancel(job.id)


def test_a_job_manager_that_starts_anew_ends_the_program_and_the_next_run_goes_on(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    subscription, name = opened(pubsub)
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            job = running(processes, name, process)
            wait(30, lambda: trail(tmp_path)[1]["checkpoint"], process)
            end(processes.managers.pop(0))
            processes.add_job_manager()
            status, said = ended(process, 120)
        assert status == 1
        checkpoint = trail(tmp_path)[1]["savepoint"]
        assert f"/checkpoints/{job.id}/chk-" in checkpoint
        assert (
            f"job {job.id} is required, its JobManager was started again without it: its last checkpoint is {checkpoint};" in said
        )
        assert Path(checkpoint.removeprefix("file:")).is_dir()
        wait(60, processes.cluster.task_managers)
        with streaming(subscription, tmp_path, "--detach", *given(processes, service)) as process:
            status, said = ended(process)
        assert status == 0, said
        assert service.options()["savepoint_path"] == checkpoint
    processes.cluster.stop(wait(30, lambda: processes.cluster.running(name)).id, None, 60)


def test_what_is_submitted_is_the_stream_with_the_options_that_it_needs(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    subscription, name = opened(pubsub)
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, "--detach", *given(processes, service)) as process:
            status, said = ended(process)
        assert status == 0, said
        told, proto = service.options(), service.prepared[0].pipeline
    job = wait(30, lambda: processes.cluster.running(name))
    processes.cluster.stop(job.id, None, 60)
    assert told["finish_bundle_before_checkpointing"] is told["externalized_checkpoints_enabled"] is told["streaming"] is True
    assert (told["checkpointing_interval"], told["max_parallelism"], told["parallelism"]) == ("10000", "128", "2")
    assert (told["environment_type"], told["environment_config"]) == ("EXTERNAL", "localhost:50000")
    assert "state_backend" not in told
    names = {transform.unique_name for transform in proto.components.transforms.values()}
    assert names >= STEPS
    assert {environment.urn for environment in proto.components.environments.values()} == {"beam:env:external:v1"}


def test_a_job_that_was_lost_is_gone_on_with_from_its_last_checkpoint(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    (subscription, name), cluster = opened(pubsub), processes.cluster
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            job = running(processes, name, process)
            cluster.cancel(job.id)
            status, said = ended(process)
        assert status == 1
        assert f"job {job.id} is CANCELED" in said
        with streaming(subscription, tmp_path, "--detach", *given(processes, service)) as process:
            status, said = ended(process)
        assert status == 0, said
        assert f"/checkpoints/{job.id}/chk-" in service.options()["savepoint_path"]
    cluster.stop(wait(30, lambda: cluster.running(name)).id, None, 60)
