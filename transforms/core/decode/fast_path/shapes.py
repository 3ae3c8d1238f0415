"""What the columnar decoder reads of a record: every field that any format needs, typed as it ordinarily comes.

A record with another type in one of these fields is not ordinary: msgspec refuses it, and `record.py` reads it. Of a known
record all other fields are known as well (contract: Formats), which msgspec tells as it decodes: none spells a name otherwise,
and nothing in it is nested deep but what is kept raw.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from schemas.azure.activity_log import LOG_ANALYTICS

Text = str | None
Number = int | str | None
Plain = str | int | float | bool | None


class LocalizedText(msgspec.Struct, gc=False):
    """A text with a localised one beside it."""

    value: Text = None


Label = LocalizedText | str | None


NO_RAW: Final = msgspec.Raw()
EMPTY: Final = (b"", b"null", b'""')
"""Raw fields that are absent."""


class IdentityShape(msgspec.Struct, gc=False):
    """Who called, in export schema."""

    claims: msgspec.Raw = NO_RAW


class EventProperties(msgspec.Struct, gc=False, rename="camel"):
    """The fields of a health or autoscale record."""

    current_health_status: Text = None
    health_status: Text = None
    details: Text = None
    context: Text = None
    cause: Text = None
    resource_name: Text = msgspec.field(name="ResourceName", default=None)
    old_instances_count: Number = msgspec.field(name="OldInstancesCount", default=None)
    new_instances_count: Number = msgspec.field(name="NewInstancesCount", default=None)


class Properties(EventProperties, gc=False, rename="camel"):
    """The properties of an Activity Log record or a health resource."""

    target_resource_id: Text = None
    occurred_time: Text = None
    availability_state: Text = None
    annotation_name: Text = None
    category: Text = None
    impact_type: Text = None
    event_category: Text = None
    event_properties: EventProperties | None = None
    requestbody: msgspec.Raw = NO_RAW
    request_body: msgspec.Raw = NO_RAW


class ResourceInfoShape(msgspec.Struct, gc=False):
    """The health resource within an Event Grid event."""

    properties: Properties | None = None


class Data(msgspec.Struct, gc=False, rename="camel"):
    """The data of an Event Grid event."""

    resource_info: ResourceInfoShape | None = None
    correlation_id: Text = None
    operation_name: Text = None
    resource_uri: Text = None
    claims: msgspec.Raw = NO_RAW


class Record(msgspec.Struct, gc=False, rename="camel"):
    """A record of any format."""

    id: Text = None
    data: Data | None = None
    type: Text = None
    specversion: Text = None
    event_type: Text = None
    event_time: Text = None
    subject: Text = None
    time: Text = None
    caller: Text = None
    claims: msgspec.Raw = NO_RAW
    correlation_id: Text = None
    event_data_id: Text = None
    category: Label = None
    event_timestamp: Text = None
    operation_name: Label = None
    resource_id: Text = None
    status: Label = None
    result_type: Label = None
    identity: IdentityShape | None = None
    properties: Properties | None = None
    kind: Text = None
    event_id: Text = msgspec.field(name="event_id", default=None)
    scale_set_id: Text = msgspec.field(name="scale_set_id", default=None)
    instance_id: Text = msgspec.field(name="instance_id", default=None)
    state: Text = None
    annotation: Text = None
    operation_key: Text = msgspec.field(name="operation_key", default=None)
    verb: Text = None
    phase: Text = None
    initiator: Text = None
    target: Text = None
    instance_ids: list[str | None] | None = msgspec.field(name="instance_ids", default=None)
    count: int | None = None


LogRow: Final = msgspec.defstruct(
    "LogRow",
    [
        (
            name,
            msgspec.Raw if field == "claims" else Properties | Text if field == "properties" else Text,
            NO_RAW if field == "claims" else None,
        )
        for field, names in LOG_ANALYTICS.items()
        for name in names
    ],
    gc=False,
)
"""A row of Log Analytics, by its exact columns."""


def _known(base: type[msgspec.Struct], unread: str = "", **typed: Any) -> Any:
    """A shape without other fields than its own, which some typed ones replace, and those that are known and not read."""
    fields = [*((name, type | None, None) for name, type in typed.items()), *((name, Plain, None) for name in unread.split())]
    return msgspec.defstruct(f"Known{base.__name__}", fields, bases=(base,), forbid_unknown_fields=True, gc=False)


_Evidence: Final = _known(msgspec.Struct, "role roleAssignmentScope roleAssignmentId roleDefinitionId principalId principalType")
_Authorization: Final = _known(msgspec.Struct, "action scope", evidence=_Evidence)
_Request: Final = _known(msgspec.Struct, "clientRequestId clientIpAddress method url uri")
_Operational: Final = _known(msgspec.Struct, "resourceEventTime")
_Label: Final = _known(LocalizedText, "localizedValue") | str
_Told: Final = _known(EventProperties, "title previousHealthStatus type")
_Properties: Final = _known(
    Properties,
    "targetResourceType previousAvailabilityState reason summary"
    " eventName entity message hierarchy statusCode statusMessage serviceRequestId responseBody"
    " Description LastScaleActionTime stage title type previousHealthStatus"
    " healthEventType healthEventCause healthEventCategory",
    event_properties=_Told,
)
_Health: Final = _known(_Properties, requestbody=type(None), request_body=type(None))
_ResourceInfo: Final = _known(ResourceInfoShape, "id name type", properties=_Health)
_Data: Final = _known(
    Data,
    "apiVersion resourceProvider status subscriptionId tenantId",
    resource_info=_ResourceInfo,
    operationalInfo=_Operational,
    authorization=_Authorization,
    httpRequest=_Request,
)
KnownRecord: Final = _known(
    Record,
    "source topic dataVersion metadataVersion channels description level operationId resourceGroupName submissionTimestamp"
    " subscriptionId tenantId resultSignature durationMs callerIpAddress location Level operationVersion",
    data=_Data,
    category=_Label,
    operation_name=_Label,
    status=_Label,
    result_type=_Label,
    identity=_known(IdentityShape, authorization=_Authorization),
    properties=_Properties,
    eventName=_Label,
    resourceProviderName=_Label,
    resourceType=_Label,
    subStatus=_Label,
    authorization=_Authorization,
    httpRequest=_Request,
    relatedEvents=list[str],
)
"""A `Record` of the fields that Azure's documentation and samples have."""


NONE: Final = Properties()
"""Properties of a record that has none: read only."""


def texts(labels: Sequence[Label]) -> list[Text]:
    """The texts of labels; "" counts as nothing."""
    return [(label.value if isinstance(label, LocalizedText) else label) or None for label in labels]
