"""Where the state of a stream lies that ran on Flink, noted in its output folder: the next run goes on from there.

A stream that began anew would put a cold start in the place of what is known, since what its last job had read is acknowledged.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.failures import RunError
from pipelines.record.folder import put, read_all
from runners.engines.flink.cluster import Cluster, NotFoundError


class LastJob(NamedTuple):
    """What is known of the last job."""

    job: str
    savepoint: str | None
    """With which it was stopped, or, if it was not, from which it went on."""
    stopped: bool


@dataclass(frozen=True)
class Trail:
    """The note about one subscription in one folder."""

    root: str
    subscription: str

    def note(self, left: LastJob) -> None:
        """Writes it down, in the place of what was noted before."""
        put(self.root, self._path, json.dumps({"subscription": self.subscription, **left._asdict()}, indent=1).encode())

    def resumed(self, cluster: Cluster) -> str | None:
        """The state from which a stream goes on; None if none has run yet.

        Raises:
            RunError: one has run, and its state is not to be found.
        """
        left = self._read()
        if left is None or left.stopped:
            return None if left is None else left.savepoint
        try:
            newest = cluster.newest(left.job)
        except NotFoundError:
            raise RunError(
                f"{self.root}: the last checkpoint of job {left.job} is required (-- --savepoint_path=PATH; it is empty to begin "
                f"anew), since {cluster.address} has forgotten that job."
            ) from None
        return left.savepoint if newest is None else newest.path

    def _read(self) -> LastJob | None:
        for content in read_all(self.root, self._path):
            noted = json.loads(content)
            return LastJob(noted["job"], noted["savepoint"], noted["stopped"])
        return None

    @property
    def _path(self) -> str:
        return f"_trueup/flink/{hashlib.sha256(self.subscription.encode()).hexdigest()[:12]}.json"
