"""The inventory: which virtual machine belonged to which Flexible scale set, and when (contract: Inventory)."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.azure.resource import Place, VirtualMachine, parse_resource
from schemas.fields import shown
from schemas.names import is_nothing
from schemas.time import NEVER, to_micros
from schemas.timestamp import parse_time
from schemas.wording import first_line

ALWAYS: Final = -NEVER
"""Start of a row without `valid_from`."""


Row = tuple[str, dict[str, Any]]
"""A row of an inventory file, with where it stands: "line 3"."""


class InventoryError(ValueError):
    """The inventory is wrong; the message says where, what was required and what came."""


class Belonging(NamedTuple):
    """One row: the place holds in [valid_from, valid_to), microseconds."""

    valid_from: int
    valid_to: int
    place: Place


class Inventory:
    """Places of virtual machines by case-folded id."""

    def __init__(self, rows: dict[str, tuple[Belonging, ...]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    @property
    def digest(self) -> str:
        """Equal for inventories with the same rows."""
        return hashlib.sha256(repr(sorted(self._rows.items())).encode()).hexdigest()[:16]

    def rows_of(self, vm_id: str) -> tuple[Belonging, ...]:
        """The rows of one machine (id case-folded), latest `valid_from` first."""
        return self._rows.get(vm_id, ())

    def sizes(self, time: int) -> dict[str, int]:
        """How many machines each scale set has at a time (microseconds); 0 for one that has some at other times only."""
        named = {row.place.scale_set_id: 0 for rows in self._rows.values() for row in rows}
        places = (self.place(vm_id, time) for vm_id in self._rows)
        return named | Counter(place.scale_set_id for place in places if place is not None)

    def place(self, vm_id: str, time: int) -> Place | None:
        """Whose the machine is at a time (microseconds): of the rows that hold, the one with the latest `valid_from`."""
        return next((row.place for row in self.rows_of(vm_id) if row.valid_from <= time < row.valid_to), None)


def inventory_of(rows: Iterable[Row], name: str = "inventory") -> Inventory:
    """The inventory of rows, each with where it stands ("line 3").

    Raises:
        InventoryError: a row lacks `vm_id` or `scale_set_id`, an id is of another resource, or a time is none.
    """
    places: dict[str, list[Belonging]] = {}
    for where, row in rows:
        vm_id, belonging = _belonging(f"{name}: {where}", row)
        places.setdefault(vm_id, []).append(belonging)
    return Inventory({vm_id: _latest_first(found) for vm_id, found in places.items()})


def parse_inventory(data: bytes, name: str) -> Inventory:
    """The inventory of a file's bytes; its name says whether it is CSV, JSON lines or Parquet.

    Raises:
        InventoryError: the file is none of these, lacks a column, or a row is wrong.
    """
    ending = name.rpartition(".")[2].lower()
    if ending not in _READERS:
        raise InventoryError(f"{name}: an inventory must be a .csv, .jsonl or .parquet file")
    try:
        return inventory_of(_READERS[ending](data, name), name)
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError, RecursionError, pa.ArrowException) as error:
        raise InventoryError(f"{name}: {ending.upper()} is required, and it cannot be read: {first_line(error)}") from None


def _latest_first(rows: list[Belonging]) -> tuple[Belonging, ...]:
    """By latest `valid_from`; of rows with the same, the last one given."""
    ranked = sorted(enumerate(rows), key=lambda pair: (pair[1].valid_from, pair[0]), reverse=True)
    return tuple(row for _, row in ranked)


def _belonging(where: str, row: dict[str, Any]) -> tuple[str, Belonging]:
    machine = _resource(where, row, "vm_id", VirtualMachine, "a virtual machine")
    place = _resource(where, row, "scale_set_id", Place, "a scale set")
    if place.instance_id is not None:
        raise InventoryError(f"{where}: scale_set_id must be the resource id of a scale set, got one of its instances")
    begin, end = _moment(where, row, "valid_from", ALWAYS), _moment(where, row, "valid_to", NEVER)
    if end < begin:
        raise InventoryError(f"{where}: valid_to must not lie before valid_from")
    return machine.vm_id, Belonging(begin, end, Place(place.scale_set_id, machine.name))


def _resource(where: str, row: dict[str, Any], column: str, kind: type, what: str) -> Any:
    value = row.get(column)
    if is_nothing(value):
        raise InventoryError(f"{where}: {column} is required, and it is absent")
    resource = parse_resource(value) if isinstance(value, str) else None
    if not isinstance(resource, kind):
        raise InventoryError(f"{where}: {column} must be the resource id of {what}, got {shown(value)}")
    return resource


def _moment(where: str, row: dict[str, Any], column: str, absent: int) -> int:
    value = row.get(column)
    if is_nothing(value):
        return absent
    if isinstance(value, datetime):
        return to_micros(value if value.tzinfo else value.replace(tzinfo=UTC))
    try:
        return parse_time(str(value).strip())
    except ValueError:
        raise InventoryError(f"{where}: {column} must be a time like 2026-10-01T00:00:00Z, got {shown(value)}") from None


def _csv_rows(data: bytes, name: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    _need_columns(reader.fieldnames or (), name)
    for row in reader:
        yield f"line {reader.line_num}", row


def _json_rows(data: bytes, name: str) -> Iterator[Row]:
    for number, line in enumerate(data.decode("utf-8-sig").split("\n"), 1):
        if line.strip():
            row = json.loads(line)
            if not isinstance(row, dict):
                raise InventoryError(f"{name}: line {number}: an object is required, got {shown(row)}")
            yield f"line {number}", row


def _parquet_rows(data: bytes, name: str) -> Iterator[Row]:
    table = pq.read_table(io.BytesIO(data))
    _need_columns(table.column_names, name)
    known = [column for column in _COLUMNS if column in table.column_names]
    for number, row in enumerate(table.select(known).to_pylist(), 1):
        yield f"row {number}", row


def _need_columns(found: Collection[str], name: str) -> None:
    if not {"vm_id", "scale_set_id"} <= set(found):
        came = ", ".join(found) or "none"
        raise InventoryError(f"{name}: the columns vm_id and scale_set_id are required, got {came}")


_COLUMNS: Final = ("vm_id", "scale_set_id", "valid_from", "valid_to")
_READERS: Final = {"csv": _csv_rows, "jsonl": _json_rows, "ndjson": _json_rows, "json": _json_rows, "parquet": _parquet_rows}
