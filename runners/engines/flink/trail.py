"""Where the state of a stream lies that ran on Flink, noted in its output folder: the next run goes on from there.

A stream that began anew would put a cold start in the place of what is known, since what its last job had read is acknowledged.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.failures import RunError
from pipelines.record.folder import put_over, read_all
from runners.engines.flink.cluster import Cluster, Job, NotFoundError


class LastJob(NamedTuple):
    """What is known of the last job."""

    job: str | None
    """Its id; None: it was about to be handed over, and whether it was is not known."""
    savepoint: str | None
    """With which it was stopped, or, if it was not, from which it went on."""
    stopped: bool
    stream: str = ""
    """The digest of what the stream was told."""
    earlier: tuple[str, ...] = ()
    """Jobs of its name that the cluster knew before it was handed over."""
    checkpoint: str | None = None
    """The last checkpoint of it that a program has seen."""
    recalled: str | None = None
    """The mark by which its source tells that the stream has what backfills had left; None if it began without."""

    def is_one_of(self, jobs: list[Job]) -> Job | None:
        """Which of the jobs of its name it is: the newest one, if only its name is known."""
        named = [job for job in jobs if (job.id == self.job if self.job is not None else job.id not in self.earlier)]
        return max(named, key=lambda job: job.began, default=None)


@dataclass(frozen=True)
class Trail:
    """The note about one subscription in one folder."""

    root: str
    subscription: str

    def note(self, left: LastJob) -> None:
        """Writes it down, in the place of what was noted before."""
        put_over(self.root, self.path, json.dumps({"subscription": self.subscription, **left._asdict()}, indent=1).encode())

    def last(self) -> LastJob | None:
        """What is noted; None if no stream has run yet."""
        for content in read_all(self.root, self.path):
            noted = {name: value for name, value in json.loads(content).items() if name in LastJob._fields}
            return LastJob(**{**noted, "earlier": tuple(noted.get("earlier", ()))})
        return None

    def resumed(self, cluster: Cluster, name: str) -> str | None:
        """The state from which a stream goes on that has no running job; None if none has run yet.

        Args:
            cluster: where its last job ran.
            name: the name of its jobs.

        Raises:
            RunError: one has run, and its state is not to be found.
        """
        left = self.last()
        if left is None or left.stopped:
            return None if left is None else left.savepoint
        job = left.job
        if job is None:
            found = left.is_one_of([each for each in cluster.jobs() if each.name == name])
            if found is None:
                return left.savepoint
            job = found.id
        try:
            newest = cluster.newest(job)
        except NotFoundError:
            seen = "" if left.checkpoint is None else f"; the last one that was seen is {left.checkpoint}"
            raise RunError(
                f"{self.root}: the last checkpoint of job {job} is required (-- --savepoint_path=PATH; it is empty to begin "
                f"anew), since {cluster.address} has forgotten that job{seen}."
            ) from None
        return left.savepoint if newest is None else newest.path

    @property
    def path(self) -> str:
        """The file of the note, below the folder."""
        return f"_trueup/flink/{hashlib.sha256(self.subscription.encode()).hexdigest()[:12]}.json"
