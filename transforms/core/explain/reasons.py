"""Why an excuse ends when it does, told from the row alone (rules: Limit, Extended)."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from transforms.core.explain.explanation import Part


class Reason(Enum):
    """What set the limit of an excuse."""

    OWN = auto()
    """The operation's own end."""
    DEADLINE = auto()
    """Its verb's deadline: its end is not known."""
    POSSIBLE = auto()
    """Nothing says that the operation is on this instance."""
    LONGEST = auto()
    """No chain of operations excuses longer."""
    EXTENDED = auto()
    """Operations that followed."""
    FAULT = auto()
    """A notice of the platform that something really failed."""


def reason_of(part: Part, policy: Mapping[str, Any]) -> Reason:
    """What set the limit of some attributions that have the same one.

    Args:
        part: with a cause and a limit.
        policy: the one that the rows were made with, as plain values.
    """
    assert part.cause is not None  # so says the caller
    assert part.limit is not None
    limit = part.limit[1]
    own = own_limit(part, policy)
    if limit == own:
        return Reason.DEADLINE if part.cause.end is None else Reason.OWN
    if limit - part.onset[0] == policy["possible_excuse"]:
        return Reason.POSSIBLE
    if limit - part.onset[0] == policy["max_excuse"]:
        return Reason.LONGEST
    if own is not None and limit < own:
        return Reason.FAULT if part.verdict == "overrun" else Reason.POSSIBLE
    return Reason.EXTENDED


def own_limit(part: Part, policy: Mapping[str, Any]) -> int | None:
    """The limit of the operation itself; None if its verb is not in the policy."""
    assert part.cause is not None
    verb = policy["verbs"].get(part.cause.verb)
    if part.cause.end is None:
        return None if verb is None else part.cause.start + int(verb["deadline"]) + int(policy["settle"])
    return part.cause.end + int(policy["settle"])
