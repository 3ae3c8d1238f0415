"""Rows of Resource Graph's HealthResources table, and what Resource Health's own interface lists (contract: Input)."""

from collections.abc import Mapping
from typing import Any, Final

from schemas.azure.health_event import HealthProperties, without_health_tail
from schemas.fields import Anything, Native

PROVIDER: Final = "microsoft.resourcehealth/"
STATUSES: Final = PROVIDER + "availabilitystatuses"
ANNOTATIONS: Final = PROVIDER + "resourceannotations"


class GraphProperties(HealthProperties):
    """What a row says of its target; one interface spells the time so."""

    loose = True
    occured_time: Anything = None

    @property
    def tells(self) -> bool:
        """Whether it says anything of health."""
        return not (self.availability_state is None and self.annotation_name is None)

    @property
    def time(self) -> Any:
        """When it happened."""
        return self.occured_time if self.occurred_time is None else self.occurred_time


class HealthResource(Native):
    """A row: its `properties`, or the same projected flat; where only those were asked for, they tell its kind."""

    loose = True
    id: Anything = None
    type: Anything = None
    properties: GraphProperties = GraphProperties()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "HealthResource":
        """The resource that a row is, whatever was projected."""
        own = cls.model_validate(row)
        if own.properties.tells:
            return own
        flat = GraphProperties.model_validate(row)
        return own.model_copy(update={"properties": flat}) if flat.tells else own

    @property
    def kind(self) -> Any:
        """The type of the row, told by its properties where it is not given."""
        if self.type is not None:
            return self.type
        return ANNOTATIONS if self.properties.availability_state is None else STATUSES

    @property
    def target(self) -> Any:
        """Whose health it is: the target's id, else what stands in the row's own before the provider of health."""
        if self.properties.target_resource_id is not None:
            return self.properties.target_resource_id
        target = without_health_tail(self.id)
        return None if target == self.id else target
