"""OperationRecord: one record of an operation on a scale set or its instances (rules: Canonical events)."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from schemas.fields import Count, FoldedIds, Id, shown
from schemas.policy import Initiator
from schemas.signal import CanonicalEvent
from schemas.wording import nearest

Phase = Literal["started", "progress", "announced", "succeeded", "failed"]
Target = Literal["named", "all", "unnamed"]


def _known(verb: str, info: ValidationInfo) -> str:
    known = (info.context or {})["verbs"]
    if verb not in known:
        came = shown(verb) + nearest(verb, sorted(known))
        raise PydanticCustomError("bad_value", "must be a verb of the policy, got {came}", {"came": came})
    return verb


class OperationRecord(CanonicalEvent):
    """`count`: how many instances the record says that the operation removes."""

    kind: ClassVar[str] = "operation"

    operation_key: Id
    verb: Annotated[Id, AfterValidator(_known)]
    phase: Phase
    initiator: Initiator
    target: Target
    instance_ids: FoldedIds | None = None
    count: Count | None = None

    @model_validator(mode="after")
    def _names_whom_it_names(self) -> "OperationRecord":
        if self.target == "named" and not self.instance_ids:
            raise PydanticCustomError(
                "missing_field", "instance_ids is required where target is named, and it is absent or empty"
            )
        return self

    @property
    def named(self) -> tuple[str, ...] | None:
        """The named instances; None unless the target is `named`."""
        return self.instance_ids if self.target == "named" else None
