"""A backfill on a Flink cluster: its workers are those of the pools, and the job server ends with the program."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from runners.engines.flink.cluster import Cluster
from runners.engines.flink.job_server import job_server
from runners.engines.flink.options import flink_batch_options, master_of


@contextmanager
def flink_batch(given: Sequence[str], name: str, folder: str) -> Iterator[list[str]]:
    """The options with which graphs run on the cluster while the block does.

    Args:
        given: the user's options.
        name: of the jobs, where the user gives none.
        folder: a temporary one of this machine.

    Raises:
        UsageError: no cluster is named.
        RunError: it does not answer, or there is no job server.
    """
    cluster = Cluster(master_of(given))
    with job_server(flink_batch_options(given, cluster.configuration(), name), folder) as options:
        yield options
