"""Inputs: the files that a command reads, or the sentence that says why it cannot."""

from collections.abc import Sequence

from pipelines.failures import RunError
from transforms.files.shards import InputError, Plan, plan_shards


def planned(patterns: Sequence[str]) -> Plan:
    """What is to be read.

    Raises:
        RunError: a pattern matches no file that holds events, or a file cannot be opened.
    """
    try:
        return plan_shards(patterns)
    except InputError as error:
        raise RunError(f"{error}.") from None
