"""Records of no format: counted by their shape, with what they look like (contract: Commands).

Of a shape no more is kept than the names of its first fields and of the first file that has it: nobody reads the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

MOST: Final = 256
"""Shapes that are told apart; the records of others are counted together."""
_KEYS: Final = 3
_LOOKED_AT: Final = 64
_LONGEST: Final = 40
"""Characters that are kept of the name of a field."""


class Shape(NamedTuple):
    """How records of no format look."""

    keys: tuple[str, ...]
    """The names of their first fields, in their order."""
    look: str
    """What they may be; "" if that cannot be told."""


class Sighting(NamedTuple):
    """How often a shape was seen, the first file (by name) in which it was, and whether it was in others too."""

    records: int
    file: str
    elsewhere: bool = False


@dataclass
class Unread:
    """Records of no format by shape; adding up is exact, whatever the order, for those shapes that are kept at the end."""

    shapes: dict[Shape, Sighting] = field(default_factory=dict)
    others: int = 0
    """Records of shapes beyond MOST."""

    @property
    def records(self) -> int:
        """All of them."""
        return self.others + sum(seen.records for seen in self.shapes.values())

    def note(self, record: Mapping[str, Any]) -> None:
        """Takes in a record whose file is not told yet; its values may be `msgspec.Raw`."""
        self._add(shape_of(record), Sighting(1, ""))

    def of_file(self, file: str) -> "Unread":
        """The same of a file, whatever bytes its name has."""
        name = file.encode("utf-8", "replace").decode()
        named = Unread({shape: seen._replace(file=name) for shape, seen in self.shapes.items()}, self.others)
        named._keep_first()
        return named

    def __add__(self, other: "Unread") -> "Unread":
        both = Unread(dict(self.shapes), self.others + other.others)
        for shape, seen in other.shapes.items():
            both._add(shape, seen)
        both._keep_first()
        return both

    def _add(self, shape: Shape, seen: Sighting) -> None:
        known = self.shapes.get(shape)
        self.shapes[shape] = seen if known is None else _joined(known, seen)
        if len(self.shapes) > 2 * MOST:
            self._keep_first()

    def _keep_first(self) -> None:
        """Forgets shapes beyond the first MOST: never one that is among these at the end, so what stays is whole."""
        for shape in sorted(self.shapes, key=_rank)[MOST:]:
            self.others += self.shapes.pop(shape).records


def _joined(one: Sighting, other: Sighting) -> Sighting:
    elsewhere = one.elsewhere or other.elsewhere or one.file != other.file
    return Sighting(one.records + other.records, min(one.file, other.file), elsewhere)


def _rank(shape: Shape) -> tuple[bool, Shape]:
    return not shape.look, shape


def shape_of(record: Mapping[str, Any]) -> Shape:
    """The shape of a record.

    >>> shape_of({"DocumentIncarnation": 2, "Events": [], "more": 1, "other": 2}).keys
    ('DocumentIncarnation', 'Events', 'more')
    """
    names = tuple(name[:_LONGEST] for name in islice(record, _LOOKED_AT))
    return _shape(names, _text(record.get("type")).casefold()[:_LONGEST])


def fields_of(text: bytes) -> Mapping[str, Any]:
    """The fields of the text of an object, their values unread."""
    fields: dict[str, Any] = _fields(text)
    return fields


_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@lru_cache(1024)
def _shape(names: tuple[str, ...], type_: str) -> Shape:
    return Shape(names[:_KEYS], _look(frozenset(names), type_))


def _look(names: frozenset[str], type_: str) -> str:
    folded = {name.casefold() for name in names}
    looks = (look for fields, look in _LOOKS if folded.issuperset(fields))
    found = next(looks, "")
    return found or (_RESOURCES if type_.startswith("microsoft.compute/") else "")


def _text(value: Any) -> str:
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    return value if isinstance(value, str) else ""


_ALERT: Final = "an alert: the record that it tells of is needed, from the Activity Log or Event Grid"
_PLANNED: Final = "a machine's scheduled events, which tell what is planned, not what was"
_METRIC: Final = "a metric: health is needed as events, from Event Grid, the Activity Log or Resource Graph"
_NODES: Final = "what Kubernetes (AKS) tells of its nodes: Azure's records of their scale set are needed"
_ELASTIC: Final = "an export of Elastic, which wraps the record: give what is in its event.original"
_SPLUNK: Final = "an export of Splunk, which wraps the record: give what is in its _raw"
_RESOURCES: Final = "what there is in Azure, not what happened: make an inventory of it"
_LOOKS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("schemaid", "data"), _ALERT),
    (("operation name", "correlation id"), "the portal's CSV, which has display names only: export JSON"),
    (("vm_id", "scale_set_id"), "an inventory: give it with --inventory"),
    (("documentincarnation", "events"), _PLANNED),
    (("eventid", "eventstatus", "notbefore"), _PLANNED),
    (("timeseries",), _METRIC),
    (("metricname",), _METRIC),
    (("apiversion", "kind"), _NODES),
    (("involvedobject",), _NODES),
    (("_source",), _ELASTIC),
    (("@timestamp",), _ELASTIC),
    (("preview", "result"), _SPLUNK),
    (("_raw",), _SPLUNK),
    (("timegenerated",), "a table of Log Analytics other than AzureActivity"),
)
"""Names of fields, compared without case, and what a record looks like that has them; the first that fits."""
