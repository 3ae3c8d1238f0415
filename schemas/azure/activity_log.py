"""Activity Log records, in REST and in export schema, and rows of Log Analytics (contract: Input)."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from schemas.azure.action import SERVICE_PRINCIPAL
from schemas.azure.health_event import Claims
from schemas.fields import Anything, Label, Native, embedded, shown, whole_number
from schemas.names import content_of, is_nothing, pick


class HealthChange(Native):
    """The properties of a ResourceHealth record, in both vocabularies."""

    loose = True
    current_health_status: Anything = None
    health_status: Anything = None
    details: Anything = None
    context: Anything = None
    cause: Anything = None

    @property
    def status(self) -> Any:
        """The state of health; None means unchanged."""
        return self.health_status if self.current_health_status is None else self.current_health_status

    @property
    def initiated(self) -> Any:
        """Who began it, in Azure's words."""
        return self.cause if self.context is None else self.context


class Scaling(Native):
    """The properties of an Autoscale record."""

    model_config = ConfigDict(alias_generator=to_pascal)
    loose = True

    resource_name: Anything = None
    old_instances_count: Anything = None
    new_instances_count: Anything = None

    @property
    def removes(self) -> int | None:
        """How many instances fewer there are to be, if it says so.

        Raises:
            ValueError: a count is there and is no whole number; the message names it.
        """
        counts = {"OldInstancesCount": self.old_instances_count, "NewInstancesCount": self.new_instances_count}
        numbers = {name: whole_number(value) for name, value in counts.items() if value is not None}
        for name, number in numbers.items():
            if number is None:
                raise ValueError(f"{name} must be a whole number, got {shown(counts[name])}")
        old, new = numbers.get("OldInstancesCount"), numbers.get("NewInstancesCount")
        return None if old is None or new is None or old <= new else old - new


class Identity(Native):
    """Who called, in export schema."""

    loose = True
    claims: Claims = Field(default_factory=dict)


class ActivityRecord(Native):
    """What both schemas have."""

    loose = True
    correlation_id: Anything = None
    operation_name: Label = None
    resource_id: Anything = None
    status: Label = None
    result_type: Label = None
    caller: Anything = None
    claims: Claims = Field(default_factory=dict)
    identity: Identity | None = None
    category: Label = None
    properties: Anything = None

    @property
    def own(self) -> dict[str, Any]:
        """`properties` as an object."""
        return content_of(embedded(self.properties)) or {}

    @property
    def callers(self) -> tuple[object, ...]:
        """The names by which autoscale could be known: compared, never kept."""
        return self.caller, self.claims.get(SERVICE_PRINCIPAL), self._others.get(SERVICE_PRINCIPAL)

    @property
    def is_anonymous(self) -> bool:
        """Whether neither a caller nor a claim is told."""
        return self.caller is None and not self.claims and not self._others

    @property
    def _others(self) -> dict[str, Any]:
        """The claims of who called, in export schema."""
        return {} if self.identity is None else self.identity.claims

    def body(self) -> object:
        """The request body, in either spelling."""
        return pick(self.own, "requestbody", "requestBody")


class RestRecord(ActivityRecord):
    """A record of the REST interface."""

    event_data_id: Anything = None
    id: Anything = None
    event_timestamp: Anything = None

    @property
    def event_id(self) -> Any:
        """Its own id, in the one spelling or the other."""
        return self.id if self.event_data_id is None else self.event_data_id

    @property
    def event_category(self) -> Any:
        """What tells the kind."""
        return self.category

    @property
    def told(self) -> dict[str, Any]:
        """What a health or autoscale record tells."""
        return self.own

    @property
    def outcome(self) -> Any:
        """What tells the phase."""
        return self.result_type if self.status is None else self.status


class ExportRecord(ActivityRecord):
    """A record of a diagnostic setting: it has no id of its own."""

    time: Anything = None

    @property
    def event_category(self) -> Any:
        """What tells the kind: the event's own category, else the record's where that is one of two, else Administrative."""
        own = pick(self.own, "eventCategory")
        if not is_nothing(own):
            return own
        named = isinstance(self.category, str) and self.category.casefold() in ("resourcehealth", "autoscale")
        return self.category if named else "Administrative"

    @property
    def told(self) -> dict[str, Any]:
        """What REST has in `properties`."""
        told = content_of(embedded(pick(self.own, "eventProperties")))
        return self.own if told is None else told

    @property
    def outcome(self) -> Any:
        """What tells the phase."""
        return self.status if self.result_type is None else self.result_type


LOG_ANALYTICS: Final = {
    "time": ("TimeGenerated",),
    "operationName": ("OperationNameValue",),
    "resultType": ("ActivityStatusValue", "ActivityStatus"),
    "category": ("CategoryValue", "Category"),
    "resourceId": ("_ResourceId", "ResourceId"),
    "correlationId": ("CorrelationId",),
    "caller": ("Caller",),
    "claims": ("Claims_d", "Claims"),
    "properties": ("Properties_d", "Properties"),
    "eventDataId": ("EventDataId",),
}
"""What Log Analytics calls the fields of the export schema, first names first; the last one only it has."""


class LogRow(ExportRecord):
    """A row of the table AzureActivity, which has an id, and a category that counts."""

    event_data_id: Anything = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "LogRow":
        """The record that a row is, columns in any spelling."""
        return cls.model_validate({name: pick(row, *columns) for name, columns in LOG_ANALYTICS.items()})

    @property
    def event_category(self) -> Any:
        """What tells the kind: the row's category, else as in the export schema."""
        return super().event_category if self.category is None else self.category
