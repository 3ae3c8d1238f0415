"""Inputs: the files that a command reads, or the sentence that says why it cannot."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pipelines.failures import RunError
from transforms.files.shards import FileVersion, InputError, Plan, plan_shards


def planned(patterns: Sequence[str], known: Mapping[str, FileVersion] = MappingProxyType({})) -> Plan:
    """What is to be read; not files that are known already, and still the same.

    Raises:
        RunError: a pattern matches no file that holds events, or a file cannot be opened.
    """
    try:
        return plan_shards(patterns, known)
    except InputError as error:
        raise RunError(f"{error}.") from None
