"""Why a record gives no event: it is ignored by kind, or rejected with a reason and one sentence
(contract: Order of checks, Rejected)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from schemas.fields import shown

_KIND: Final = re.compile(r"[a-z0-9][a-z0-9 ._:/#-]{0,99}", re.ASCII)


class IgnoredRecord(Exception):  # noqa: N818 - it is an answer, not an error
    """The record is of no interest; `kind` is what it is counted by."""

    def __init__(self, kind: str, *, health: bool = False, unplaced: bool = False) -> None:
        super().__init__(kind)
        self.kind, self.health, self.unplaced = kind, health, unplaced


class RejectedRecord(Exception):  # noqa: N818 - it is an answer, not an error
    """The record cannot be taken in: a reason of schemas.tables.reject.REASONS, and what was required and what came."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def ignored_kind(family: str, name: object) -> str:
    """The kind of an ignored record: short plain text, so that nothing else of a record gets into the counts.

    >>> ignored_kind("operation", "Microsoft.Web/sites/write"), ignored_kind("operation", None)
    ('operation:microsoft.web/sites/write', 'operation:none')
    >>> ignored_kind("type", "someone@example.com")
    'type:other'
    """
    if name is None:
        return f"{family}:none"
    text = name.casefold() if isinstance(name, str) else ""
    return f"{family}:{text if _KIND.fullmatch(text) else 'other'}"


def missing(name: str) -> RejectedRecord:
    """The rejection of a record of a known kind that lacks a field."""
    return RejectedRecord("missing_field", f"{name} is required, and it is absent")


def rejected_by(error: ValidationError, names: Mapping[str, str]) -> RejectedRecord:
    """The rejection that a canonical model's first error means; `names` says what its fields are called in the record."""
    first: Any = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    name = names.get(name, name)
    if first["type"] == "missing":
        return missing(name)
    if first["type"] == "literal_error":
        return RejectedRecord("bad_value", f"{name} must be {first['ctx']['expected']}, got {shown(first['input'])}")
    reason = first["type"] if first["type"] in ("missing_field", "bad_time") else "bad_value"
    return RejectedRecord(reason, f"{name} {first['msg']}" if name else first["msg"])
