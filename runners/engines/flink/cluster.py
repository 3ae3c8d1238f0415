"""A Flink cluster, by the REST interface of its JobManager."""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pipelines.failures import RunError

ENDED: Final = frozenset({"FINISHED", "CANCELED", "FAILED"})
"""States that a job does not leave."""
FORGOTTEN: Final = "SUSPENDED"
"""The state of a job that waits for another JobManager, or of which this one knows nothing."""
_ANSWER: Final = 10.0
_TURN: Final = 0.5
_NOT_FOUND: Final = 404
_NO_TIME: Final = -(2**62)
"""Milliseconds before which no watermark is one: a step has told none yet; and beyond which a step has ended."""
_ALL_TIME: Final = 2**53


class Configuration(NamedTuple):
    """What a cluster has been told; None where it has not."""

    version: str
    checkpoints: str | None = None
    """The folder of checkpoints."""
    savepoints: str | None = None
    """The folder of savepoints."""
    backend: str | None = None
    restarts: str | None = None
    """How often jobs are started again: a strategy."""


class Job(NamedTuple):
    """A job as the cluster lists it."""

    id: str
    name: str
    state: str
    began: int
    """Milliseconds since the epoch."""


class FlinkCheckpoint(NamedTuple):
    """The newest checkpoint or savepoint that is complete."""

    path: str | None
    """Where it is, if it outlives its job."""
    age: float
    """Seconds."""


@dataclass(frozen=True)
class Cluster:
    """The JobManager at an address like http://host:8081."""

    address: str

    def configuration(self) -> Configuration:
        """What the cluster has been told; of each option the names of Flink 1.20 and later, then the older one.

        Raises:
            RunError: it does not answer.
        """
        told = {each["key"]: each["value"] for each in self._get("/jobmanager/config")}
        return Configuration(
            self._get("/config")["flink-version"],
            _told(told, "execution.checkpointing.dir", "state.checkpoints.dir"),
            _told(told, "execution.checkpointing.savepoint-dir", "state.savepoints.dir"),
            _told(told, "state.backend.type", "state.backend"),
            _told(told, "restart-strategy.type", "restart-strategy"),
        )

    def task_managers(self) -> list[str]:
        """The ids of those that are registered."""
        return [each["id"] for each in self._get("/taskmanagers")["taskmanagers"]]

    def running(self, name: str) -> Job | None:
        """The job of a name that has not ended; the newest one."""
        return max((job for job in self.jobs() if job.name == name and job.state not in ENDED), key=_began, default=None)

    def jobs(self) -> list[Job]:
        """All that the cluster remembers."""
        return [Job(each["jid"], each["name"], each["state"], each["start-time"]) for each in self._get("/jobs/overview")["jobs"]]

    def state(self, job: str) -> str:
        """The state of a job; FORGOTTEN if the cluster does not know it."""
        return next((each.state for each in self.jobs() if each.id == job), FORGOTTEN)

    def failure(self, job: str) -> str:
        """Why a job failed, one line."""
        return str(self._get(f"/jobs/{job}/exceptions?maxExceptions=1").get("root-exception") or "unknown").splitlines()[0]

    def newest(self, job: str) -> FlinkCheckpoint | None:
        """The newest complete checkpoint of a job, or savepoint; None if there is none.

        Raises:
            NotFoundError: the cluster has forgotten the job.
        """
        latest = self._get(f"/jobs/{job}/checkpoints")["latest"]
        known = [each for each in (latest.get("completed"), latest.get("savepoint")) if each]
        if not known:
            return None
        last = max(known, key=lambda each: int(each["latest_ack_timestamp"]))
        path = str(last.get("external_path") or "")
        return FlinkCheckpoint(path if ":/" in path else None, max(0.0, time.time() - last["latest_ack_timestamp"] / 1000))

    def restarts(self, job: str) -> int:
        """How often a job was started again."""
        return int(next((each["value"] for each in self._get(f"/jobs/{job}/metrics?get=numRestarts")), 0))

    def watermark(self, job: str) -> int | None:
        """How far event time has come in the slowest step of a job, microseconds; None before any has told."""
        told = [int(each["value"]) for vertex in self._vertices(job) for each in self._get(f"{vertex}/watermarks")]
        return min((moment * 1000 for moment in told if _NO_TIME < moment < _ALL_TIME), default=None)

    def counters(self, job: str, namespace: str) -> Counter[str]:
        """Beam's counters of a namespace since the job was last started again, summed over its steps."""
        counts: Counter[str] = Counter()
        for vertex in self._vertices(job):
            path = f"{vertex}/subtasks/metrics"
            # Flink puts `_` in the place of the dot that Beam sets between namespace and name.
            named = [(each["id"], re.search(rf"\.{namespace}_([^.]+)$", each["id"])) for each in self._get(path)]
            for name, found in ((name, found) for name, found in named if found is not None):
                summed = self._get(f"{path}?agg=sum&get={urllib.parse.quote(name, safe='')}")
                counts[found[1]] += sum(int(each["sum"]) for each in summed)
        return counts

    def _vertices(self, job: str) -> list[str]:
        return [f"/jobs/{job}/vertices/{each['id']}" for each in self._get(f"/jobs/{job}")["vertices"]]

    def stop(self, job: str, folder: str | None, seconds: float) -> str:
        """Stops a job with a savepoint; gives the path of the savepoint.

        Args:
            job: its id.
            folder: where savepoints go; None: where the cluster has been told.
            seconds: how long it may take.

        Raises:
            RunError: it could not; the job goes on, unless it has ended meanwhile.
        """
        # Not with `drain`: it sends the watermark to infinity, so that all windows close, and what comes later would be late.
        request = {"drain": False, **({} if folder is None else {"targetDirectory": folder})}
        trigger = self._get(f"/jobs/{job}/stop", request)["request-id"]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answer = self._get(f"/jobs/{job}/savepoints/{trigger}")
            if answer["status"]["id"] == "COMPLETED":
                return _location(answer["operation"])
            time.sleep(_TURN)
        raise RunError(f"{self.address}: a savepoint within {seconds:.0f} s is required, and is not there.")

    def cancel(self, job: str) -> None:
        """Ends a job without a savepoint."""
        self._get(f"/jobs/{job}", {}, "PATCH")

    def _get(self, path: str, given: Any = None, method: str | None = None) -> Any:
        body = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(
            self.address.rstrip("/") + path, body, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                kind = NotFoundError if error.code == _NOT_FOUND else RunError
                raise kind(f"{self.address}: Flink refuses: {_said(error.read())}") from None
        except (OSError, ValueError):
            raise RunError(f"--flink_master: a JobManager of Flink must answer at {self.address}, and does not.") from None


class NotFoundError(RunError):
    """The cluster does not know, or no longer, what it is asked for."""


def _told(told: Mapping[str, str], *names: str) -> str | None:
    return next((told[name] for name in names if told.get(name)), None)


def _began(job: Job) -> int:
    return job.began


def _location(operation: Mapping[str, Any]) -> str:
    if "location" in operation:
        return str(operation["location"])
    raise RunError(f"Flink: a savepoint is required, and failed: {_cause(str(operation['failure-cause'].get('stack-trace')))}")


def _cause(trace: str) -> str:
    """The innermost cause, without what stands around it."""
    causes = [line for line in trace.splitlines() if line and not line.startswith(("\t", " "))]
    return causes[-1].removeprefix("Caused by: ").rstrip(".") + "." if causes else "unknown."


def _said(body: bytes) -> str:
    """The last of the errors in an answer; the first line of it."""
    try:
        lines = [line for text in json.loads(body)["errors"] for line in str(text).splitlines() if line]
    except (ValueError, KeyError, TypeError):
        lines = []
    causes = [line.removeprefix("Caused by: ") for line in lines if not line.startswith(("\t", " ", "<", "End of"))]
    return causes[-1].rstrip(".") + "." if causes else "unknown."
