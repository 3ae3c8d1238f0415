"""Rows of Resource Graph's HealthResources table (contract.md "Input")."""

from typing import Any, Final

from schemas.fields import Anything, Native
from schemas.health_event import HealthProperties

PROVIDER: Final = "microsoft.resourcehealth/"
STATUSES: Final = PROVIDER + "availabilitystatuses"
ANNOTATIONS: Final = PROVIDER + "resourceannotations"


class HealthResource(Native):
    """A row; where only `properties` was asked for, they tell its kind."""

    type: Anything = None
    properties: HealthProperties = HealthProperties()

    @property
    def kind(self) -> Any:
        """The type of the row, told by its properties where it is not given."""
        if self.type is not None:
            return self.type
        return ANNOTATIONS if self.properties.availability_state is None else STATUSES
