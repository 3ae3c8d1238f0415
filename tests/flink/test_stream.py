"""The acceptance test: the stream on a real Flink with Beam's job server, through a kill, a savepoint and what comes late."""

import gc
import os
import random
import signal as signals
import socket
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
        given = [
            *("--flush", "1s", "--lease", "10s", "--idle", "40s"),
            f"--flink_master={processes.cluster.address}",
            f"--flink_job_server_jar={job_server}",
            f"--environment_config=localhost:{port}",
            "--checkpointing_interval=3000",
            "--min_pause_between_checkpoints=500",
        ]
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
        # State restored from the savepoint: a cold stream would know nothing of what the late events restate.
        with stopped_in_order(processes, subscription, out, given) as said:
            assert any(line.startswith("going on from ") for line in said)
            send(pubsub, topic, bodies(late))
            wait(180, lambda: distinct(out) == backfilled(tmp_path, events + late))
    assert not table(out, "rejects").num_rows
    assert "late" in {row["cause"] for row in revisions(out)}


@contextmanager
def stopped_in_order(processes: Processes, subscription: str, out: Path, given: list[str]) -> Iterator[list[str]]:
    """A stream that runs while the block does, and is then stopped by Ctrl-C; gives what it said until its job ran."""
    with streaming(subscription, out, *given) as process:
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("streaming from "):
                break
        assert said[-1].startswith("streaming from "), "".join(said)
        yield said
        process.send_signal(signals.SIGINT)
        _, rest = process.communicate(timeout=200)
        assert process.returncode == 0, rest
        assert "the next run goes on from " in rest


def last_checkpoint(processes: Processes, name: str) -> int:
    """The number of the last complete checkpoint of the job of a subscription; 0 if there is none."""
    job = processes.cluster.running(f"trueup-trueup-tests-{name}")
    newest = None if job is None else processes.cluster.newest(job.id)
    return 0 if newest is None or newest.path is None else int(newest.path.rsplit("-", 1)[1])
