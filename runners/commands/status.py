"""`trueup status`: how a stream is doing that runs elsewhere (contract: trueup status)."""

import json
from typing import TYPE_CHECKING, Any

import click

from pipelines.failures import RunError
from runners.commands.options import now_micros

if TYPE_CHECKING:
    from runners.engines.flink.cluster import Cluster, Job

EXAMPLES = """\b
Examples:
  The streams of a Flink cluster:
    trueup status --flink_master host:8081
"""


@click.command(epilog=EXAMPLES)
@click.option("--flink_master", "--flink-master", metavar="HOST:PORT", required=True, help="The cluster's REST interface.")
@click.option("--name", metavar="JOB", help="Of this job alone; of all whose names begin with trueup- unless it is given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job on standard output.")
def status(flink_master: str, name: str | None, as_json: bool) -> int:
    """Says of each stream how old its last checkpoint is, how far behind it is, and what it has counted.

    Counts begin anew whenever Flink starts the job again.
    """
    from runners.engines.flink.cluster import ENDED, Cluster
    from runners.engines.flink.options import master_of

    cluster = Cluster(master_of([f"--flink_master={flink_master}"]))
    jobs = [job for job in cluster.jobs() if job.state not in ENDED]
    wanted = [job for job in jobs if (job.name == name if name else job.name.startswith("trueup-"))]
    if not wanted:
        raise RunError(f"{cluster.address}: a running job {name or 'of trueup'} is required, got none.")
    for job in wanted:
        told = _told(cluster, job)
        click.echo(json.dumps(told) if as_json else "\n".join(_lines(told)))
    return 0


def _told(cluster: "Cluster", job: "Job") -> dict[str, Any]:
    from schemas.time import SECOND, format_time
    from transforms.counters import NAMESPACE

    newest, watermark = cluster.newest(job.id), cluster.watermark(job.id)
    return {
        "job": job.id,
        "name": job.name,
        "state": job.state,
        "restarts": cluster.restarts(job.id),
        "checkpoint": None if newest is None else newest.path,
        "checkpoint_age_seconds": None if newest is None else round(newest.age),
        "watermark": None if watermark is None else format_time(watermark // SECOND * SECOND),
        "lag_seconds": None if watermark is None else max(0, now_micros() - watermark) // SECOND,
        "counters": dict(sorted(cluster.counters(job.id, NAMESPACE).items())),
    }


def _lines(told: dict[str, Any]) -> list[str]:
    counters = ", ".join(f"{name} {number:,}" for name, number in told["counters"].items()) or "none yet"
    return [
        f"{told['name']}: {told['state']}, job {told['job']}, restarts: {told['restarts']}",
        f"  last checkpoint: {_ago(told['checkpoint_age_seconds'])}{' ago' if told['checkpoint'] else ''}",
        f"  watermark: {told['watermark'] or 'none yet'}, {_ago(told['lag_seconds'])} behind",
        f"  counted since it was last started: {counters}",
    ]


def _ago(seconds: int | None) -> str:
    return "none yet" if seconds is None else f"{seconds:,} s"
