"""`trueup stream --runner FlinkRunner` against a real cluster, with a stand-in for the job server that hands over another job."""

import signal
import uuid
from pathlib import Path

import pytest

from tests.support.emulator import Emulator
from tests.support.flink import Processes, streaming, wait
from tests.support.graph import STEPS
from tests.support.job_service import JobService, job_service

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.timeout(300),
    pytest.mark.depends_on_speed("jobs must run and take checkpoints within a time"),
]


def given(processes: Processes, service: JobService) -> list[str]:
    return [f"--flink_master={processes.cluster.address}", f"--job_endpoint=localhost:{service.port}", "--parallelism=1"]


def test_ctrl_c_stops_with_a_savepoint_from_which_the_next_run_goes_on(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    name = f"job-{uuid.uuid4().hex}"
    _, subscription = pubsub.open(name)
    job_name, cluster = f"trueup-trueup-tests-{name}", processes.cluster
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            job = wait(90, lambda: cluster.running(job_name), process)
            wait(60, lambda: cluster.state(job.id) == "RUNNING" and cluster.newest(job.id), process)
            with streaming(subscription, tmp_path, *given(processes, service)) as second:
                _, said = second.communicate(timeout=60)
            assert second.returncode == 1
            assert f"no running job named {job_name} is required, got {job.id}" in said
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=90)
        assert process.returncode == 0, said
        wait(30, lambda: cluster.state(job.id) == "FINISHED")
        savepoint = said.splitlines()[-1].removeprefix("stopped; the next run goes on from ")
        assert savepoint.startswith(f"file:{processes.folder}/savepoints/savepoint-")
        assert "savepoint_path" not in service.options()
        with streaming(subscription, tmp_path, "--detach", *given(processes, service)) as process:
            _, said = process.communicate(timeout=90)
        assert process.returncode == 0, said
        assert f"going on from {savepoint}" in said
        assert service.options()["savepoint_path"] == savepoint
        left = wait(30, lambda: cluster.running(job_name))
        cluster.stop(left.id, None, 60)


def test_what_is_submitted_is_the_stream_with_the_options_that_it_needs(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    name = f"job-{uuid.uuid4().hex}"
    _, subscription = pubsub.open(name)
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, "--detach", *given(processes, service)) as process:
            _, said = process.communicate(timeout=90)
        assert process.returncode == 0, said
        told, proto = service.options(), service.prepared[0].pipeline
    job = wait(30, lambda: processes.cluster.running(f"trueup-trueup-tests-{name}"))
    processes.cluster.stop(job.id, None, 60)
    assert told["finish_bundle_before_checkpointing"] is told["externalized_checkpoints_enabled"] is told["streaming"] is True
    assert (told["checkpointing_interval"], told["max_parallelism"], told["parallelism"]) == ("10000", "128", "1")
    assert (told["environment_type"], told["environment_config"]) == ("EXTERNAL", "localhost:50000")
    assert "state_backend" not in told
    names = {transform.unique_name for transform in proto.components.transforms.values()}
    assert names >= STEPS
    assert {environment.urn for environment in proto.components.environments.values()} == {"beam:env:external:v1"}


def test_a_job_that_was_lost_is_gone_on_with_from_its_last_checkpoint(
    processes: Processes, pubsub: Emulator, tmp_path: Path
) -> None:
    name = f"job-{uuid.uuid4().hex}"
    _, subscription = pubsub.open(name)
    cluster, job_name = processes.cluster, f"trueup-trueup-tests-{name}"
    with job_service(processes.unbounded_job) as service:
        with streaming(subscription, tmp_path, *given(processes, service)) as process:
            job = wait(90, lambda: cluster.running(job_name), process)
            wait(60, lambda: cluster.state(job.id) == "RUNNING" and cluster.newest(job.id), process)
            cluster.cancel(job.id)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert f"job {job.id} is CANCELED" in said
        with streaming(subscription, tmp_path, "--detach", *given(processes, service)) as process:
            _, said = process.communicate(timeout=90)
        assert process.returncode == 0, said
        assert f"/checkpoints/{job.id}/chk-" in service.options()["savepoint_path"]
    cluster.stop(wait(30, lambda: cluster.running(job_name)).id, None, 60)
