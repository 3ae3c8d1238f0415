"""HealthSignal: what an instance, or the scale set itself, reported (rules: Canonical events)."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from schemas.fields import FoldedId, Id, Time

State = Literal["Available", "Unknown", "Degraded", "Unavailable"]


class CanonicalEvent(BaseModel):
    """What all events have; validated with the context `{"now": microseconds, "verbs": names}`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: ClassVar[str]

    event_id: Id
    scale_set_id: FoldedId
    instance_id: FoldedId | None = None
    time: Time


class HealthSignal(CanonicalEvent):
    """A state of health from `time` on."""

    kind: ClassVar[str] = "signal"

    state: State
