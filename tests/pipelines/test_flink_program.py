"""The program beside its job on Flink: one at a time, and with a job server that ends with it."""

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines.failures import RunError
from pipelines.stream.stream import StreamSettings
from runners.engines.flink.cluster import Job
from runners.engines.flink.job import stream_digest
from runners.engines.flink.job_server import job_server
from runners.engines.flink.trail import LastJob
from runners.process import lease
from runners.process.lease import ProgramLease
from schemas.azure.inventory import parse_inventory
from schemas.policy import parse_policy
from schemas.time import MINUTE

NOTE = "_trueup/flink/1.json.lease"
SUBSCRIPTION = "projects/p/subscriptions/s"
PLACE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Compute"
JAVA = """#!{python}
import socket, sys, time
with socket.socket() as server:
    server.bind(("127.0.0.1", int(sys.argv[sys.argv.index("--job-port") + 1])))
    server.listen()
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEWED", 0.1)
    monkeypatch.setattr(lease, "_SILENT", 2.0)


def test_the_second_program_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    second = ProgramLease(str(tmp_path), NOTE, threading.Event())
    with ProgramLease(str(tmp_path), NOTE, threading.Event()) as first:
        with pytest.raises(RunError, match=f"process {os.getpid()} on .* does already"):
            second.__enter__()
        first.check()
    assert not (tmp_path / NOTE).exists()
    with second:
        second.check()


def test_the_note_of_a_program_that_was_killed_stands_still_and_counts_no_more(tmp_path: Path) -> None:
    path = tmp_path / NOTE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"program": "killed", "host": "h", "process": 1, "turn": 7}))
    began = time.monotonic()
    with ProgramLease(str(tmp_path), NOTE, threading.Event()):
        assert time.monotonic() - began >= 2.0
        assert json.loads(path.read_text())["process"] == os.getpid()


def test_of_two_that_begin_at_once_one_gives_way(tmp_path: Path) -> None:
    with ProgramLease(str(tmp_path), NOTE, threading.Event()) as own:
        (tmp_path / NOTE).write_text(json.dumps({"program": "other", "host": "h", "process": 1, "turn": 0}))
        time.sleep(0.5)
        with pytest.raises(RunError, match="another one has taken over"):
            own.check()
    assert json.loads((tmp_path / NOTE).read_text())["program"] == "other"


def test_a_signal_ends_the_wait_for_a_sign_of_life(tmp_path: Path) -> None:
    path, stopped = tmp_path / NOTE, threading.Event()
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"program": "killed", "host": "h", "process": 1, "turn": 7}))
    stopped.set()
    with pytest.raises(RunError, match="a signal came first"):
        ProgramLease(str(tmp_path), NOTE, stopped).__enter__()


def test_a_job_is_known_by_its_id_or_as_the_one_that_was_not_there_before() -> None:
    jobs = [Job(name, "n", "RUNNING", began) for name, began in (("a", 1), ("b", 3), ("c", 2))]
    assert LastJob("c", None, stopped=False).is_one_of(jobs) == jobs[2]
    assert LastJob("d", None, stopped=False).is_one_of(jobs) is None
    assert LastJob(None, None, stopped=False, earlier=("a",)).is_one_of(jobs) == jobs[1]
    assert LastJob(None, None, stopped=False, earlier=("a", "b", "c")).is_one_of(jobs) is None


def test_two_streams_are_told_apart_by_all_that_they_are_told_but_by_how_they_are_handed_over() -> None:
    own = stream_digest(StreamSettings(SUBSCRIPTION, "out", runner="FlinkRunner"))
    inventories = [
        parse_inventory(f"vm_id,scale_set_id\n{PLACE}/virtualMachines/{vm},{PLACE}/virtualMachineScaleSets/s\n".encode(), "i.csv")
        for vm in ("v", "w")
    ]
    same = [
        StreamSettings(SUBSCRIPTION, "./out/", runner="FlinkRunner", detach=True, resume=True),
        StreamSettings(SUBSCRIPTION, "out", runner="FlinkRunner", runner_options=("--job_endpoint=localhost:1",)),
    ]
    others = [
        StreamSettings(SUBSCRIPTION, "out", runner="FlinkRunner", idle=2 * MINUTE),
        StreamSettings(SUBSCRIPTION, "out", runner="FlinkRunner", runner_options=("--parallelism=3",)),
        StreamSettings(SUBSCRIPTION, "out", runner="FlinkRunner", policy=parse_policy('lateness = "2h"')),
        *(StreamSettings(SUBSCRIPTION, "out", runner="FlinkRunner", inventory=each) for each in inventories),
    ]
    assert {stream_digest(each) for each in same} == {own}
    assert len({own, *(stream_digest(each) for each in others)}) == 1 + len(others)


def test_a_job_server_ends_with_the_block(tmp_path: Path) -> None:
    java, jar = tmp_path / "java", tmp_path / "server.jar"
    java.write_text(JAVA.format(python=sys.executable))
    java.chmod(0o755)
    jar.touch()
    options = [f"--flink_job_server_jar={jar}", f"--job_server_java_launcher={java}", f"--artifacts_dir={tmp_path}"]
    with job_server(options, str(tmp_path)) as served:
        assert served[:-1] == options
        port = int(served[-1].removeprefix("--job_endpoint=localhost:"))
        assert listens(port)
    assert not listens(port)


def test_a_job_server_that_is_there_is_used(tmp_path: Path) -> None:
    with job_server(["--job_endpoint=localhost:1"], str(tmp_path)) as served:
        assert served == ["--job_endpoint=localhost:1"]


def test_a_job_server_that_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match="Beam's job server is required, and could not be fetched") as error,
        job_server([f"--flink_job_server_jar={tmp_path}/none.jar", f"--artifacts_dir={tmp_path}"], str(tmp_path)),
    ):
        pass
    assert len(str(error.value).splitlines()) == 1


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
