"""Around the job server: a real cluster with the configuration that is shipped, and its worker pool."""

import json
import signal
import socket
from pathlib import Path

import grpc
import pytest
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, endpoints_pb2

from pipelines.failures import RunError
from runners.engines.flink.cluster import Cluster
from runners.engines.flink.options import flink_options
from runners.engines.flink.trail import LastJob, Trail
from tests.support.files import trueup
from tests.support.flink import Processes, free_port, wait, worker_pool

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.timeout(300),
    pytest.mark.depends_on_speed("a cluster misses a task manager by the clock"),
]


def test_the_shipped_configuration_is_taken_and_is_enough_for_a_stream(processes: Processes) -> None:
    told = processes.cluster.configuration()
    assert told == (
        "1.20.5",
        f"file://{processes.folder}/checkpoints",
        f"file://{processes.folder}/savepoints",
        "rocksdb",
        "failure-rate",
    )
    options = flink_options([f"--flink_master={processes.cluster.address}"], told, "name")
    assert not [option for option in options if "state_backend" in option or "retries" in option]


def test_a_task_manager_that_is_killed_is_missed_and_another_takes_its_place(processes: Processes) -> None:
    (first,) = processes.cluster.task_managers()
    processes.managers[-1].send_signal(signal.SIGKILL)
    wait(60, lambda: first not in processes.cluster.task_managers())
    processes.add_task_manager()
    (second,) = processes.cluster.task_managers()
    assert second != first


def test_a_job_is_found_by_its_name_and_stopped_with_a_savepoint(processes: Processes) -> None:
    cluster = processes.cluster
    assert cluster.running("by-name") is None
    processes.unbounded_job("by-name")
    job = wait(60, lambda: cluster.running("by-name"))
    wait(60, lambda: cluster.state(job.id) == "RUNNING" and cluster.newest(job.id))
    checkpoint = cluster.newest(job.id)
    assert checkpoint is not None
    assert str(checkpoint.path).startswith(f"file:{processes.folder}/checkpoints/")
    savepoint = cluster.stop(job.id, f"file://{processes.folder}/mine", 60)
    assert savepoint.startswith(f"file:{processes.folder}/mine/savepoint-")
    wait(30, lambda: cluster.state(job.id) == "FINISHED")
    assert cluster.running("by-name") is None
    # The interface gives what it has, for some seconds.
    wait(30, lambda: getattr(cluster.newest(job.id), "path", None) == savepoint)


def test_status_says_how_old_the_checkpoint_of_each_stream_is(processes: Processes) -> None:
    cluster = processes.cluster
    none = trueup("status", "--flink_master", cluster.address)
    assert (none.status, none.err) == (1, f"trueup: {cluster.address}: a running job of trueup is required, got none.\n")
    processes.unbounded_job("trueup-status")
    job = wait(60, lambda: cluster.running("trueup-status"))
    wait(60, lambda: cluster.state(job.id) == "RUNNING" and cluster.newest(job.id))
    told = json.loads(trueup("status", "--flink_master", cluster.address, "--json").out)
    assert (told["job"], told["state"], told["restarts"], told["counters"]) == (job.id, "RUNNING", 0, {})
    assert told["checkpoint_age_seconds"] < 60
    assert f"/checkpoints/{job.id}/chk-" in told["checkpoint"]
    lines = trueup("status", "--flink_master", cluster.address, "--name", "trueup-status").out.splitlines()
    assert lines[0] == f"trueup-status: RUNNING, job {job.id}, restarts: 0"
    assert lines[1].startswith("  last checkpoint: ")
    cluster.cancel(job.id)


def test_what_flink_refuses_is_one_sentence(processes: Processes) -> None:
    with pytest.raises(RunError) as error:
        processes.cluster.stop("0" * 32, None, 10)
    assert str(error.value).startswith("Flink: a savepoint is required, and failed: ")
    assert str(error.value).endswith(f"Could not find Flink job ({'0' * 32}).")
    with pytest.raises(RunError) as error:
        processes.cluster.stop("none", None, 10)
    assert str(error.value).startswith(f"{processes.cluster.address}: Flink refuses: ")
    assert len(str(error.value).splitlines()) == 1


def test_a_cluster_that_does_not_answer_is_named() -> None:
    address = f"http://localhost:{free_port()}"
    with pytest.raises(RunError, match=f"a JobManager of Flink must answer at {address}, and does not"):
        Cluster(address).configuration()


def test_the_worker_pool_listens_on_the_loopback_interface_and_starts_workers_of_its_environment() -> None:
    with worker_pool() as port, socket.socket() as control:
        control.bind(("127.0.0.1", 0))
        control.listen()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
            endpoint = endpoints_pb2.ApiServiceDescriptor(url=f"127.0.0.1:{control.getsockname()[1]}")
            started = stub.StartWorker(beam_fn_api_pb2.StartWorkerRequest(worker_id="1", control_endpoint=endpoint), timeout=30)
            assert not started.error
            control.settimeout(60)
            # The worker calls back: the python of the pool's PATH has no Beam, and would have ended.
            control.accept()[0].close()
            assert not stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1"), timeout=30).error
        with socket.socket() as outside, pytest.raises(OSError, match="refused"):
            outside.connect(("127.0.0.2", port))


def test_a_stream_whose_last_job_is_forgotten_is_not_begun_anew(processes: Processes, tmp_path: Path) -> None:
    trail = Trail(str(tmp_path), "projects/p/subscriptions/s")
    assert trail.resumed(processes.cluster, "name") is None
    trail.note(LastJob("0" * 32, "file:/savepoint", stopped=True))
    assert trail.resumed(processes.cluster, "name") == "file:/savepoint"
    trail.note(LastJob("0" * 32, "file:/savepoint", stopped=False))
    with pytest.raises(RunError, match=rf"the last checkpoint of job {'0' * 32} is required .* has forgotten that job"):
        trail.resumed(processes.cluster, "name")
    assert Trail(str(tmp_path), "projects/p/subscriptions/other").resumed(processes.cluster, "name") is None
