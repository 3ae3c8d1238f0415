"""`trueup status`: what a folder of tables holds, or how a stream is doing that runs elsewhere (contract: trueup status)."""

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from pipelines.failures import RunError, UsageError
from runners.commands.options import Span, now_micros

if TYPE_CHECKING:
    from collections import Counter

    from runners.engines.flink.cluster import Cluster, Job

_ASKED: Final = 3
_FETCHED: Final = 1.0
"""How often a cluster is asked for what it has measured, and the seconds that it has to fetch it."""
EXAMPLES = """\b
Examples:
  What a folder holds, until when, and what the last runs said:
    trueup status --data record/
  Whether a stream still publishes, for what watches it:
    trueup status --data record/ --max-age 3h
  The streams of a Flink cluster:
    trueup status --flink_master host:8081
"""


@click.command(epilog=EXAMPLES)
@click.option("--data", metavar="DIR", help="What this folder of tables holds.")
@click.option("--flink_master", "--flink-master", metavar="HOST:PORT", help="The streams of a cluster, by its REST interface.")
@click.option("--name", metavar="JOB", help="Of this job alone; of all whose names begin with trueup- unless it is given.")
@click.option("--max-age", type=Span(), metavar="TIME", help="Exit status 1 if nothing was published in DIR for so long.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, of the folder or of each job, on standard output.")
@click.pass_context
def status(
    ctx: click.Context, /, data: str | None, flink_master: str | None, name: str | None, max_age: int | None, as_json: bool
) -> int:
    """Says what a folder holds, or how the streams of a Flink cluster are doing.

    Of a folder: until when, the last runs, rejects, gaps, its size, and whether compaction is due. Of each stream: how old its
    last checkpoint is, how far behind it is, and what it has counted since Flink last started it.
    """
    spoken = {option for option in ctx.params if ctx.get_parameter_source(option) is ParameterSource.COMMANDLINE}
    if flink_master is not None and "data" not in spoken:
        if "max_age" in spoken:
            raise UsageError("--max-age: --data is required with it, the folder that the streams publish to.")
        return _of_streams(flink_master, name, as_json)
    if data is None or flink_master is not None:
        raise UsageError(f"--data: either it or --flink_master is required, got {'none' if data is None else 'both'}.")
    if "name" in spoken:
        raise UsageError("--name: --flink_master is required with it, the cluster of that job.")
    from pipelines.reading.contents import contents
    from runners.words.contents import content_lines, contents_json

    held = contents(data)
    click.echo(json.dumps(contents_json(held)) if as_json else "\n".join(content_lines(held)))
    return 0 if max_age is None or (held.newest is not None and now_micros() - held.newest <= max_age) else 1


def _of_streams(flink_master: str, name: str | None, as_json: bool) -> int:
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

    newest, (watermark, counters) = cluster.newest(job.id), _measured(cluster, job, NAMESPACE)
    return {
        "job": job.id,
        "name": job.name,
        "state": job.state,
        "restarts": cluster.restarts(job.id),
        "checkpoint": None if newest is None else newest.path,
        "checkpoint_age_seconds": None if newest is None else round(newest.age),
        "watermark": None if watermark is None else format_time(watermark // SECOND * SECOND),
        "lag_seconds": None if watermark is None else max(0, now_micros() - watermark) // SECOND,
        "counters": dict(sorted(counters.items())),
    }


def _measured(cluster: "Cluster", job: "Job", namespace: str) -> "tuple[int | None, Counter[str]]":
    """Watermark and counters. Flink fetches what its steps have measured when it is asked, and answers at once with what it had:
    the first answer may be old, or nothing."""
    for _ in range(_ASKED):
        cluster.watermark(job.id)
        time.sleep(_FETCHED)
        watermark, counters = cluster.watermark(job.id), cluster.counters(job.id, namespace)
        if watermark is not None or counters:
            break
    return watermark, counters


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
