"""The acceptance test: the stream on a real Flink with Beam's job server, through a kill, a savepoint and what comes late."""

import gc
import json
import os
import random
import signal as signals
import socket
import subprocess
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from apache_beam.utils.subprocess_server import JavaJarServer

from schemas.time import format_time
from tests.support.emulator import Emulator
from tests.support.files import current, signal, table, trueup, two_days, write_events
from tests.support.flink import Processes, streaming, wait, worker_pool
from tests.support.flink import end as end_process
from tests.support.live import backfilled, bodies, distinct, hour, reaches, recent, revisions, send

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.timeout(900),
    pytest.mark.depends_on_speed("jobs must run and take checkpoints within a time"),
]
_TARGET = ":runners:flink:1.20:job-server:shadowJar"


@pytest.fixture(scope="session")
def job_server() -> str:
    """The path of Beam's job server: what TRUEUP_FLINK_JOB_SERVER_JAR names, or what Beam fetches."""
    named = os.environ.get("TRUEUP_FLINK_JOB_SERVER_JAR")
    if named:
        assert Path(named).is_file(), f"TRUEUP_FLINK_JOB_SERVER_JAR: a file is required, got {named}."
        return named
    path, reason = fetched()
    if path is None:
        pytest.skip(f"needs Beam's job server for Flink 1.20: let TRUEUP_FLINK_JOB_SERVER_JAR name it ({reason})")
    return path


def fetched() -> tuple[str | None, str]:
    """The jar that Beam fetches, or why it cannot."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    # Beam leaves the sockets open of an attempt that failed.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        try:
            return str(JavaJarServer.local_jar(JavaJarServer.path_to_beam_jar(_TARGET))), ""
        except Exception as error:
            return None, str(error).splitlines()[0]
        finally:
            socket.setdefaulttimeout(before)
            gc.collect()


def test_a_folder_is_compared_by_its_current_rows(tmp_path: Path) -> None:
    """The comparison of the test below, on what needs no Flink: a record that was restated, and one made at once."""
    end, out = hour(), tmp_path / "out"
    events = sorted(recent(list(two_days()), end), key=lambda event: int(event["time"]))
    for some in (events[: len(events) // 2], events):
        path = write_events(tmp_path / f"{uuid.uuid4().hex}.jsonl", some)
        assert trueup("backfill", "--input", path, "--output", out, "--cold", "--until", format_time(end)).status == 0
        assert (current(out) == backfilled(tmp_path, events)) == (some is events)
    assert reaches(out, end, 2)
    assert len(table(out, "availability")) > len(current(out)["availability"])


def test_a_stream_on_flink_survives_a_kill_and_a_savepoint_and_ends_as_the_backfill(
    processes: Processes, pubsub: Emulator, job_server: str, tmp_path: Path
) -> None:
    name, out, end = f"flink-{uuid.uuid4().hex}", tmp_path / "out", hour()
    topic, subscription = pubsub.open(name)
    events = recent(list(two_days()), end)
    late = recent([signal(2 * 24 * 3600 - 1800, "1", "Unavailable"), signal(2 * 24 * 3600 - 1700, "1", "Available")], end)
    messages = bodies([*events, *events])
    random.Random(6).shuffle(messages)
    with worker_pool() as port:
        given = told(processes, job_server, port)
        with stopped_in_order(processes, subscription, out, given):
            send(pubsub, topic, messages[: len(messages) // 2])
            wait(180, lambda: out.exists() and revisions(out))
            checkpoint = last_checkpoint(processes, name)
            wait(60, lambda: last_checkpoint(processes, name) > checkpoint)
            processes.managers[-1].send_signal(signals.SIGKILL)
            send(pubsub, topic, messages[len(messages) // 2 :])
            wait(60, lambda: not processes.cluster.task_managers())
            processes.add_task_manager()
            wait(300, lambda: reaches(out, end, 2) and distinct(out) == backfilled(tmp_path, events))
        processes.add_task_manager()
        # State restored from the savepoint: a cold stream would know nothing of what the late events restate.
        with stopped_in_order(processes, subscription, out, [*given, "--parallelism=3"]) as said:
            assert any(line.startswith("going on from ") for line in said)
            send(pubsub, topic, bodies(late))
            wait(180, lambda: distinct(out) == backfilled(tmp_path, events + late))
    assert not table(out, "rejects").num_rows
    assert "late" in {row["cause"] for row in revisions(out)}


def test_a_stream_goes_on_from_a_backfill_from_a_program_that_was_killed_and_from_a_job_manager_that_was(
    processes: Processes, pubsub: Emulator, job_server: str, tmp_path: Path
) -> None:
    name, out, end = f"flink-{uuid.uuid4().hex}", tmp_path / "out", hour()
    topic, subscription = pubsub.open(name)
    events = sorted(recent(list(two_days()), end), key=lambda event: int(event["time"]))
    third = len(events) // 3
    path = write_events(tmp_path / "early.jsonl", events[:third])
    assert trueup("backfill", "--input", path, "--output", out).status == 0
    send(pubsub, topic, bodies(events[third : 2 * third]))
    with worker_pool() as port:
        given = ["--resume", *told(processes, job_server, port)]
        with streaming(subscription, out, *given) as process:
            until(process, "streaming from ")
            wait(300, lambda: {row["cause"] for row in revisions(out)} > {"backfill"}, process)
            process.kill()
        send(pubsub, topic, bodies(events[2 * third :]))
        with streaming(subscription, out, *given) as process:
            assert "found job" in until(process, "streaming from ")[-1]
            wait(300, lambda: reaches(out, end, 2) and distinct(out) == backfilled(tmp_path, events), process)
            found = trueup("status", "--flink_master", processes.cluster.address, "--name", job_name(name), "--json").json
            assert found["counters"]["used"]
            assert found["watermark"]
            end_process(processes.managers.pop(0))
            processes.add_job_manager()
            _, said = process.communicate(timeout=120)
            assert (process.returncode, "the same command goes on from it" in said) == (1, True)
        late = recent([signal(2 * 24 * 3600 - 1800, "1", "Unavailable"), signal(2 * 24 * 3600 - 1700, "1", "Available")], end)
        with stopped_in_order(processes, subscription, out, given):
            send(pubsub, topic, bodies(late))
            wait(300, lambda: distinct(out) == backfilled(tmp_path, events + late))
    assert not table(out, "rejects").num_rows
    assert "backfill" in {row["cause"] for row in revisions(out)}


def test_a_backfill_on_flink_is_that_of_this_machine_with_all_that_it_says(
    processes: Processes, job_server: str, tmp_path: Path
) -> None:
    path = write_events(tmp_path / "events.jsonl", two_days("ab"))
    path.write_text(path.read_text() + "{broken\n")
    here = trueup("backfill", "--input", path, "--output", tmp_path / "here", "--json")
    with worker_pool() as port:
        options = [f"--flink_master={processes.cluster.address}", f"--flink_job_server_jar={job_server}"]
        given = ["--runner", "FlinkRunner", "--", *options, f"--environment_config=localhost:{port}"]
        there = trueup("backfill", "--input", path, "--output", tmp_path / "there", "--json", *given)
    assert there.status == 0, there.err
    assert {**json.loads(there.out), "seconds": 0} == {**json.loads(here.out), "seconds": 0}
    assert distinct(tmp_path / "there") == current(tmp_path / "here")


def told(processes: Processes, job_server: str, port: int) -> list[str]:
    """What streams are told, with a checkpoint every three seconds."""
    return [
        *("--flush", "1s", "--lease", "10s", "--idle", "40s"),
        f"--flink_master={processes.cluster.address}",
        f"--flink_job_server_jar={job_server}",
        f"--environment_config=localhost:{port}",
        "--checkpointing_interval=3000",
        "--min_pause_between_checkpoints=500",
    ]


def until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """What a stream says up to a line that begins with some words."""
    said: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if line.startswith(words):
            return said
    raise AssertionError("".join(said))


@contextmanager
def stopped_in_order(processes: Processes, subscription: str, out: Path, given: list[str]) -> Iterator[list[str]]:
    """A stream that runs while the block does, and is then stopped by Ctrl-C; gives what it said until its job ran."""
    with streaming(subscription, out, *given) as process:
        yield until(process, "streaming from ")
        process.send_signal(signals.SIGINT)
        _, rest = process.communicate(timeout=200)
        assert process.returncode == 0, rest
        assert "the next run goes on from " in rest


def job_name(subscription: str) -> str:
    """The name of the job of a subscription."""
    return f"trueup-trueup-tests-{subscription}"


def last_checkpoint(processes: Processes, name: str) -> int:
    """The number of the last complete checkpoint of the job of a subscription; 0 if there is none."""
    job = processes.cluster.running(job_name(name))
    newest = None if job is None else processes.cluster.newest(job.id)
    return 0 if newest is None or newest.path is None else int(newest.path.rsplit("-", 1)[1])
