"""The forms in which people export the Activity Log, each made from a record of a storage account's export."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from pipelines.simulate.given.settings import LOG_ANALYTICS, REST, STORAGE

_STATUSES: Final = {"Start": "Started", "Accept": "Accepted", "Success": "Succeeded", "Failure": "Failed"}
"""What the REST API calls the results of operations."""
_EVENTS: Final = {"Start": "BeginRequest", "Success": "EndRequest", "Failure": "EndRequest"}


class LogForm(NamedTuple):
    """One form: the names of its files, and how a record is written."""

    folder: str
    """By a subscription, and as a pattern of the hour of receipt."""
    write: Callable[[dict[str, Any]], dict[str, Any]]

    def file_of(self, subscription: str) -> str:
        """The file of a subscription, as a pattern of the hour of receipt."""
        return self.folder.format(subscription.upper())


def as_rest(record: dict[str, Any]) -> dict[str, Any]:
    """The record as the REST API and the command line list it: with an id, a caller, and values that have another in prose."""
    properties, identity = record["properties"], record.get("identity", {})
    category, result, own_id = properties["eventCategory"], record["resultType"], event_id(record)
    resource = properties.get("entity", record["resourceId"])
    more = {"httpRequest": {"clientIpAddress": record["callerIpAddress"]}} if "callerIpAddress" in record else {}
    return {
        "channels": "Operation",
        "correlationId": record["correlationId"],
        "eventDataId": own_id,
        "eventName": _named(_EVENTS.get(result, "")),
        "category": _named(category),
        "eventTimestamp": record["time"],
        "id": f"{resource}/events/{own_id}",
        "level": "Informational",
        "operationId": record.get("operationId", ""),
        "operationName": _named(record["operationName"]),
        "resourceId": resource,
        "status": _named(_STATUSES.get(result, result)),
        "subStatus": _named(""),
        "properties": properties.get("eventProperties", properties),
        **_who(identity),
        **more,
    }


def _named(value: str) -> dict[str, str]:
    return {"value": value, "localizedValue": value}


def _who(identity: dict[str, Any]) -> dict[str, Any]:
    claims = identity.get("claims", {})
    return {"caller": caller_of(claims), "claims": claims} if claims else {}


def caller_of(claims: dict[str, str]) -> str:
    """The caller according to the claims: a person, or a service by its name.

    >>> caller_of({"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/spn": "Microsoft.Insights/autoscaleSettings"})
    'Microsoft.Insights/autoscaleSettings'
    """
    return next(value for name, value in claims.items() if name.endswith(("/upn", "/spn")))


def as_log_analytics(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a line of the table AzureActivity, exported from a workspace."""
    properties, claims = record["properties"], record.get("identity", {}).get("claims", {})
    told = _flat(properties)
    return {
        "TenantId": "t",
        "SourceSystem": "Azure",
        "TimeGenerated": record["time"],
        "OperationName": record["operationName"].split("/")[-2].title(),
        "OperationNameValue": record["operationName"],
        "Level": "Informational",
        "CategoryValue": properties["eventCategory"],
        "ActivityStatusValue": record["resultType"],
        "ActivitySubstatusValue": "",
        "CorrelationId": record["correlationId"],
        "Caller": caller_of(claims) if claims else "",
        "CallerIpAddress": record.get("callerIpAddress", ""),
        "Claims_d": claims,
        "ResourceProviderValue": record["resourceId"].split("/PROVIDERS/")[-1].split("/")[0],
        "_ResourceId": record["resourceId"].lower(),
        "EventDataId": event_id(record),
        "EventSubmissionTimestamp": record["time"],
        "Properties": json.dumps(told),
        "Properties_d": told,
        "Hierarchy": "h",
        "Type": "AzureActivity",
    }


def _flat(properties: dict[str, Any]) -> dict[str, Any]:
    """What the columns of properties hold: of health its values themselves, of autoscale a text of JSON within."""
    if "eventProperties" not in properties:
        return properties
    if properties["eventCategory"] == "Autoscale":
        return properties | {"eventProperties": json.dumps(properties["eventProperties"])}
    return dict(properties["eventProperties"])


def event_id(record: dict[str, Any]) -> str:
    """An id in the form of a GUID that is the same for the same record."""
    text = hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


LOG_FORMS: Final = {
    STORAGE: LogForm(
        "insights-activity-logs/resourceId=/SUBSCRIPTIONS/{}/y=%Y/m=%m/d=%d/h=%H/m=00/PT1H.json", lambda record: record
    ),
    REST: LogForm("activity-log/{}/%Y-%m-%d/%H.json", as_rest),
    LOG_ANALYTICS: LogForm("am-azureactivity/{}/y=%Y/m=%m/d=%d/h=%H/m=00/PT1H.json", as_log_analytics),
}
