"""Event Grid events, in Event Grid schema and as CloudEvents (contract: Kinds)."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from schemas.fields import Anything, Native, embedded
from schemas.names import content_of, is_nothing

_HEALTH: Final = "microsoft.resourcenotifications.healthresources."
STATUS_CHANGED: Final = frozenset((_HEALTH + "availabilitystatuschanged", _HEALTH + "availabilitystatuseschanged"))
ANNOTATED: Final = _HEALTH + "resourceannotated"
RESOURCE_PHASES: Final = {
    f"microsoft.resources.resource{what}{end}": phase
    for what in ("write", "delete", "action")
    for end, phase in (("success", "succeeded"), ("failure", "failed"), ("cancel", "failed"))
}
"""Case-folded types of resource events, which tell of ends only."""
_TAIL: Final = "/providers/microsoft.resourcehealth/"


class HealthProperties(Native):
    """What a health resource says of its target."""

    target_resource_id: Anything = None
    occurred_time: Anything = None
    availability_state: Anything = None
    annotation_name: Anything = None
    context: Anything = None
    cause: Anything = None
    category: Anything = None
    impact_type: Anything = None

    @property
    def initiated(self) -> Any:
        """Who began it, in Azure's words."""
        return self.cause if self.context is None else self.context

    @property
    def time(self) -> Any:
        """When it happened."""
        return self.occurred_time


class ResourceInfo(Native):
    """The health resource within an event."""

    properties: HealthProperties = HealthProperties()


def claims_in(value: object) -> dict[str, Any]:
    """Claims as an object; what cannot be read is some, without a name.

    >>> claims_in('{"aud": "x"}'), claims_in({"Content": {}}), claims_in("******")
    ({'aud': 'x'}, {}, {'': '******'})
    """
    found = content_of(embedded(value))
    if found is not None:
        return dict(found)
    return {} if is_nothing(value) or value == [] else {"": value}


Claims = Annotated[dict[str, Any], BeforeValidator(claims_in)]
"""Personal data: read for the service principal's name, and for whether there is any (what cannot be read is some)."""


class EventData(Native):
    """The data of a health event (`resourceInfo`) or of a resource event (the rest)."""

    resource_info: ResourceInfo = ResourceInfo()
    correlation_id: Anything = None
    operation_name: Anything = None
    resource_uri: Anything = None
    claims: Claims = Field(default_factory=dict)


class Envelope(Native):
    """An event in either schema: `eventType` and `eventTime` in the one, `type` and `time` in the other."""

    id: Anything = None
    subject: Anything = None
    event_type: Anything = None
    event_time: Anything = None
    type: Anything = None
    time: Anything = None
    data: EventData = EventData()

    @property
    def is_event_grid(self) -> bool:
        """Whether the envelope is of Event Grid's own schema."""
        return self.event_type is not None

    @property
    def kind(self) -> Any:
        """What the envelope says it is."""
        return self.event_type if self.is_event_grid else self.type

    @property
    def target(self) -> Any:
        """The annotated or reported resource: the target's id, else the subject without its provider tail."""
        target = self.data.resource_info.properties.target_resource_id
        return without_health_tail(self.subject) if target is None else target


def without_health_tail(subject: Any) -> Any:
    """A resource id without the tail that names one of its health resources.

    >>> without_health_tail("/a/b/providers/Microsoft.ResourceHealth/availabilityStatuses/current")
    '/a/b'
    """
    if not isinstance(subject, str):
        return subject
    at = subject.lower().find(_TAIL)
    return subject if at < 0 else subject[:at]
