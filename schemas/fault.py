"""FaultNotice: the platform says that hardware, network or guest failed (rules: Canonical events)."""

from typing import ClassVar

from schemas.fields import Id
from schemas.signal import CanonicalEvent


class FaultNotice(CanonicalEvent):
    """No operation explains what follows it."""

    kind: ClassVar[str] = "fault"

    annotation: Id
